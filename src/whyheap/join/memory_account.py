"""Where memory went: one stacked account from the gauges of one moment, from the kernel's charge down to the live heap.

Resident parts come from one smaps read, so they sum up to its Rss. Within the Go heap the runtime's own numbers tell
stacks, free spans, fragments, garbage and live objects apart; they are of a moment nearby and count memory that was
mapped, so what they hold beyond what is resident was never touched, and is taken off the live heap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from whyheap.goruntime.heap_goal import DEFAULT_GC_PERCENT, marked_from_goal
from whyheap.model.account import AccountPart, MemoryAccount
from whyheap.model.finding import Certainty

_MEASURED, _INFERRED = Certainty.MEASURED, Certainty.INFERRED
_RESIDENT = (
    ("code", "program and its data", ("smaps_text", "smaps_data", "smaps_special")),
    ("libraries", "shared libraries", ("smaps_libraries",)),
    ("mapped-files", "mapped files", ("smaps_file",)),
    ("shared-memory", "shared memory of the process", ("smaps_shared",)),
    ("c-heap", "C heap", ("smaps_c_heap",)),
    ("thread-stacks", "thread stacks", ("smaps_thread_stacks",)),
)


def account(values: Mapping[str, float]) -> MemoryAccount | None:
    """Return the account of one moment; None when not even the process's resident memory is told."""
    by_class = "smaps_rss" in values and "smaps_go_heap" in values
    rss = values["smaps_rss"] if by_class else values.get("rss")
    if not rss:
        return None
    resident = list(_resident(values) if by_class else _from_status(values))
    heap = _go_heap_bytes(values, by_class=by_class, others=sum(part.bytes for part in resident), rss=rss)
    heap_parts, untouched = _heap(values, heap)
    inside = [*resident, *heap_parts]
    explained = sum(part.bytes for part in inside)
    outside = list(_outside(values)) if "container_charge" in values else []
    charge = values.get("container_charge")
    return MemoryAccount(
        "",
        int(rss),
        min(explained, int(rss)),
        (*outside, *inside),
        int(charge) if charge is not None else None,
        int(rss) - explained,
        untouched,
    )


def _resident(values: Mapping[str, float]) -> Iterator[AccountPart]:
    """Yield what is resident besides the Go heap, from one smaps read."""
    for slug, title, names in _RESIDENT:
        size = sum(values.get(name, 0.0) for name in names)
        if size:
            yield AccountPart(slug, title, int(size), _MEASURED)
    named = values.get("smaps_go_metadata")
    other = values.get("smaps_other_anon", 0.0)
    if named is not None:
        yield AccountPart("runtime-metadata", "the runtime's own memory", int(named), _MEASURED)
    elif "runtime_metadata" in values:  # an upper bound: all of it need not be resident
        metadata = min(values["runtime_metadata"], other)
        yield AccountPart("runtime-metadata", "the runtime's own memory", int(metadata), _INFERRED)
        other -= metadata
    if other >= 1:
        certainty = _MEASURED if named is not None else _INFERRED
        yield AccountPart("off-heap", "anonymous memory outside Go", int(other), certainty)


def _from_status(values: Mapping[str, float]) -> Iterator[AccountPart]:
    """Yield what /proc/PID/status tells, where smaps may not be read: kinds of pages only."""
    for slug, title, name in (
        ("code", "program, libraries and mapped files", "rss_file"),
        ("shared-memory", "shared memory of the process", "rss_shmem"),
    ):
        if values.get(name):
            yield AccountPart(slug, title, int(values[name]), _MEASURED)
    if "runtime_metadata" in values:
        size = min(values["runtime_metadata"] / 2, values.get("rss_anon", 0.0))  # about half is resident
        yield AccountPart("runtime-metadata", "the runtime's own memory", int(size), _INFERRED)


def _go_heap_bytes(values: Mapping[str, float], *, by_class: bool, others: float, rss: float) -> float:
    """Return what of the Go heap is resident: told by smaps, else at most what is left and what Go has mapped."""
    if by_class:
        return values["smaps_go_heap"] + values.get("smaps_go_stacks", 0.0)
    mapped = values.get("heap_sys", 0.0) - values.get("heap_released", 0.0) + values.get("stack_inuse", 0.0)
    return max(min(mapped, rss - others), 0.0)


def _heap(values: Mapping[str, float], resident: float) -> tuple[list[AccountPart], int]:
    """Split what is resident of the Go heap, stacks included; also return what is in use and was never touched."""
    if "heap_alloc" not in values or "heap_inuse" not in values:
        return ([AccountPart("go-heap", "Go heap and stacks", int(resident), _MEASURED)] if resident else []), 0
    alloc = values["heap_alloc"]
    live = min(_live(values), alloc)
    sizes = {
        "goroutine-stacks": values.get("stack_inuse", 0.0),
        "free-spans": max(values.get("heap_idle", 0.0) - values.get("heap_released", 0.0), 0.0),
        "fragments": max(values["heap_inuse"] - alloc, 0.0),
        "garbage": alloc - live,
        "live-heap": live,
    }
    untouched = max(sum(sizes.values()) - resident, 0.0)
    missing = untouched
    for slug in ("live-heap", "garbage", "free-spans", "fragments", "goroutine-stacks"):
        taken = min(sizes[slug], missing)
        sizes[slug] -= taken
        missing -= taken
    titles = {
        "goroutine-stacks": ("goroutine stacks", _MEASURED),
        "free-spans": ("free spans not given back", _MEASURED),
        "fragments": ("unused parts of spans", _MEASURED),
        "garbage": ("garbage not yet collected", _MEASURED if "heap_marked" in values else _INFERRED),
        "live-heap": ("live heap", _MEASURED if "heap_marked" in values else _INFERRED),
    }
    parts = [AccountPart(slug, *_part(titles[slug], size)) for slug, size in sizes.items() if size >= 1]
    return parts, int(untouched)


def _part(said: tuple[str, Certainty], size: float) -> tuple[str, int, Certainty]:
    return said[0], int(size), said[1]


def _live(values: Mapping[str, float]) -> float:
    """Return the live heap at the last mark: told, else from the goal that followed from it, else all objects."""
    if values.get("heap_marked"):
        return values["heap_marked"]
    percent = int(values.get("gogc", DEFAULT_GC_PERCENT))
    marked = marked_from_goal(values.get("heap_goal", 0.0), values.get("stack_inuse", 0.0), percent)
    return values["heap_alloc"] if marked is None else marked


def _outside(values: Mapping[str, float]) -> Iterator[AccountPart]:
    """Yield what the kernel charges the group with besides the process's own pages."""
    shared = values.get("smaps_shared", values.get("rss_shmem", 0.0))
    files = values.get("rss_file", 0.0)
    shmem = max(values.get("container_shmem", 0.0) - shared, 0.0)
    cache = max(values.get("container_file", 0.0) - values.get("container_shmem", 0.0) - files, 0.0)
    for slug, title, size, certainty in (
        ("page-cache", "page cache of files", cache, _INFERRED),
        ("shmem", "tmpfs and shared memory beside", shmem, _INFERRED),
        ("kernel", "kernel: slab, page tables, sockets", values.get("container_kernel", 0.0), _MEASURED),
        ("other-processes", "other processes", values.get("container_other_rss", 0.0), _MEASURED),
    ):
        if size >= 1:
            yield AccountPart(slug, title, int(size), certainty)
