"""The heap profile that a Go process keeps in its memory, as /debug/pprof/heap would write it at the same moment.

Read in src/runtime/pprof/{protomem,proto}.go of Go 1.22.10 to 1.27.3:

| what | where |
|---|---|
| counts are scaled by the chance of a sample | scaleHeapSample |
| leading frames of the runtime are left out, unless there are no others | writeHeapProto |
| until 1.26 a bucket without an allocation has no size | writeHeapProto, blockSize |
| one location holds the inlined frames of one call, and is known by its first address | appendLocsForStack |
| what a stack was cut off within is made whole | runtime_expandFinalInlineFrame |
| mappings are those of code | parseProcSelfMaps |
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from whyheap.collect.call_frames import CallFrames, without_wrappers
from whyheap.collect.census_buckets import Bucket, BucketReader, Buckets, sampling_rate
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.host.process_files import code_mappings, program_path
from whyheap.model.profile import HeapProfile, Mapping
from whyheap.parse.machine_code.build_marks import build_ids
from whyheap.parse.machine_code.traceback_frames import PrintedFrame
from whyheap.parse.pprof_writer import write_pprof

_RUNTIME = ("runtime.", "internal/runtime/")  # the second one since 1.24: before, nothing there allocates
_BEGIN = "runtime.goexit"
_VALUES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
_LARGEST = (1 << 63) - 1
_NO_FRAME = PrintedFrame("", "", 0, 0, is_wrapper=False, place=0)


class ReadProfile(NamedTuple):
    """A profile as gzipped pprof, and what was read of the process for it."""

    data: bytes
    buckets: Buckets


class HeapProfiler:
    """Reads the heap profile of one process; what is known of it is kept from one profile to the next."""

    def __init__(self, image: RuntimeImage, calls: CallFrames) -> None:
        """Spell with `calls`. Nothing is read yet."""
        self._image = image
        self._locations = Locations(calls)
        self._buckets: BucketReader | None = None

    def read(self) -> ReadProfile | None:
        """Return the profile; None when the program samples nothing.

        Raises `TargetError` when it has ended, `LayoutError` when its Go keeps the profile in a way not known here.
        """
        rate = sampling_rate(self._image)
        if rate <= 0:
            return None
        if self._buckets is None:
            self._buckets = BucketReader(self._image)
        buckets = self._buckets.read()
        return ReadProfile(write_pprof(_profile(self._image, self._locations, buckets.found, rate)), buckets)


def scaled(count: int, object_bytes: int, rate: int) -> tuple[int, int]:
    """Return objects and bytes that a count of samples stands for, as runtime/pprof scales them."""
    if not count or not object_bytes:
        return 0, 0
    chance = 1 - math.exp(-object_bytes / rate) if rate > 1 else 1.0
    if chance <= 0 or rate <= 1:
        return _bounded(count), _bounded(count * object_bytes)
    scale = 1 / chance
    return _bounded(int(count * scale)), _bounded(int(count * object_bytes * scale))


def _bounded(value: int) -> int:
    return max(-_LARGEST, min(value, _LARGEST))


class _Line(NamedTuple):
    """One entry of a stack: a return address with its innermost frame."""

    pc: int
    entry: int
    frame: PrintedFrame
    is_inlined: bool


class Locations:
    """Locations and functions of a profile while it is built, each once."""

    def __init__(self, calls: CallFrames) -> None:
        """Spell with `calls`; there are no locations yet."""
        self._calls = calls
        self._known: dict[int, tuple[int, int]] = {}  # first address: the location, and how many addresses it takes
        self._stacks: dict[tuple[int, ...], list[int]] = {}
        self.functions: dict[str, tuple[int, PrintedFrame]] = {}
        self.addresses: list[int] = []
        self.line_offsets = [0]
        self.line_functions: list[int] = []
        self.line_numbers: list[int] = []

    def of(self, pcs: tuple[int, ...]) -> list[int]:
        """Return the locations of a stack of return addresses."""
        found = self._stacks.get(pcs)
        if found is None:
            found = self._stacks[pcs] = self._located(pcs[self._leaf(pcs) :]) or self._located(pcs)
        return found

    def learn(self, buckets: tuple[Bucket, ...]) -> None:
        """Decode what is new in these, all together."""
        pcs = {pc for bucket in buckets if bucket.pcs not in self._stacks for pc in bucket.pcs}
        self._calls.learn(pcs)
        self._calls.learn_places(pcs)

    def _leaf(self, pcs: tuple[int, ...]) -> int:
        """Return how many frames of the runtime the stack begins with, 0 when it has no others.

        The runtime names the function at the return address here, not at the call before it (FuncForPC).
        """
        for index, pc in enumerate(pcs):
            names = self._calls.at(pc)
            if not names or not names[0].symbol.startswith(_RUNTIME):
                return index
        return 0

    def _lines(self, pcs: tuple[int, ...]) -> list[_Line]:
        """Return the entries of a stack; the last one with the calls that it is inlined through."""
        found = []
        for pc in pcs:
            frames = self._calls.of(pc)
            frame = frames[0] if frames else _NO_FRAME
            found.append(_Line(pc, self._calls.call(pc).entry, frame, len(frames) > 1))
        if found and found[-1].is_inlined:
            last = found.pop()
            whole = self._calls.of(last.pc)
            for frame in without_wrappers(whole):
                pc = self._calls.base + frame.place + 1
                found.append(_Line(pc, last.entry, frame, frame is not whole[-1]))
        return found

    def _located(self, pcs: tuple[int, ...]) -> list[int]:
        """Cut a stack into locations (proto.go appendLocsForStack); `deck`: what may be inlined in what follows."""
        stack = self._lines(pcs)
        found: list[int] = []
        deck: list[_Line] = []
        at = 0
        while at < len(stack):
            line = stack[at]
            ends = line.frame.symbol == _BEGIN
            known = self._known.get(line.pc)
            if not ends and deck and _is_inlined_in(deck[-1], line):
                deck.append(line)
                at += 1
                continue
            if deck:
                found.append(self._add(deck))
                deck = []
                known = self._known.get(line.pc)
            if known is not None:
                found.append(known[0])
                at += known[1]
                continue
            if not ends:
                deck = [line]
            at += 1
        return [*found, self._add(deck)] if deck else found

    def _add(self, deck: list[_Line]) -> int:
        number = len(self.addresses)
        self._known[deck[0].pc] = (number, len(deck))
        self.addresses.append(self._calls.call(deck[0].pc).address)
        for line in deck:
            function, _ = self.functions.setdefault(line.frame.symbol, (len(self.functions), line.frame))
            self.line_functions.append(function)
            self.line_numbers.append(line.frame.line)
        self.line_offsets.append(len(self.line_functions))
        return number


def _is_inlined_in(callee: _Line, line: _Line) -> bool:
    """Tell whether both are frames of one call (proto.go tryAdd): functions inlined there do not call themselves."""
    return callee.is_inlined and callee.entry == line.entry >= 0 and callee.frame.symbol != line.frame.symbol


def _profile(image: RuntimeImage, locations: Locations, buckets: tuple[Bucket, ...], rate: int) -> HeapProfile:
    locations.learn(buckets)
    has_sizes_of_none = not image.has_field("memRecordCycle", "alloc_bytes")  # since 1.27
    values: dict[str, list[int]] = {name: [] for name in _VALUES}
    offsets, stack_locations = [0], []
    for bucket in buckets:
        alloc = scaled(bucket.allocs, bucket.object_bytes, rate)
        inuse = scaled(bucket.allocs - bucket.frees, bucket.object_bytes, rate)
        for name, value in zip(_VALUES, (*alloc, *inuse), strict=True):
            values[name].append(value)
        stack_locations += locations.of(bucket.pcs)
        offsets.append(len(stack_locations))
    functions = [frame for _, frame in locations.functions.values()]
    return HeapProfile(
        values=dict(values),
        object_bytes=[_bounded(one.object_bytes) if one.allocs or has_sizes_of_none else 0 for one in buckets],
        stack_offsets=offsets,
        stack_locations=stack_locations,
        addresses=locations.addresses,
        line_offsets=locations.line_offsets,
        line_functions=locations.line_functions,
        line_numbers=locations.line_numbers,
        function_names=[frame.symbol for frame in functions],
        function_files=[frame.file for frame in functions],
        function_start_lines=[frame.start_line for frame in functions],
        mappings=_mappings(image),
        period=rate,
        time_nanos=time.time_ns(),
    )


def _mappings(image: RuntimeImage) -> tuple[Mapping, ...]:
    """Return the mappings of code; the build id is only known of the program itself."""
    pid, proc = image.memory.pid, image.memory.proc
    program = program_path(pid, proc).removesuffix(" (deleted)")
    identity = build_ids(image.program.image)[1]
    return tuple(
        Mapping(start, end, offset, path, identity if path == program else "")
        for start, end, offset, path in code_mappings(pid, proc)
    )
