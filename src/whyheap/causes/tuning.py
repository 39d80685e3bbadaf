"""GOMEMLIMIT and GOGC for this container, from what was measured, by the pacer's own formula: peak and price foretold.

The peak is the heap goal and all besides it, or GOMEMLIMIT and what is outside Go, whichever is lower. Between two
collections the heap grows from the live heap to the goal, so there are allocation rate / (goal - live) collections a
second; each costs about what one cost in the window, as it marks the same live heap. The price is a share of all CPU
that the process may use (GOMAXPROCS). Measured against real runs in docs/tuning.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.causes.history import Limit, RuntimeHistory
from whyheap.causes.memory_limit import SAFE_SHARE, outside_bytes, safe_memory_limit
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.goruntime.heap_goal import FORCED_GC_SECONDS, Pacing, heap_goal
from whyheap.units import format_bytes, format_share

THRASH_SHARE = 0.15
"""Of all CPU, that a collector at ease does not take: it marks with a quarter, and would do so most of the time."""
LEAST_HEADROOM_SHARE = 0.1
"""Of the live heap: with less room than this each collection frees next to nothing."""
_LEAST_COLLECTIONS = 3
_MOST_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a setting would lead to. `gc_share` is None where no collection's cost was measured."""

    pacing: Pacing
    heap_bytes: float
    peak_bytes: float
    collections_per_second: float
    gc_share: float | None
    headroom_share: float

    @property
    def thrashes(self) -> bool:
        """Whether the collector would run nearly without end."""
        return self.headroom_share < LEAST_HEADROOM_SHARE or (self.gc_share or 0.0) > THRASH_SHARE

    @property
    def words(self) -> str:
        """The prediction as part of a sentence."""
        rate = self.collections_per_second
        often = f"{rate:.1f} collections a second" if rate >= 1 else f"a collection every {1 / max(rate, 1e-3):.0f} s"
        price = "" if self.gc_share is None else f", {format_share(self.gc_share)} of the CPU"
        return f"peak about {format_bytes(self.peak_bytes)}, {often}{price}"


@dataclass(frozen=True, slots=True)
class Collections:
    """What the collector did in the window: `share` of all CPU, `cost_seconds` of one collection on all CPUs."""

    per_second: float
    share: float | None
    cost_seconds: float | None


def collections(history: RuntimeHistory) -> Collections | None:
    """Return how often the collector ran and what it took; None for fewer than two samples."""
    counted = [sample for sample in history.samples if "num_gc" in sample.values]
    if len(counted) < 2 or counted[-1].seconds <= counted[0].seconds:  # noqa: PLR2004 - a difference needs two
        return None
    first, last = counted[0], counted[-1]
    seconds = last.seconds - first.seconds
    count = last.values["num_gc"] - first.values["num_gc"]
    spent = _spent(first, last)
    if spent is None or count < 0:
        return Collections(max(count, 0.0) / seconds, None, None)
    cost = spent / count if count >= _LEAST_COLLECTIONS else None
    return Collections(count / seconds, min(spent / seconds, 1.0), cost)


def _spent(first: RuntimeSample, last: RuntimeSample) -> float | None:
    """Return seconds of all CPUs that the collector took of the program; what it marked in idle time is not counted."""
    started = last.values.get("process_started")
    if started is None or any(not {"gc_cpu", "last_gc"} <= each.values.keys() for each in (first, last)):
        return None
    # The share since the start is worked out when a collection ends, and then stands: mgc.go, gcMarkTermination
    ages = [max(each.values["last_gc"] - started, 0.0) for each in (first, last)]
    if ages[1] < ages[0]:
        return None
    return max(last.values["gc_cpu"] * ages[1] - first.values["gc_cpu"] * ages[0], 0.0)


def predict(history: RuntimeHistory, pacing: Pacing) -> Prediction | None:
    """Say what a setting would lead to; None when live heap or allocation are not known."""
    live, rate = history.live.bytes, history.alloc_rate
    if live is None or rate is None or live < 0 or rate < 0:
        return None
    goal = heap_goal(live, history.root_bytes, pacing, history.non_heap_bytes)
    heap = min(goal, live + rate * FORCED_GC_SECONDS)
    peak = heap * history.touched_share + history.beside_heap_bytes
    if pacing.memory_limit_bytes is not None and live < goal:
        peak = min(peak, max(pacing.memory_limit_bytes + outside_bytes(history), history.needed_bytes or 0.0))
    room = max(goal - live, 1.0)
    per_second = max(rate / room, 1 / FORCED_GC_SECONDS)
    told = collections(history)
    cost = told.cost_seconds if told else None
    share = None if cost is None else min(per_second * cost, 1.0)
    return Prediction(pacing, heap, peak, per_second, share, room / max(live, 1.0))


def best_for(history: RuntimeHistory, limit: Limit) -> Prediction | None:
    """Return what the safest GOMEMLIMIT of this container would lead to, GOGC as it is (100 where it is off)."""
    percent = history.pacing.gc_percent if history.pacing.gc_percent > 0 else _MOST_PERCENT
    return predict(history, Pacing(percent, max(safe_memory_limit(history, limit), 1)))


def percent_for(history: RuntimeHistory, limit: Limit) -> Prediction | None:
    """Return the largest GOGC whose peak stays below the limit without GOMEMLIMIT; None where not even 10 does."""
    for percent in range(min(history.pacing.gc_percent, 400) // 5 * 5, 5, -5):
        found = predict(history, Pacing(percent))
        if found is not None and found.peak_bytes <= SAFE_SHARE * limit.bytes:
            return found
    return None


def needed_limit(history: RuntimeHistory, percent: int) -> float | None:
    """Return which container limit the working set needs for this GOGC, the safe margin included; None: not known."""
    found = predict(history, Pacing(percent))
    return None if found is None else found.peak_bytes / SAFE_SHARE
