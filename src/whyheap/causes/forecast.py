"""When memory reaches the limit, from the live heap's slope and the pacer's formula.

Memory touches the limit not when the live heap does, but when a collection's goal does: under GOGC=100 that is at about
half of it. After that the heap still has to climb there, by allocation; and a collection runs every two minutes in any
case, which helps a heap that takes longer to get to its goal.
"""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.causes.history import RuntimeHistory
from whyheap.goruntime.heap_goal import FORCED_GC_SECONDS, Pacing, heap_goal
from whyheap.stats import Slope

LONGEST_SECONDS = 24 * 3600.0
"""Beyond a day a forecast from seconds of samples says nothing."""
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds from now, and between which moments it may be; `latest` is None when it is beyond a day.

    The interval is the slope's, and what else cannot be known: how much will be allocated later, and when collections
    will run.
    """

    seconds: float
    earliest: float
    latest: float | None


def forecast_limit(history: RuntimeHistory, slope: Slope, pacing: Pacing | None = None) -> Forecast | None:
    """Return when the limit is reached if the live heap goes on as it does; None without a limit or within a day.

    `pacing` asks what would be with other settings.
    """
    pacing = pacing or history.pacing
    reached = _reached(history, slope.value, pacing)
    if reached is None:
        return None
    # Allocation was seen for a window only. If more comes later, the goal is reached before the two minutes are over.
    soonest = _reached(history, slope.high, pacing, by_time=False)
    slowest = _reached(history, slope.low, pacing)
    latest = _within_a_day(slowest.seconds + slowest.phase) if slowest is not None else None
    return Forecast(reached.seconds, min(soonest.seconds, reached.seconds) if soonest else reached.seconds, latest)


@dataclass(frozen=True, slots=True)
class _Reached:
    """Seconds from now at the soonest, and how much later it is when the last collection that fits runs at its latest.

    Where in its cycle the collector will be by then follows from all cycles in between, and small errors of the rates
    add up over them: it is not known.
    """

    seconds: float
    phase: float = 0.0


def _reached(
    history: RuntimeHistory, bytes_per_second: float, pacing: Pacing, *, by_time: bool = True
) -> _Reached | None:
    """`by_time` counts on the collection that runs every two minutes."""
    live = history.live.bytes
    if history.limit is None or live is None or bytes_per_second <= 0:
        return None
    alloc_rate = max(history.alloc_rate or 0.0, bytes_per_second)
    stack_rate = history.stack_rate
    by_time = by_time and pacing.gc_percent >= 0  # not under GOGC=off: mgc.go, (gcTrigger).test

    def live_at(seconds: float) -> float:
        return live + bytes_per_second * seconds

    def room_at(seconds: float) -> float:
        return history.heap_room_bytes - stack_rate * seconds

    def fits(seconds: float) -> bool:
        """Whether the peak that follows a collection at this time fits: the goal, or two minutes of allocation."""
        roots = history.root_bytes + stack_rate * seconds
        peak = heap_goal(live_at(seconds), roots, pacing, history.non_heap_bytes + stack_rate * seconds)
        if by_time:
            peak = min(peak, live_at(seconds) + alloc_rate * FORCED_GC_SECONDS)
        return peak <= room_at(seconds)

    def climb(seconds: float) -> float:
        """How long it takes from the live heap of that moment to the limit."""
        return max(room_at(seconds) - live_at(seconds), 0.0) / alloc_rate

    if not fits(0.0):  # the next goal is already beyond the limit
        return _reachable(max(room_at(0.0) - history.last.get("heap_alloc", live), 0.0) / alloc_rate)
    if fits(LONGEST_SECONDS):
        return None
    low, high = 0.0, LONGEST_SECONDS
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    soonest = low + climb(low)
    return _reachable(soonest, climb(soonest))  # a collection that ran just before frees its garbage once more


def _reachable(seconds: float, phase: float = 0.0) -> _Reached | None:
    return _Reached(seconds, phase) if seconds <= LONGEST_SECONDS else None


def _within_a_day(seconds: float) -> float | None:
    return seconds if seconds <= LONGEST_SECONDS else None
