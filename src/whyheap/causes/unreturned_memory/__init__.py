"""Unreturned memory: the heap was once large, or lies scattered, and its memory did not go back to the system.

What it is: Go frees objects, but memory goes back by pages. A span (8 KiB and more) with one survivor stays; free spans
wait for the scavenger; pages that were given back with MADV_FREE (GODEBUG=madvdontneed=0) count until the kernel is
short of memory; and transparent huge pages bring back what surrounds a page in use.

How to tell: Resident memory stays far above the live heap after a peak, collection after collection: heap in use is
much more than its objects (fragments), or idle heap much more than what was released, or Go's arenas hold more resident
memory than Go believes to have.

What tells it apart: With live-heap-growth the objects themselves are that many. Garbage that waits for the next
collection comes and goes; this stays. Memory that is not in Go's arenas is off-heap.

What to do: Fragments: keep long-lived objects away from the masses that die (allocate them before, or copy the
survivors together when the work is done). Peaks: make them smaller, by streaming or by limiting how much runs at once.
MADV_FREE: leave GODEBUG=madvdontneed at its default of 1. Huge pages: set khugepaged's max_ptes_none to 0, or
transparent huge pages to madvise.

When to leave it: The peak comes again regularly: then the memory is needed anyway. Pages under MADV_FREE are no danger,
the kernel takes them when it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import (
    LEAST_BYTES,
    charge_bytes,
    container_limit,
    growth,
    lasting,
    outlook,
    points,
    share_of_whole,
    spell_rise,
)
from whyheap.causes.trend import Trend
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_share

CAUSE = Cause("unreturned-memory", "Free memory is not given back", __doc__)

LEAST_SHARE = 0.45
"""Of what the process uses, that must lie unused for this to be named; a heap under GOGC=100 swings by half of it."""
NEAR_SHARE = 0.6
"""Of the limit, that level unused memory and all besides must reach."""
LEAST_WITHOUT_LIMIT_BYTES = 64.0 * (1 << 20)
HUGE_SHARE = 0.5
LATEST = 4


@dataclass(frozen=True, slots=True)
class _Unused:
    """Bytes that lie unused all the time, by kind."""

    idle: float
    fragments: float
    beyond: float

    @property
    def total(self) -> float:
        return self.idle + self.fragments + self.beyond


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when most of what the process uses is free memory that stays."""
    if any(verdict.cause == "stack-growth" for verdict in taken):
        return None  # a stack that was copied leaves its old memory idle
    fragments = points(history, _fragments)
    trend = growth(fragments)
    unused = _Unused(
        lasting(points(history, _idle)),
        lasting(fragments) if trend is None else min(value for _, value in fragments[-LATEST:]),
        lasting(points(history, _beyond)),
    )
    used = max(charge_bytes(history), history.last.get("rss", 0.0), history.last.get("smaps_rss", 0.0))
    if unused.total < LEAST_BYTES or not used or unused.total < LEAST_SHARE * used:
        return None
    limit, end = container_limit(history), ending(history)
    enough = NEAR_SHARE * limit if limit is not None else LEAST_WITHOUT_LIMIT_BYTES
    if trend is None and not end.is_oom and used < enough:
        return None
    size = unused.total
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if "smaps_go_heap" in history.last or not unused.beyond else Certainty.INFERRED,
        int(size),
        share_of_whole(history, size),
        _summary(history, unused, size, used, trend, killed=end.is_oom),
        tuple(_evidence(history, unused, trend)),
        tuple(_advice(history, unused, trend)),
    )


def _idle(values: dict[str, float]) -> float | None:
    if "heap_idle" not in values or "heap_released" not in values:
        return None
    return max(values["heap_idle"] - values["heap_released"], 0.0)


def _fragments(values: dict[str, float]) -> float | None:
    if "heap_inuse" not in values or "heap_alloc" not in values:
        return None
    return max(values["heap_inuse"] - values["heap_alloc"], 0.0)


def _beyond(values: dict[str, float]) -> float | None:
    """Return what is resident in Go's arenas beyond what Go has not given back: stacks lie in arenas too."""
    if "heap_released" not in values or "sys" not in values:
        return None
    if "smaps_go_heap" in values and "heap_sys" in values:
        kept = values["heap_sys"] - values["heap_released"] + values.get("stack_inuse", 0.0)
        return min(max(values["smaps_go_heap"] - kept, 0.0), values["heap_released"])
    if "rss_anon" not in values:
        return None  # without the arenas: what is resident beyond all that Go has kept, and was Go's before
    return min(max(values["rss_anon"] - (values["sys"] - values["heap_released"]), 0.0), values["heap_released"])


def _summary(
    history: RuntimeHistory, unused: _Unused, size: float, used: float, trend: Trend | None, *, killed: bool
) -> str:
    live = history.live.bytes if history.live.bytes is not None else history.last.get("heap_alloc", 0.0)
    text = (
        f"{format_bytes(size)} of the {format_bytes(used)} in use hold nothing, "
        f"though only {format_bytes(live)} are live: {_kind(history, unused)}"
    )
    if trend is not None and unused.fragments >= max(unused.idle, unused.beyond):
        return f"{text}, {spell_rise(trend).partition(',')[0]} more{outlook(history, trend.slope.value, killed=killed)}"
    return text


def _kind(history: RuntimeHistory, unused: _Unused) -> str:
    largest = max(unused.idle, unused.fragments, unused.beyond)
    if largest == unused.fragments:
        return "few survivors keep whole spans"
    if largest == unused.idle:
        return "idle spans were not given back"
    return "huge pages bring it back" if _is_huge(history, unused) else "given back lazily (MADV_FREE)"


def _is_huge(history: RuntimeHistory, unused: _Unused) -> bool:
    return history.last.get("smaps_huge", 0.0) >= HUGE_SHARE * unused.beyond


def _evidence(history: RuntimeHistory, unused: _Unused, trend: Trend | None) -> list[Statement]:
    last, statements = history.last, []
    if unused.fragments >= LEAST_BYTES:
        inuse, objects = last.get("heap_inuse", 0.0), last.get("heap_alloc", 0.0)
        text = f"spans in use take {format_bytes(inuse)}, the objects in them {format_bytes(objects)}"
        share = format_share(max(1 - objects / inuse, 0.0)) if inuse else "0 %"
        statements.append(Statement(f"{text}: {share} of the spans is empty space", Certainty.MEASURED))
    if unused.idle >= LEAST_BYTES:
        text = f"{format_bytes(unused.idle)} of idle spans stay with the process all the time"
        statements.append(Statement(text, Certainty.MEASURED))
    if unused.beyond >= LEAST_BYTES:
        is_seen = "smaps_go_heap" in last
        resident = last["smaps_go_heap"] if is_seen else last.get("rss_anon", 0.0)
        text = (
            f"{format_bytes(resident)} of {'the Go heap' if is_seen else 'anonymous memory'} are resident, "
            f"though Go has given {format_bytes(unused.beyond)} of that back (HeapReleased)"
        )
        statements.append(Statement(text, Certainty.MEASURED if is_seen else Certainty.INFERRED))
        if last.get("smaps_huge"):
            text = f"{format_bytes(last['smaps_huge'])} of the process are in transparent huge pages"
            statements.append(Statement(text, Certainty.MEASURED))
    if trend is not None:
        statements.append(Statement(f"the empty space grows {spell_rise(trend)}", Certainty.MEASURED))
    if history.live.bytes is not None:
        level = history.live_trend is None or not history.live_trend.grows
        text = f"the live heap is {format_bytes(history.live.bytes)}{' and does not grow' if level else ''}"
        statements.append(Statement(text, Certainty.MEASURED if history.gogc_is_known else Certainty.INFERRED))
    return [*statements, limit_statement(history)]


def _advice(history: RuntimeHistory, unused: _Unused, trend: Trend | None) -> list[str]:
    largest = max(unused.idle, unused.fragments, unused.beyond)
    if largest == unused.fragments:
        advice = [
            (
                "copy the few objects that stay (strings.Clone, bytes.Clone, a new struct) once the mass around them "
                "is done, or allocate them before it: then whole spans come free"
            )
        ]
        if trend is not None:
            advice.append("neither GOMEMLIMIT nor debug.FreeOSMemory helps: a span with one object stays")
        return advice
    if largest == unused.idle:
        return [
            (
                f"debug.FreeOSMemory() after the peak gives back up to {format_bytes(unused.idle)}; a GOMEMLIMIT near "
                "what is needed makes the runtime do it by itself"
            ),
            "make the peak smaller: stream, or limit how much runs at once",
        ]
    if _is_huge(history, unused):
        return [
            (
                "set /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none to 0 on the node, or transparent "
                f"huge pages to madvise: {format_bytes(unused.beyond)} then stay given back"
            )
        ]
    return [
        f"no danger: the kernel takes these {format_bytes(unused.beyond)} when memory is short, before it kills",
        "remove madvdontneed=0 from GODEBUG, so that what is shown is what is used",
    ]
