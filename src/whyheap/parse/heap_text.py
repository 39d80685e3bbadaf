"""The legacy text heap profile, `/debug/pprof/heap?debug=1`: samples, their symbols as comments, and MemStats.

Source: runtime/pprof/pprof.go, writeHeapInternal and printStackRecord; scaling as in google/pprof's
profile/legacy_profile.go, parseHeap and scaleHeapSample.
"""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass
from itertools import groupby

from whyheap.errors import FormatError
from whyheap.model.profile import HeapProfile
from whyheap.parse.finite import finite_number
from whyheap.parse.frame_line import MAX_LINE_CHARACTERS, cut_frame
from whyheap.parse.pause_ends import earlier_gcs

_HEADER = re.compile(r"heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\] *@ *(heap[_a-z0-9]*)/?(\d*)")
_SAMPLE = re.compile(r"(-?\d+): *(-?\d+) *\[ *(\d+): *(\d+) *\] *@((?: +0x[0-9a-f]+)*) *$")
_MEMSTATS_START = "# runtime.MemStats"
_MEMSTAT = re.compile(r"# (\w+) = ([0-9.eE+-]+)(?: / (\d+))?\s*$", re.MULTILINE)
_PAUSE_ENDS = re.compile(r"# PauseEnd = \[([0-9 ]*)\]")
# MemStats prints some pairs as "# Stack = inuse / sys".
_PAIRS = {"Stack", "MSpan", "MCache"}
_LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class _Frame:
    """One printed line of a stack; `entry` is where the machine code begins that the frame, if inlined, is part of."""

    address: int
    entry: int
    function: str
    file: str
    line: int


def parse_heap_text(data: bytes) -> HeapProfile:
    """Decode a legacy text profile; stacks have the frames that the text names, else bare addresses.

    The runtime leaves out frames of its own at the leaf; so do we.

    Raises:
        FormatError: the text is no heap profile, or damaged.
    """
    lines = data.decode("utf-8", "replace").splitlines()
    header = _HEADER.match(lines[0]) if lines else None
    if header is None:
        raise FormatError('it is not a text heap profile: its first line does not begin with "heap profile:"')
    builder = _Builder(_period(header[5], header[6]))
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("#"):
            if line.startswith(_MEMSTATS_START):
                break
            printed = cut_frame(line)
            if printed is not None:
                builder.add_frame(_frame(*printed))
        elif line.strip():
            if line.startswith(("MAPPED_LIBRARIES:", "--- Memory map:")):
                break
            sample = _SAMPLE.match(line.strip()) if len(line) <= MAX_LINE_CHARACTERS else None
            if sample is None:
                raise FormatError(f"the text profile is damaged in line {number}")
            builder.start_sample([_count(sample[index]) for index in range(1, 5)], sample[5].split())
    return builder.profile()


def parse_memstats(text: str) -> dict[str, float]:
    """Return the numbers below "# runtime.MemStats", by field name of runtime.MemStats; bytes unless named otherwise.

    "# Stack = a / b" gives StackInuse and StackSys. MaxRSS is there on some systems; what is not finite is left out.
    Empty if there is no such part. Two names are of our own making: `earlier_gcs`.
    """
    _, found, trailer = text.partition(_MEMSTATS_START)
    if not found:
        return {}
    stats: dict[str, float] = {}
    for match in _MEMSTAT.finditer(trailer):
        name, first, second = match.groups()
        paired = name in _PAIRS and second is not None
        numbers = {f"{name}Inuse": first, f"{name}Sys": second} if paired else {name: first}
        for key, number in numbers.items():
            value = finite_number(number)
            if value is not None:
                stats[key] = value
    ends = _PAUSE_ENDS.search(trailer)
    stats |= earlier_gcs([finite_number(end) for end in ends[1].split()] if ends else [], stats.get("NumGC", 0.0))
    return stats


class _Builder:
    """Interns what the text repeats for every sample."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._values: dict[str, array[int]] = {
            name: array("q") for name in ("inuse_objects", "inuse_space", "alloc_objects", "alloc_space")
        }
        self._object_bytes = array("q")
        self._offsets = array("q", (0,))
        self._stack_locations = array("q")
        self._locations: dict[tuple[_Frame, ...], int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self._frames: list[_Frame] = []
        self._bare: list[int] = []
        self._open = False

    def start_sample(self, numbers: list[int], addresses: list[str]) -> None:
        """Take the counts of a sample; its frames follow."""
        self._end_sample()
        self._open = True
        self._bare = [_address(text) for text in addresses]
        objects, size = (numbers[2], numbers[3]) if numbers[2] else (numbers[0], numbers[1])
        self._object_bytes.append(size // objects if objects else 0)
        for start, kind in ((0, "inuse"), (2, "alloc")):
            scaled = _scale(numbers[start], numbers[start + 1], self._period)
            self._values[f"{kind}_objects"].append(scaled[0])
            self._values[f"{kind}_space"].append(scaled[1])

    def add_frame(self, frame: _Frame) -> None:
        """Take a symbolised line of the sample above."""
        if self._open:
            self._frames.append(frame)

    def profile(self) -> HeapProfile:
        """Return all samples as columns."""
        self._end_sample()
        addresses, line_offsets = array("Q"), array("q", (0,))
        line_functions, line_numbers = array("q"), array("q")
        for frames in self._locations:
            addresses.append(frames[0].address)
            for frame in frames:
                if frame.function:
                    key = (frame.function, frame.file)
                    line_functions.append(self._functions.setdefault(key, len(self._functions)))
                    line_numbers.append(frame.line)
            line_offsets.append(len(line_functions))
        return HeapProfile(
            values=dict(self._values),
            object_bytes=self._object_bytes,
            stack_offsets=self._offsets,
            stack_locations=self._stack_locations,
            addresses=addresses,
            line_offsets=line_offsets,
            line_functions=line_functions,
            line_numbers=line_numbers,
            function_names=[name for name, _ in self._functions],
            function_files=[file for _, file in self._functions],
            function_start_lines=array("q", bytes(8 * len(self._functions))),
            period=self._period,
        )

    def _end_sample(self) -> None:
        if not self._open:
            return
        frames = self._frames or [_Frame(address, 0, "", "", 0) for address in self._bare]
        for location in _by_machine_frame(frames):
            self._stack_locations.append(self._locations.setdefault(location, len(self._locations)))
        self._offsets.append(len(self._stack_locations))
        self._frames, self._open = [], False


def _frame(address: int, function: str, offset: int, file: str, line: int) -> _Frame:
    return _Frame(address, address - offset if function else 0, function, file, line)


def _by_machine_frame(frames: list[_Frame]) -> list[tuple[_Frame, ...]]:
    """Group frames that are one in machine code: the last of a group is the function that the others are inlined into.

    Inlined frames tell the entry of that function. Recursion repeats an entry too, but then also the function's name.
    """
    groups: list[tuple[_Frame, ...]] = []
    for entry, run in groupby(frames, key=lambda frame: frame.entry):
        same_entry = list(run)
        group: list[_Frame] = []
        for frame in same_entry:
            group.append(frame)
            if not entry or frame.function == same_entry[-1].function:
                groups.append(tuple(group))
                group = []
    return groups


def _period(kind: str, rate: str) -> int:
    """Return the mean bytes between samples: Go prints twice the rate after "heap/"."""
    period = _count(rate or "0")
    if kind == "heap":
        return period // 2
    return period if kind in ("heap_v2", "heapz_v2") else 1


def _scale(objects: int, size: int, period: int) -> tuple[int, int]:
    """Estimate what there is from what was sampled; an object of size s is with probability 1-exp(-s/period)."""
    if objects == 0 or size == 0:
        return 0, 0
    if period <= 1:
        return objects, size
    if (size < 0) != (objects < 0):
        raise FormatError("the text profile is damaged: a sample has a negative size")
    share = -math.expm1(-(size / objects) / period)
    return _bounded(int(objects / share)), _bounded(int(size / share))


def _count(text: str) -> int:
    """Read a decimal number that must fit into int64."""
    if len(text) > len(str(_LARGEST)) or not -_LARGEST <= int(text) <= _LARGEST:
        raise FormatError("the text profile is damaged: a number does not fit into 64 bits")
    return int(text)


def _bounded(value: int) -> int:
    return max(-_LARGEST, min(value, _LARGEST))


def _address(text: str) -> int:
    if len(text) > len("0x") + 16:
        raise FormatError("the text profile is damaged: an address does not fit into 64 bits")
    return int(text, 16)
