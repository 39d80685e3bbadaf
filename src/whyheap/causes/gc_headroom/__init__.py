"""GC headroom: what is live fits, but the collector lets the heap grow beyond the limit before it runs.

What it is: Under GOGC=100 the heap may grow to twice the live heap (plus stacks and globals) before it is collected.
With a container limit between once and twice the live heap the process is killed in the middle of normal work.

How to tell: The heap goal and what is used besides the heap exceed the limit, though the live heap is level and well
below it, and no GOMEMLIMIT is set. One that is set but too high is memory-limit-misset.

What tells it apart: With live-heap-growth the live heap rises; there a memory limit only delays the end. With
limit-too-small the live heap alone comes near the limit; a GOMEMLIMIT would make the collector run without end.

What to do: Set GOMEMLIMIT somewhat below the container's limit, minus what the process uses outside Go. The collector
then runs earlier when it must, at the price of CPU. A lower GOGC does the same at all times.

When to leave it: The process allocates so little that the two-minute collection always comes before the goal is
reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from whyheap.causes.cause import Cause
from whyheap.causes.history import Limit, RuntimeHistory
from whyheap.causes.memory_limit import SAFE_SHARE, safe_memory_limit
from whyheap.causes.tuning import best_for, needed_limit, percent_for
from whyheap.causes.verdict_words import limit_statement, pacing_statement
from whyheap.goruntime.heap_goal import FORCED_GC_SECONDS, GC_OFF
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_duration, format_rate, spell_bytes

CAUSE = Cause("gc-headroom", "The heap goal exceeds the limit", __doc__)

LASTING_SHARE = 0.8
MOST_NEEDED_SHARE = 0.8
"""Of the limit, that live heap and all besides may take for this to be headroom rather than a limit too small."""


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when the next peak passes the limit while the live heap is level and modest."""
    limit, goal, live = history.limit, history.last.get("heap_goal"), history.live.bytes
    if limit is None or goal is None or live is None or history.pacing.gc_percent == GC_OFF:
        return None
    if history.pacing.memory_limit_bytes is not None or history.demand_grows:
        return None
    peak = peak_bytes(history, goal, live)
    beside = history.beside_heap_bytes
    if peak <= history.heap_room_bytes or live + beside > MOST_NEEDED_SHARE * limit.bytes or not _lasts(history, goal):
        return None
    size = int(peak - live)
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if history.gogc_is_known and history.live_trend is not None else Certainty.INFERRED,
        size,
        min(size / limit.bytes, 1.0),
        f"the heap may grow to {format_bytes(peak)} before it is collected, {format_bytes(live)} of it live: "
        f"with {format_bytes(beside)} besides that is more than the limit of {format_bytes(limit.bytes)}",
        tuple(_evidence(history, live, beside)),
        tuple(_advice(history, limit, live, beside)),
    )


def _lasts(history: RuntimeHistory, goal: float) -> bool:
    """Whether the goal was as high in most of the window: a burst or a load lifts it only towards the end."""
    goals = [each.values["heap_goal"] for each in history.samples if "heap_goal" in each.values]
    return median(goals) >= LASTING_SHARE * goal


def peak_bytes(history: RuntimeHistory, goal: float, live: float) -> float:
    """Return how large the heap gets: its goal, or what is allocated until the two-minute collection."""
    if history.alloc_rate is None:
        return goal
    heap = max(history.last.get("heap_alloc", live), live)
    return max(min(goal, live + history.alloc_rate * FORCED_GC_SECONDS), min(heap, goal))


def _evidence(history: RuntimeHistory, live: float, beside: float) -> list[Statement]:
    told = Certainty.STATED if history.gogc_is_known else Certainty.INFERRED
    measured = Certainty.MEASURED if history.gogc_is_known else Certainty.INFERRED
    pacing = pacing_statement(history)
    level = " and level" if history.live_trend is not None else "; too few collections ran to tell whether it grows"
    statements = [
        *([pacing] if pacing else []),
        Statement(f"the live heap is {format_bytes(live)}{level}", measured),
        limit_statement(history),
        Statement("no GOMEMLIMIT is set", told),
        Statement(f"stacks, runtime and all besides the heap take {format_bytes(beside)}", Certainty.INFERRED),
    ]
    rate = history.alloc_rate
    if rate:
        room = history.heap_room_bytes - history.last.get("heap_alloc", live)
        soon = format_duration(max(room, 0.0) / rate)
        text = (
            f"at {format_rate(rate)} of allocation the limit is reached in about {soon}, if no collection comes first"
        )
        statements.append(Statement(text, Certainty.INFERRED))
    return statements


def _advice(history: RuntimeHistory, limit: Limit, live: float, beside: float) -> list[str]:
    memory_limit = safe_memory_limit(history, limit)
    best, by_percent = best_for(history, limit), percent_for(history, limit)
    advice = []
    if best is None:
        advice.append(
            f"set GOMEMLIMIT={spell_bytes(memory_limit)}: the collector then keeps the process below the limit"
        )
    elif not best.thrashes:
        advice.append(f"set GOMEMLIMIT={spell_bytes(memory_limit)}: {best.words}")
    if by_percent is not None and not by_percent.thrashes:
        advice.append(f"or set GOGC={by_percent.pacing.gc_percent}: {by_percent.words}")
    percent = history.pacing.gc_percent
    needed = needed_limit(history, percent) or (live * 2 + history.root_bytes + beside) / SAFE_SHARE
    advice.append(f"or raise the limit to {format_bytes(needed)}, which GOGC={percent} needs")
    return advice
