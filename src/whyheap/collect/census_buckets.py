"""The buckets of a Go process's heap profile, read from its memory: one for each stack and object size.

Read in src/runtime/mprof.go of Go 1.22.10 to 1.27.3:

| what | where |
|---|---|
| mbuckets: a list by allnext; behind each bucket nstk return addresses, then a memRecord | newBucket, stk, mp |
| published are the active counts and those of the current cycle, which a flush adds to them | memProfileInternal |
| while nothing was published yet all cycles count | memProfileInternal, "clear" |
| mProfCycle: the cycle from bit 1 on, modulo 3 | mProfCycleHolder |
| the disabled profile: the linker clears MemProfileRate when nothing calls MemProfile | disableMemoryProfiling |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.host.process_memory import ProcessMemory, UnreadableAddressError

MOST_BUCKETS = 1 << 16
_MOST_FRAMES = 1024  # maxProfStackDepth
_LARGEST_RATE = 1 << 62
_ATTEMPTS = 4
_WORD = 8
_CYCLES = 3
_BLOCK_BYTES = 1 << 14
_MOST_BLOCKS = 256
_MOST_AT_ONCE = 1 << 13


class Bucket(NamedTuple):
    """One stack and object size with its counts, not scaled. `pcs` are return addresses, leaf first."""

    pcs: tuple[int, ...]
    object_bytes: int
    allocs: int
    frees: int


@dataclass(frozen=True, slots=True)
class Buckets:
    """All buckets in the runtime's order, with the counts that a profile of this moment publishes.

    `is_torn` = collections followed each other so fast that not all counts are of one cycle; `is_cut` = there are more.
    """

    found: tuple[Bucket, ...]
    is_torn: bool = False
    is_cut: bool = False


def sampling_rate(image: RuntimeImage) -> int:
    """Return runtime.MemProfileRate: bytes per sample; 0 where the program keeps no profile. Raises `LayoutError`."""
    rate = image.number("runtime.MemProfileRate")
    return rate if rate < _LARGEST_RATE else 0


class BucketReader:
    """Reads the buckets of one process, again and again.

    All of a bucket but its counts never changes, and new ones are put before the others (mprof.go stkbucket): the list
    is followed once, later readings follow its new part only and read the counts of all in a few large pieces.
    """

    def __init__(self, image: RuntimeImage) -> None:
        """Nothing is read yet."""
        self._image = image
        self._head = image.sizeof("bucket")
        self._next, self._size, self._depth = (
            image.field("bucket", name).offset // _WORD for name in ("allnext", "size", "nstk")
        )
        starts = [
            image.field("memRecord", name).offset for name in ("active", *(f"future[{i}]" for i in range(_CYCLES)))
        ]
        allocs, frees = (image.field("memRecordCycle", name).offset for name in ("allocs", "frees"))
        self._pairs = [((start + allocs) // _WORD, (start + frees) // _WORD) for start in starts]
        self._record = image.sizeof("memRecord")
        self._places: list[_Place] = []
        self._known: set[int] = set()
        self._stacks: dict[tuple[int, ...], tuple[int, ...]] = {}  # sizes of one stack share it
        self._is_cut = False

    def read(self) -> Buckets:
        """Return all buckets; read again while a collection publishes others. Raises `TargetError`: it ended."""
        before = self._cycle()
        for attempt in range(_ATTEMPTS):
            self._follow()
            counts = self._counts()
            after = self._cycle()
            if after == before or attempt == _ATTEMPTS - 1:
                break
            before = after
        published = _published(counts, after).tolist()
        found = tuple(
            Bucket(place.pcs, place.object_bytes, allocs, frees)
            for place, (allocs, frees) in zip(self._places, published, strict=True)
        )
        return Buckets(found, after != before, self._is_cut)

    def _cycle(self) -> int | None:
        """Return mProfCycle's value, None where its address is not known."""
        name = "runtime.mProfCycle"
        return self._image.number(name) if self._image.has(name) else None

    def _follow(self) -> None:
        """Follow the list to the first bucket that is known; ends at what is no bucket, and where it leads back."""
        blocks = _Blocks(self._image.memory)
        added: list[_Place] = []
        address, first = self._image.number("runtime.mbuckets"), self._head // _WORD
        while address and address not in self._known:
            if len(self._places) + len(added) >= MOST_BUCKETS:
                self._is_cut = True
                break
            head = blocks.words(address, self._head) if not address % _WORD else None
            if head is None or head[self._depth] > _MOST_FRAMES:
                break
            words = blocks.words(address, self._head + head[self._depth] * _WORD)
            if words is None:
                break
            pcs = tuple(words[first:])
            record = address + self._head + len(pcs) * _WORD
            added.append(_Place(self._stacks.setdefault(pcs, pcs), head[self._size], record))
            self._known.add(address)
            address = head[self._next]
        self._places = added + self._places

    def _counts(self) -> NDArray[np.int64]:
        """Return allocations and frees, shape (buckets, cycles, 2): published ones first; 0 for what is gone."""
        records = np.array([place.record for place in self._places], np.int64)
        counts = np.zeros((len(records), 1 + _CYCLES, 2), np.int64)
        order = np.argsort(records)
        for first in range(0, len(order), _MOST_AT_ONCE):
            part = order[first : first + _MOST_AT_ONCE]
            words = self._image.memory.read_records(records[part], self._record)[0].view(np.int64)
            for cycle, (allocs, frees) in enumerate(self._pairs):
                counts[part, cycle, 0], counts[part, cycle, 1] = words[:, allocs], words[:, frees]
        return counts


class _Place(NamedTuple):
    """What never changes of a bucket, and where its counts are."""

    pcs: tuple[int, ...]
    object_bytes: int
    record: int


def _published(counts: NDArray[np.int64], cycle: int | None) -> NDArray[np.int64]:
    """Add up the cycles that count. A cycle that is not known was flushed soon after it began: only a few miss it."""
    added = [0] if cycle is None else [0, 1 + (cycle >> 1) % _CYCLES]
    total: NDArray[np.int64] = counts[:, added].sum(axis=1)
    if not total.any() and not counts[:, added].any():
        total = counts.sum(axis=1)
    return total


class _Blocks:
    """Memory in blocks: buckets stand close together (persistentalloc), so one read brings dozens of them."""

    def __init__(self, memory: ProcessMemory) -> None:
        self._memory = memory
        self._known: dict[int, bytes | None] = {}

    def words(self, address: int, size: int) -> memoryview | None:
        """Return `size` bytes as words; None when they cannot be read."""
        start = address - address % _BLOCK_BYTES
        block = self._block(start)
        if block is not None and address + size <= start + _BLOCK_BYTES:
            return memoryview(block)[address - start : address - start + size].cast("Q")
        try:
            return memoryview(self._memory.read(address, size)).cast("Q")
        except UnreadableAddressError:
            return None

    def _block(self, start: int) -> bytes | None:
        if start not in self._known:
            if len(self._known) >= _MOST_BLOCKS:
                self._known.clear()
            self._known[start] = self._memory.read_many([(start, _BLOCK_BYTES)])[0]
        return self._known[start]
