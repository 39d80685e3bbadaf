"""Where memory went: one stacked account from the gauges of one moment, from the kernel's charge down to the live heap.

Resident parts come from one smaps read, so they sum up to its Rss. Within the Go heap the runtime's own numbers tell
stacks, free spans, fragments, garbage and live objects apart; they are of a moment nearby and count memory that was
mapped. What they hold beyond what is resident was never written (a large slice that is not yet filled) and is taken off
live objects and garbage, in proportion. What is resident beyond what they hold is unexplained.
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
    ("thread-stacks", "thread stacks", ("smaps_thread_stacks", "smaps_go_stacks")),
)
_HEAP_TITLES = {
    "goroutine-stacks": "goroutine stacks",
    "free-spans": "free spans not given back",
    "fragments": "unused parts of spans",
    "garbage": "garbage not yet collected",
    "live-heap": "live heap",
}
_LEAST_WRITTEN_SHARE = 0.02
_NOTICED_SHARE = 0.01


def account(values: Mapping[str, float]) -> MemoryAccount | None:
    """Return the account of one moment; None when not even the process's resident memory is told."""
    by_class = "smaps_rss" in values and "smaps_go_heap" in values
    rss = values["smaps_rss"] if by_class else values.get("rss")
    if not rss:
        return None
    if by_class:
        heap, other = _told_apart(values)
        resident = list(_resident(values, other))
    else:
        resident = list(_from_status(values))
        heap = max(min(_mapped(values), rss - sum(part.bytes for part in resident)), 0.0)
    is_measured = by_class and not values.get("smaps_go_heap_inferred")
    heap_parts, untouched = _heap(values, heap, is_measured=is_measured)
    inside = [*resident, *heap_parts]
    explained = sum(part.bytes for part in inside)
    charge = values.get("container_charge")
    outside = [] if charge is None else list(_outside(values))
    elsewhere = 0 if charge is None else int(_elsewhere(values))
    whole = rss if charge is None else charge + elsewhere
    return MemoryAccount(
        "",
        int(rss),
        min(explained, int(rss)),
        (*outside, *inside),
        int(charge) if charge is not None else None,
        int(whole) - explained - sum(part.bytes for part in outside),
        untouched,
        elsewhere,
    )


def _told_apart(values: Mapping[str, float]) -> tuple[float, float]:
    """Return what is resident of the Go heap and of other anonymous memory, from one smaps read.

    Where only the place of the heap was inferred and the runtime has mapped more, the rest lies among the other.
    """
    heap, other = values["smaps_go_heap"], values.get("smaps_other_anon", 0.0)
    if not values.get("smaps_go_heap_inferred"):
        return heap, other
    missed = min(max(_mapped(values) - heap, 0.0), other) if heap < values.get("heap_inuse", 0.0) / 2 else 0.0
    return heap + missed, other - missed


def _mapped(values: Mapping[str, float]) -> float:
    """Return what Go has mapped for heap and stacks and not given back."""
    return max(values.get("heap_sys", 0.0) - values.get("heap_released", 0.0), 0.0) + values.get("stack_inuse", 0.0)


def _resident(values: Mapping[str, float], other: float) -> Iterator[AccountPart]:
    """Yield what is resident besides the Go heap, from one smaps read."""
    for slug, title, names in _RESIDENT:
        size = sum(values.get(name, 0.0) for name in names)
        if size:
            yield AccountPart(slug, title, int(size), _MEASURED)
    named = values.get("smaps_go_metadata")
    if named is not None:
        yield AccountPart("runtime-metadata", "the runtime's own memory", int(named), _MEASURED)
    elif "runtime_metadata" in values:  # an upper bound: all of it need not be resident
        metadata = int(min(values["runtime_metadata"], other))
        yield AccountPart("runtime-metadata", "the runtime's own memory", metadata, _INFERRED)
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


def _heap(values: Mapping[str, float], resident: float, *, is_measured: bool) -> tuple[list[AccountPart], int]:
    """Split what is resident of the Go heap, stacks included; also return what is in use and was never written."""
    if "heap_alloc" not in values or "heap_inuse" not in values:
        certainty = _MEASURED if is_measured else _INFERRED
        return ([AccountPart("go-heap", "Go heap and stacks", int(resident), certainty)] if resident else []), 0
    alloc = values["heap_alloc"]
    live = min(_live(values), alloc)
    sizes = {
        "goroutine-stacks": values.get("stack_inuse", 0.0),
        "free-spans": max(values.get("heap_idle", 0.0) - values.get("heap_released", 0.0), 0.0),
        "fragments": max(values["heap_inuse"] - alloc, 0.0),
        "garbage": alloc - live,
        "live-heap": live,
    }
    missing = max(sum(sizes.values()) - resident, 0.0)
    taken = min(missing, (1 - _LEAST_WRITTEN_SHARE) * alloc)  # objects that are there were written, if a little
    kept = 1 - taken / alloc if alloc else 1.0
    sizes["garbage"], sizes["live-heap"] = sizes["garbage"] * kept, live * kept
    left = missing - taken
    for slug in ("free-spans", "fragments", "goroutine-stacks"):
        taken = min(sizes[slug], left)
        sizes[slug] -= taken
        left -= taken
    is_exact = bool(values.get("heap_marked")) and missing <= _NOTICED_SHARE * alloc
    sure = {slug: is_measured and (is_exact or slug not in {"fragments", "garbage", "live-heap"}) for slug in sizes}
    parts = [
        AccountPart(slug, _HEAP_TITLES[slug], int(size), _MEASURED if sure[slug] else _INFERRED)
        for slug, size in sizes.items()
        if size >= 1
    ]
    return parts, int(missing)


def _live(values: Mapping[str, float]) -> float:
    """Return the live heap at the last mark: told, else from the goal that followed from it, else all objects."""
    if values.get("heap_marked"):
        return values["heap_marked"]
    percent = int(values.get("gogc", DEFAULT_GC_PERCENT))
    marked = marked_from_goal(values.get("heap_goal", 0.0), values.get("stack_inuse", 0.0), percent)
    return values["heap_alloc"] if marked is None else marked


def _outside(values: Mapping[str, float]) -> Iterator[AccountPart]:
    """Yield what the kernel charges the group with besides the process's own pages."""
    cache = max(_charged_files(values) - values.get("rss_file", 0.0), 0.0)
    shmem = max(values.get("container_shmem", 0.0) - values.get("rss_shmem", 0.0), 0.0)
    others = _others(values)
    for slug, title, size, certainty in (
        ("page-cache", "page cache of files", cache, _INFERRED),
        ("shmem", "tmpfs and shared memory beside", shmem, _INFERRED),
        ("kernel", "kernel: slab, page tables, sockets", values.get("container_kernel", 0.0), _MEASURED),
        ("other-processes", "other processes", others, _MEASURED),
    ):
        if size >= 1:
            yield AccountPart(slug, title, int(size), certainty)


def _charged_files(values: Mapping[str, float]) -> float:
    """Return what is charged for files: the kernel's "file" counts tmpfs and shared memory too."""
    return max(values.get("container_file", 0.0) - values.get("container_shmem", 0.0), 0.0)


def _others(values: Mapping[str, float]) -> float:
    """Return the anonymous memory of other processes: the group's less the process's own, where the group tells it.

    Alone in its group, a process has no others: what differs then is of two moments.
    """
    if values.get("container_processes", 2.0) <= 1:
        return 0.0
    if "container_anon" in values and "rss_anon" in values:
        return max(values["container_anon"] - values["rss_anon"], 0.0)
    return values.get("container_other_rss", 0.0)


def _elsewhere(values: Mapping[str, float]) -> float:
    """Return what is resident in the process but charged to another group, which used it first."""
    if "container_file" not in values:
        return 0.0
    files = max(values.get("rss_file", 0.0) - _charged_files(values), 0.0)
    return files + max(values.get("rss_shmem", 0.0) - values.get("container_shmem", 0.0), 0.0)
