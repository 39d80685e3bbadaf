"""Memory limit misset: GOMEMLIMIT leaves the heap more than the container has, so it never binds in time.

What it is: GOMEMLIMIT at or above the container's limit, copied from a larger one, or set to a share of it without
what is used outside Go: cgo, mappings, tmpfs, other processes. The runtime counts only what it mapped itself.

How to tell: GOMEMLIMIT and what is charged besides Go's own memory exceed the container's limit, and the heap's goal
is beyond what is left, though the live heap is level and modest.

What tells it apart: With gc-headroom no memory limit is set at all. With off-heap or shared-memory the memory outside
Go itself grows; here it is level, and the collector was only told the wrong number.

What to do: Set GOMEMLIMIT to the container's limit less a tenth, less all that is used outside Go.

When to leave it: GOGC alone keeps the heap well below the limit; the memory limit then never binds.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.gc_headroom import MOST_NEEDED_SHARE, peak_bytes
from whyheap.causes.history import Limit, RuntimeHistory
from whyheap.causes.memory_limit import outside_bytes, safe_memory_limit
from whyheap.causes.tuning import best_for
from whyheap.causes.verdict_words import limit_statement, pacing_statement
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, spell_bytes

CAUSE = Cause("memory-limit-misset", "GOMEMLIMIT exceeds the container", __doc__)

OUTSIDE_SHARE = 0.02
"""Of the limit: less outside Go than this (the program's code, the kernel) is not worth a sentence."""


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when GOMEMLIMIT and what it does not count exceed the limit, and the heap would go there."""
    limit, told, goal = history.limit, history.pacing.memory_limit_bytes, history.last.get("heap_goal")
    if limit is None or not limit.is_container or told is None or goal is None:
        return None
    outside = outside_bytes(history)
    if told + outside <= limit.bytes or (history.demand_grows and told < limit.bytes):
        return None  # a limit that was right until what is outside Go grew is not the cause
    live = history.live.bytes
    kept = live if live is not None else history.last.get("heap_marked", 0.0)
    peak = peak_bytes(history, goal, kept)
    if peak <= history.heap_room_bytes or kept + history.beside_heap_bytes > MOST_NEEDED_SHARE * limit.bytes:
        return None
    size = int(min(peak, history.heap_room_bytes) - kept)
    without = f" and {format_bytes(outside)} outside Go" if outside > OUTSIDE_SHARE * limit.bytes else ""
    verb = "are" if without else "is"
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if live is not None else Certainty.INFERRED,
        size,
        min(size / limit.bytes, 1.0),
        f"GOMEMLIMIT of {format_bytes(told)}{without} {verb} more than the limit of {format_bytes(limit.bytes)}: "
        f"the heap may grow to {format_bytes(goal)}",
        tuple(_evidence(history, limit, told, outside)),
        tuple(_advice(history, limit, told)),
    )


def _evidence(history: RuntimeHistory, limit: Limit, told: int, outside: float) -> list[Statement]:
    live, pacing = history.live.bytes, pacing_statement(history)
    level = (
        f"the live heap is {format_bytes(live)} and level"
        if live is not None and history.live_trend is not None and not history.live_trend.grows
        else f"the live heap is {format_bytes(live)}"
        if live is not None
        else "no collection has run yet, so what is live is not known"
    )
    statements = [
        Statement(f"GOMEMLIMIT={spell_bytes(told)} is set", Certainty.STATED),
        limit_statement(history),
        Statement(level, Certainty.MEASURED),
        *([pacing] if pacing else []),
    ]
    if outside > OUTSIDE_SHARE * limit.bytes:
        text = f"{format_bytes(outside)} are charged that GOMEMLIMIT does not count: they are outside Go's own memory"
        statements.insert(2, Statement(text, Certainty.MEASURED))
    return statements


def _advice(history: RuntimeHistory, limit: Limit, told: int) -> list[str]:
    memory_limit = safe_memory_limit(history, limit)
    found = best_for(history, limit)
    words = f": {found.words}" if found else ": below the limit, with what is outside Go"
    if memory_limit <= 0 or (found is not None and found.thrashes):
        needed = (told + outside_bytes(history)) / 0.9
        return [f"raise the container's limit to {format_bytes(needed)}: a lower GOMEMLIMIT would make the GC spin"]
    return [f"set GOMEMLIMIT={spell_bytes(memory_limit)}{words}"]
