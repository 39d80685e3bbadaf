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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.host.process_memory import ProcessMemory, UnreadableAddressError

MOST_BUCKETS = 1 << 17
_MOST_FRAMES = 1024  # maxProfStackDepth
_LARGEST_RATE = 1 << 62
_ATTEMPTS = 4
_WORD = 8
_CYCLES = 3
_BLOCK_BYTES = 1 << 14
_MOST_BLOCKS = 256


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
    """Return runtime.MemProfileRate: bytes per sample; 0 where the program keeps no profile."""
    rate = image.number("runtime.MemProfileRate") if image.has("runtime.MemProfileRate") else 0
    return rate if rate < _LARGEST_RATE else 0


def read_buckets(image: RuntimeImage) -> Buckets:
    """Return all buckets; read again while a collection publishes others. Raises `TargetError`: it ended."""
    reader = _Reader(image)
    before = _cycle(image)
    for attempt in range(_ATTEMPTS):
        raw = list(reader.read())
        after = _cycle(image)
        if after == before or attempt == _ATTEMPTS - 1:
            break
        before = after
    return Buckets(tuple(_published(raw, after)), after != before, reader.is_cut)


def _cycle(image: RuntimeImage) -> int | None:
    """Return mProfCycle's value, None where its address is not known."""
    return image.number("runtime.mProfCycle") if image.has("runtime.mProfCycle") else None


class _Raw(NamedTuple):
    """A bucket as it stands in memory: counts of allocations and frees, published ones first, then by cycle."""

    pcs: tuple[int, ...]
    object_bytes: int
    counts: tuple[tuple[int, int], ...]


def _published(raw: list[_Raw], cycle: int | None) -> Iterator[Bucket]:
    """Add up the cycles that count. A cycle that is not known was flushed soon after it began: only a few miss it."""
    added: tuple[int, ...] = (0,) if cycle is None else (0, 1 + (cycle >> 1) % _CYCLES)
    if not any(bucket.counts[index] != (0, 0) for bucket in raw for index in added):
        added = tuple(range(1 + _CYCLES))
    for bucket in raw:
        allocs, frees = (sum(bucket.counts[index][column] for index in added) for column in (0, 1))
        yield Bucket(bucket.pcs, bucket.object_bytes, allocs, frees)


class _Reader:
    """Follows the list of buckets; ends at what is no bucket, and where it leads back."""

    def __init__(self, image: RuntimeImage) -> None:
        self._image = image
        self._head = image.sizeof("bucket")
        self._next, self._size, self._depth = (
            image.field("bucket", name).offset // _WORD for name in ("allnext", "size", "nstk")
        )
        starts = [
            image.field("memRecord", name).offset for name in ("active", *(f"future[{i}]" for i in range(_CYCLES)))
        ]
        allocs, frees = (image.field("memRecordCycle", name).offset for name in ("allocs", "frees"))
        self._pairs = tuple(((start + allocs) // _WORD, (start + frees) // _WORD) for start in starts)
        self._record = image.sizeof("memRecord")
        self.is_cut = False

    def read(self) -> Iterator[_Raw]:
        """Yield each bucket."""
        blocks = _Blocks(self._image.memory)
        stacks: dict[tuple[int, ...], tuple[int, ...]] = {}  # sizes of one stack share it
        address, first = self._image.number("runtime.mbuckets"), self._head // _WORD
        for _ in range(MOST_BUCKETS):
            if not address or address % _WORD:
                return
            head = blocks.words(address, self._head)
            if head is None or head[self._depth] > _MOST_FRAMES:
                return
            frames = head[self._depth]
            words = blocks.words(address, self._head + frames * _WORD + self._record)
            if words is None:
                return
            pcs = tuple(words[first : first + frames])
            record = words[first + frames :]
            counts = tuple((record[allocs], record[frees]) for allocs, frees in self._pairs)
            yield _Raw(stacks.setdefault(pcs, pcs), head[self._size], counts)
            address = head[self._next]
        self.is_cut = bool(address)


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
