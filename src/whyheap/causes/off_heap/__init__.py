"""Off-heap memory: the process grows, or is large, outside of what Go's collector knows.

What it is: Memory that was not allocated by Go: a C library's malloc through cgo, mappings made with mmap, caches and
stores that lie beside the heap on purpose. No collection frees it, no heap profile shows it, and GOMEMLIMIT does not
count it.

How to tell: Resident memory minus what the Go runtime has mapped rises, or takes most of the limit. In the process's
map it is the C allocator's memory ([heap] and its arenas) or anonymous memory that is neither Go's nor C's.

What tells it apart: With unreturned-memory the surplus lies within Go's own arenas. Shared memory (tmpfs, memfd) is
named by the kernel as such and counted apart. Thread stacks grow with the number of threads: thread-growth.

What to do: C memory: look for the free, close or destroy that is missing on some path, let runtime.AddCleanup or a
Close method call it, and run the library under its own leak checker. Mappings: pair each Mmap with a Munmap. A cache
that is meant to be there: make it smaller, and lower GOMEMLIMIT or raise the limit by its size.

When to leave it: The store has a fixed size, it is level, and the limit has room for it beside the heap's goal.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import (
    LEAST_BYTES,
    PRESSED_SHARE,
    Points,
    container_limit,
    growth,
    outlook,
    points,
    share_of_whole,
    spell_rise,
    usage_bytes,
)
from whyheap.causes.trend import LEAST_POINTS, Trend
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_duration, format_rate

CAUSE = Cause("off-heap", "Memory outside the Go heap", __doc__)

LARGE_SHARE = 0.4
"""Of the limit: level memory outside the heap is named from here on, when the limit is near."""
LEAST_GROWN_SHARE = 0.1
"""Of the limit: growth outside the heap is named from here on; it may go on."""
_DOUBTFUL_HEAP_SHARE = 0.25
_DOUBTFUL_FROM_BYTES = 16.0 * (1 << 20)
_C_HEAP_SHARE = 0.5


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when memory that is neither Go's nor shared nor a file grows, or fills much of the limit."""
    series, by_map = off_heap_points(history)
    if not series:
        return None
    rough = points(history, _by_totals)  # the map is read rarely: at the end there may be more than it told
    size = max(value for _, value in (*series[-1:], *rough[-1:]))
    trend, end = growth(series), ending(history)
    limit = container_limit(history)
    is_short = limit is not None and (end.is_oom or usage_bytes(history) >= PRESSED_SHARE * limit)
    grown = trend is not None and size >= max(LEAST_BYTES, LEAST_GROWN_SHARE * (limit or 0.0))
    if not grown and not (is_short and limit is not None and size >= max(LEAST_BYTES, LARGE_SHARE * limit)):
        return None
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if by_map else Certainty.INFERRED,
        int(size),
        share_of_whole(history, size),
        _summary(history, size, trend, killed=end.is_oom),
        tuple(_evidence(history, size, trend, by_map=by_map)),
        tuple(_advice(history, size, limit, grows=trend is not None)),
    )


def off_heap_points(history: RuntimeHistory) -> tuple[Points, bool]:
    """Return anonymous memory that Go did not map over time, and whether the process's map told it.

    Without the map it is what is resident beyond all that Go has ever mapped: a lower bound.
    """
    mapped = points(history, _by_map)
    if len(mapped) >= LEAST_POINTS:
        return mapped, True
    rough = points(history, _by_totals)
    return (rough, False) if len(rough) > len(mapped) else (mapped, True)


def _by_map(values: dict[str, float]) -> float | None:
    if "smaps_go_heap" not in values or "smaps_other_anon" not in values:
        return None
    heap = values.get("heap_inuse", 0.0)
    if heap > _DOUBTFUL_FROM_BYTES and values["smaps_go_heap"] < _DOUBTFUL_HEAP_SHARE * heap:
        return None  # where Go's arenas were not found, all of the heap looks foreign
    metadata = 0.0 if "smaps_go_metadata" in values else values.get("runtime_metadata", 0.0)
    return values.get("smaps_c_heap", 0.0) + max(values["smaps_other_anon"] - metadata, 0.0)


def _by_totals(values: dict[str, float]) -> float | None:
    resident = values.get("rss_anon")
    if resident is None or "sys" not in values:
        return None
    return max(resident - values["sys"], 0.0)


def _summary(history: RuntimeHistory, size: float, trend: Trend | None, *, killed: bool) -> str:
    place = _place(history)
    if trend is None:
        return f"{place} takes {format_bytes(size)} and is level: the limit has too little room for Go beside it"
    end, rate = outlook(history, trend.slope.value, killed=killed), format_rate(trend.slope.value)
    if killed:
        return f"{place} grew {rate} to {format_bytes(size)}{end}"
    return f"{place} grows {rate} and takes {format_bytes(size)}{end}"


def _place(history: RuntimeHistory) -> str:
    if "smaps_other_anon" not in history.last or "smaps_go_heap" not in history.last:
        return "memory outside the Go heap"
    c_heap, other = _c_heap(history), history.last["smaps_other_anon"]
    is_c = c_heap >= _C_HEAP_SHARE * (c_heap + other)
    if is_c:
        return "memory of the C allocator (malloc)"
    or_c = " or large blocks of malloc" if history.last.get("smaps_libraries") else ""
    return f"memory mapped outside the Go heap (mmap{or_c})"


def _c_heap(history: RuntimeHistory) -> float:
    """Return what the C allocator has; nothing where no library is mapped, its regions are told by place alone."""
    return history.last.get("smaps_c_heap", 0.0) if history.last.get("smaps_libraries") else 0.0


def _evidence(history: RuntimeHistory, size: float, trend: Trend | None, *, by_map: bool) -> list[Statement]:
    last = history.last
    statements = []
    if by_map:
        c_heap = _c_heap(history)
        told = f"{format_bytes(c_heap)} of the C allocator and " if c_heap else ""
        text = f"the process's memory map holds {told}{format_bytes(max(size - c_heap, 0.0))} of anonymous mappings"
        statements.append(Statement(f"{text} that are not Go's", Certainty.MEASURED))
    else:
        text = f"{format_bytes(size)} of anonymous memory are resident beyond all that Go has mapped"
        statements.append(Statement(text, Certainty.INFERRED))
    if trend is not None:
        statements.append(Statement(f"it grows {spell_rise(trend)}, over {trend.points} moments", Certainty.MEASURED))
    if "sys" in last:
        mapped = last["sys"] - last.get("heap_released", 0.0)
        live = history.live.bytes
        text = f"Go has mapped {format_bytes(mapped)} in all" + (f", {format_bytes(live)} of it live" if live else "")
        statements.append(Statement(f"{text}: a heap profile cannot show the rest", Certainty.MEASURED))
    calls = points(history, "cgo_calls")
    if len(calls) > 1 and calls[-1][1] > calls[0][1]:
        count = calls[-1][1] - calls[0][1]
        text = f"the program calls C: {count:,.0f} calls in {format_duration(calls[-1][0] - calls[0][0])}"
        statements.append(Statement(text, Certainty.MEASURED))
    return [*statements, limit_statement(history)]


def _advice(history: RuntimeHistory, size: float, limit: float | None, *, grows: bool) -> list[str]:
    is_c = _place(history).startswith("memory of the C allocator")
    if grows and is_c:
        advice = ["look for C memory that Go code drops without C.free or the library's close; no GC can free it"]
    elif grows:
        advice = ["look for mappings (syscall.Mmap, or a library that maps) that are dropped without Munmap"]
        if "malloc" in _place(history):
            advice.append("or for C memory without its free: blocks of 128 KiB and more are mappings of their own")
    else:
        advice = [f"make what lies outside the heap smaller than {format_bytes(size)}, or raise the limit"]
    if limit is not None and history.pacing.memory_limit_bytes is not None:
        left = max(limit * 0.95 - size, 0.0)
        if history.pacing.memory_limit_bytes > left:
            text = f"GOMEMLIMIT does not count this memory: beside it only {format_bytes(left)} are left for Go"
            advice.append(text)
    else:
        advice.append("neither GOGC nor GOMEMLIMIT changes this: they govern only what Go has mapped")
    if grows and is_c:
        advice.append("to see who allocates, run the library's tests with -asan, or preload jemalloc with profiling")
    return advice
