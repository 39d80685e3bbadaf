"""What is alive only because of some goroutines: marks a heap dump's graph as a collector would, without them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from whyheap.model.heap_dump import AllocationPlace, DumpedGoroutine, HeapDump, Indexes

_WRAPPER: Final = re.compile(r"\.gowrap\d+$")
_FEW: Final = 256
"""A frontier below this is walked object by object: a long list has as many frontiers as elements."""
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Retained:
    """What goes when these goroutines go: objects and their bytes on the heap, and their stacks.

    `shared_bytes` are reachable from other groups of leaked goroutines as well and from nothing else: they stay until
    all of them go. `largest_bytes` is the largest object, which the frame of `largest_frame` points to; `allocated` is
    the stack that allocated it, where it was sampled. `missing` counts goroutines that the dump does not have.
    """

    objects: int
    bytes: int
    shared_objects: int
    shared_bytes: int
    stack_bytes: int
    largest_bytes: int = 0
    largest_frame: str = ""
    allocated: tuple[AllocationPlace, ...] = ()
    missing: int = 0


def retained_by(dump: HeapDump, groups: Mapping[Key, Sequence[int]]) -> dict[Key, Retained]:
    """Return for each group of goroutines, by their numbers, what nothing else keeps alive.

    A goroutine's g and its stack belong to the runtime: the g itself counts for nothing, what it points to does.
    """
    by_number = {one.number: one for one in dump.goroutines}
    leaked = {number for numbers in groups.values() for number in numbers}
    seen = np.zeros(dump.addresses.size, np.bool_)
    for number in leaked & by_number.keys():
        if by_number[number].g >= 0:
            seen[by_number[number].g] = True  # reached through runtime.allgs, and never passed through
    roots = [root.objects for root in dump.roots]
    roots += [objects for one in dump.goroutines if one.number not in leaked for objects in _roots_of(dump, one)]
    _mark(dump, _joined(roots), seen)
    reached: dict[Key, Indexes] = {}
    times = np.zeros(dump.addresses.size, np.uint32)
    for key, numbers in groups.items():
        goroutines = [by_number[number] for number in numbers if number in by_number]
        starts = [objects for one in goroutines for objects in _roots_of(dump, one)]
        reached[key] = _mark(dump, _joined(starts), seen)
        seen[reached[key]] = False  # others may reach them, too
        times[reached[key]] += 1
    return {
        key: _retained(dump, reached[key], times, [by_number[one] for one in numbers if one in by_number], len(numbers))
        for key, numbers in groups.items()
    }


def _retained(
    dump: HeapDump, reached: Indexes, times: NDArray[np.uint32], goroutines: Sequence[DumpedGoroutine], count: int
) -> Retained:
    own = reached[times[reached] == 1]
    shared = reached[times[reached] > 1]
    largest = int(own[np.argmax(dump.sizes[own])]) if own.size else -1
    return Retained(
        int(own.size),
        int(dump.sizes[own].sum()),
        int(shared.size),
        int(dump.sizes[shared].sum()),
        sum(one.stack_bytes for one in goroutines),
        int(dump.sizes[largest]) if largest >= 0 else 0,
        _holder(goroutines, largest),
        dump.allocated.get(largest, ()),
        count - len(goroutines),
    )


def _holder(goroutines: Iterable[DumpedGoroutine], index: int) -> str:
    """Return the function whose frame points straight to an object, the oldest one: the others got it from there.

    Arguments stand in the frame of the caller: what f.gowrap1 has, which the compiler makes of `go f(x)`, is of f.
    """
    for one in goroutines:
        called = ""
        found = ""
        for frame in one.frames:
            name = _WRAPPER.sub("", frame.function)
            if name != frame.function and not called.startswith("runtime."):  # else f is inlined
                name = called
            if index >= 0 and not name.startswith("runtime.") and index in frame.objects:
                found = name
            called = frame.function
        if found:
            return found
    return ""


def _roots_of(dump: HeapDump, goroutine: DumpedGoroutine) -> Iterable[Indexes]:
    yield goroutine.objects
    for frame in goroutine.frames:
        yield frame.objects
    if goroutine.g >= 0:
        yield dump.targets[dump.starts[goroutine.g] : dump.starts[goroutine.g + 1]].astype(np.int64)


def _joined(parts: Sequence[Indexes]) -> Indexes:
    return np.unique(np.concatenate(parts)).astype(np.int64) if parts else np.empty(0, np.int64)


def _mark(dump: HeapDump, roots: Indexes, seen: NDArray[np.bool_]) -> Indexes:
    """Mark what is reachable from the roots and not seen yet, and return it."""
    frontier = roots[~seen[roots]]
    seen[frontier] = True
    found = [frontier]
    while frontier.size:
        if frontier.size < _FEW:
            walked, frontier = _walk(dump, frontier, seen)
            found.append(walked)
        else:
            frontier = _next(dump, frontier, seen)
            found.append(frontier)
    return np.concatenate(found)


def _next(dump: HeapDump, frontier: Indexes, seen: NDArray[np.bool_]) -> Indexes:
    begins, ends = dump.starts[frontier], dump.starts[frontier + 1]
    counts = ends - begins
    if not int(counts.sum()):
        return np.empty(0, np.int64)
    inside = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    targets = dump.targets[np.repeat(begins, counts) + inside]
    fresh = np.unique(targets[~seen[targets]]).astype(np.int64)
    seen[fresh] = True
    return fresh


def _walk(dump: HeapDump, frontier: Indexes, seen: NDArray[np.bool_]) -> tuple[Indexes, Indexes]:
    """Walk object by object until many wait; return what was marked, and those of it that wait."""
    todo = frontier.tolist()
    walked: list[int] = []
    starts, targets = dump.starts, dump.targets
    while todo and len(todo) < 4 * _FEW:
        index = todo.pop()
        for target in targets[int(starts[index]) : int(starts[index + 1])].tolist():
            if not seen[target]:
                seen[target] = True
                walked.append(target)
                todo.append(target)
    return np.array(walked, np.int64), np.array(todo, np.int64)
