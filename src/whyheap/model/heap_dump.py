"""A heap as a graph: objects, what points to what, and what keeps them alive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Addresses = NDArray[np.uint64]
Indexes = NDArray[np.int64]
Targets = NDArray[np.int32]
_NOTHING: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class DumpedFrame:
    """One frame of a goroutine, and the indexes of the objects that it points to."""

    function: str
    objects: Indexes
    bytes: int


@dataclass(slots=True)
class DumpedGoroutine:
    """One goroutine: its number as in stack traces, its g's index (-1: not on the heap), its frames, the newest first.

    `objects` are what its defers, panics and the context of a closure point to. `stack_bytes` is the size of its whole
    stack, 0 where the g does not tell.
    """

    number: int
    g: int
    waits_for: str
    is_system: bool
    stack_bytes: int = 0
    frames: tuple[DumpedFrame, ...] = ()
    objects: Indexes = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class DumpedRoot:
    """What keeps objects alive beside goroutines: "data", "bss", "finalizer", or the runtime's own words."""

    name: str
    objects: Indexes


@dataclass(frozen=True, slots=True)
class AllocationPlace:
    """One frame of the stack that allocated a sampled object."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class HeapDump:
    """A heap as a graph. Objects are in order of their addresses; object i points to `targets[starts[i]:starts[i+1]]`.

    `sizes` are bytes of the slots that the objects take. `allocated` says for sampled objects (runtime.MemProfileRate)
    by which stack; the newest frame stands first.
    """

    go: str
    architecture: str
    addresses: Addresses
    sizes: Addresses
    starts: Indexes
    targets: Targets
    roots: tuple[DumpedRoot, ...]
    goroutines: tuple[DumpedGoroutine, ...]
    allocated: dict[int, tuple[AllocationPlace, ...]]

    def index_of(self, pointers: Addresses) -> Indexes:
        """Return the index of the object that each pointer leads into, -1 where none."""
        return index_of(self.addresses, self.sizes, pointers)


def index_of(addresses: Addresses, sizes: Addresses, pointers: Addresses) -> Indexes:
    """Return the index of the object that each pointer leads into, -1 where none; addresses are in order."""
    if not addresses.size or not pointers.size:
        return np.full(pointers.size, -1, np.int64)
    found = np.searchsorted(addresses, pointers, side="right") - 1
    inside = (found >= 0) & (pointers - addresses[found] < sizes[found])
    return np.where(inside, found, -1)
