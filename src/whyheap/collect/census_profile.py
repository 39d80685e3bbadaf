"""The heap profile that a Go process keeps in its memory (runtime.mbuckets), as /debug/pprof/heap would write it.

Read in src/runtime/mprof.go and src/runtime/pprof/{protomem,proto}.go of Go 1.22.10 to 1.27.3:

| what | where |
|---|---|
| mbuckets: a list by allnext; behind each bucket nstk return addresses, then a memRecord | newBucket, stk, mp |
| published are the active counts and those of the current cycle, which a flush adds to them | memProfileInternal |
| before the first collection all cycles count | memProfileInternal, "clear" |
| mProfCycle: the cycle from bit 1 on, modulo 3 | mProfCycleHolder |
| counts are scaled by the chance of a sample | scaleHeapSample |
| leading frames of the runtime are left out, unless there are no others | writeHeapProto |
| one location holds the inlined frames of one call | appendLocsForStack |
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.host.process_files import program_mapping
from whyheap.model.profile import HeapProfile, Mapping
from whyheap.model.site import Stack
from whyheap.parse.machine_code.build_marks import build_ids
from whyheap.parse.pprof_writer import write_pprof

MOST_BUCKETS = 1 << 20
_MOST_FRAMES = 1024
_AHEAD_FRAMES = 32
_WORD = 8
_CYCLES = 3
_RUNTIME = ("runtime.", "internal/runtime/")
_BEGIN = "runtime.goexit"
_VALUES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stack and object size with its counts, not scaled. `pcs` are return addresses, leaf first."""

    pcs: tuple[int, ...]
    object_bytes: int
    allocs: int
    frees: int


def sampling_rate(image: RuntimeImage) -> int:
    """Return runtime.MemProfileRate: bytes per sample; 0 where the program keeps no profile."""
    return image.number("runtime.MemProfileRate") if image.has("runtime.MemProfileRate") else 0


def read_heap_profile(image: RuntimeImage) -> bytes | None:
    """Return the profile as gzipped pprof; None when the program samples nothing. Raises `TargetError`: it ended."""
    rate = sampling_rate(image)
    if rate <= 0 or not image.has("runtime.mbuckets"):
        return None
    buckets = read_buckets(image)
    return write_pprof(_profile(image, buckets, rate))


def read_buckets(image: RuntimeImage) -> list[Bucket]:
    """Return all buckets in the runtime's order, with the counts that a profile of this moment would publish."""
    cycle = (image.number("runtime.mProfCycle") >> 1) % _CYCLES if image.has("runtime.mProfCycle") else 0
    raw = list(_raw_buckets(image))
    clear = not any(counts[0] != (0, 0) for _, _, counts in raw)
    added = range(1, 1 + _CYCLES) if clear else (1 + cycle,)
    return [
        Bucket(pcs, size, *(sum(counts[index][column] for index in (0, *added)) for column in (0, 1)))
        for pcs, size, counts in raw
    ]


@dataclass(frozen=True, slots=True)
class _RecordLayout:
    """Where a memRecord has its pairs of counts, in words: of the active profile, then of the three cycles to come."""

    words: int
    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, image: RuntimeImage) -> _RecordLayout:
        starts = [
            image.field("memRecord", name).offset for name in ("active", *(f"future[{i}]" for i in range(_CYCLES)))
        ]
        allocs, frees = (image.field("memRecordCycle", name).offset for name in ("allocs", "frees"))
        pairs = tuple(((start + allocs) // _WORD, (start + frees) // _WORD) for start in starts)
        return cls(image.sizeof("memRecord") // _WORD, pairs)


def _raw_buckets(image: RuntimeImage) -> Iterator[tuple[tuple[int, ...], int, list[tuple[int, int]]]]:
    """Yield the return addresses, object size and pairs of counts of each bucket; ends at what is no bucket."""
    memory, layout = image.memory, _RecordLayout.of(image)
    head = image.sizeof("bucket")
    next_at, size_at, count_at = (image.field("bucket", name).offset for name in ("allnext", "size", "nstk"))
    address, seen = image.number("runtime.mbuckets"), 0
    while address and seen < MOST_BUCKETS:
        seen += 1
        data = memory.read_many([(address, head + (_AHEAD_FRAMES + layout.words) * _WORD)])[0]
        if data is None:
            data = memory.read(address, head)
        words = memoryview(data[: len(data) // _WORD * _WORD]).cast("Q")
        frames = words[count_at // _WORD]
        if frames > _MOST_FRAMES:
            return
        whole = head + (frames + layout.words) * _WORD
        if whole > len(data):
            words = memoryview(memory.read(address, whole)).cast("Q")
        first = head // _WORD
        record = first + frames
        counts = [(words[record + allocs], words[record + frees]) for allocs, frees in layout.pairs]
        yield tuple(words[first:record]), words[size_at // _WORD], counts
        address = words[next_at // _WORD]


def scaled(count: int, object_bytes: int, rate: int) -> tuple[int, int]:
    """Return objects and bytes that a count of samples stands for, as runtime/pprof scales them."""
    if not count or not object_bytes:
        return 0, 0
    if rate <= 1:
        return count, count * object_bytes
    scale = 1 / (1 - math.exp(-object_bytes / rate))
    return int(count * scale), int(count * object_bytes * scale)


class _Locations:
    """Locations and functions of a profile while it is built: each once."""

    def __init__(self, image: RuntimeImage, pcs: set[int]) -> None:
        ordered = sorted(pcs)
        frames = image.functions.stacks([pc - 1 for pc in ordered])  # a return address: the call stands before it
        self._stacks: dict[int, Stack] = dict(zip(ordered, frames, strict=True))
        self._known: dict[tuple[int, int], int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self.addresses: list[int] = []
        self.line_offsets = [0]
        self.line_functions: list[int] = []
        self.line_numbers: list[int] = []

    def of(self, pcs: tuple[int, ...]) -> list[int]:
        """Return the locations of a stack; neighbours that are frames of one call become one."""
        found, at = [], 0
        shown = self._shown(pcs)
        while at < len(shown):
            stack = self._stacks.get(shown[at], ())
            depth = 1
            while (
                depth < len(stack)
                and at + depth < len(shown)
                and self._stacks.get(shown[at + depth], ()) == stack[depth:]
            ):
                depth += 1
            found.append(self._location(shown[at], depth, stack))
            at += depth
        return found

    def _shown(self, pcs: tuple[int, ...]) -> tuple[int, ...]:
        """Leave out the runtime's frames at the leaf, unless all are, and what every goroutine begins with."""
        if pcs and any(site.symbol == _BEGIN for site in self._stacks.get(pcs[-1], ())):
            pcs = pcs[:-1]
        for index, pc in enumerate(pcs):
            stack = self._stacks.get(pc, ())
            if not stack or not stack[0].symbol.startswith(_RUNTIME):
                return pcs[index:]
        return pcs

    def _location(self, pc: int, depth: int, stack: Stack) -> int:
        number = self._known.get((pc, depth))
        if number is None:
            number = self._known[pc, depth] = len(self.addresses)
            self.addresses.append(pc - 1)
            for site in stack[:depth]:
                name = (site.symbol, site.file)
                self.line_functions.append(self._functions.setdefault(name, len(self._functions)))
                self.line_numbers.append(site.line)
            self.line_offsets.append(len(self.line_functions))
        return number

    @property
    def functions(self) -> list[tuple[str, str]]:
        """Symbol and file of each function."""
        return list(self._functions)


def _profile(image: RuntimeImage, buckets: list[Bucket], rate: int) -> HeapProfile:
    locations = _Locations(image, {pc for bucket in buckets for pc in bucket.pcs})
    values: dict[str, list[int]] = {name: [] for name in _VALUES}
    offsets, stack_locations = [0], []
    for bucket in buckets:
        alloc = scaled(bucket.allocs, bucket.object_bytes, rate)
        inuse = scaled(bucket.allocs - bucket.frees, bucket.object_bytes, rate)
        for name, value in zip(_VALUES, (*alloc, *inuse), strict=True):
            values[name].append(value)
        stack_locations += locations.of(bucket.pcs)
        offsets.append(len(stack_locations))
    functions = locations.functions
    return HeapProfile(
        values=dict(values),
        object_bytes=[bucket.object_bytes for bucket in buckets],
        stack_offsets=offsets,
        stack_locations=stack_locations,
        addresses=locations.addresses,
        line_offsets=locations.line_offsets,
        line_functions=locations.line_functions,
        line_numbers=locations.line_numbers,
        function_names=[name for name, _ in functions],
        function_files=[file for _, file in functions],
        function_start_lines=[0] * len(functions),
        mappings=_mappings(image),
        period=rate,
        time_nanos=time.time_ns(),
    )


def _mappings(image: RuntimeImage) -> tuple[Mapping, ...]:
    found = program_mapping(image.memory.pid)
    if found is None:
        return ()
    start, end, offset, path = found
    return (Mapping(start, end, offset, path, build_ids(image.program.image)[1]),)
