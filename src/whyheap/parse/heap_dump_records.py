"""The records of a heap dump: one pass that remembers where things stand in the file."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from mmap import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError
from whyheap.model.heap_dump import AllocationPlace

Bytes = bytes | mmap

HEADER: Final = b"go1.7 heap dump\n"
MOST_OBJECTS: Final = 20_000_000
_DEEPEST: Final = 1024  # frames of a stack in a memory profile (runtime/mprof.go, go1.27)
_MOST_RECORDS: Final = 2_000_000
"""Of all other kinds together."""
_CONTINUES: Final = 0x80
"""The bit of a varint's byte that says that more follow."""
_VARINT: Final = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_OBJECT: Final = re.compile(rb"\x01(" + _VARINT + rb")(" + _VARINT + rb")")
_FIELDS: Final = re.compile(rb"(?:\x01" + _VARINT + rb")*+\x00")
_STATISTICS: Final = 24 + 256 + 1
"""Numbers of runtime.MemStats that are written, 256 of them pauses."""
_OBJECT_TAG: Final = 1


@dataclass(slots=True)
class Stretch:
    """Memory with pointers in it: where in the file its content begins, its size, where its fields begin and end."""

    content: int
    size: int
    fields: int
    after: int


@dataclass(slots=True)
class RawFrame:
    """One frame: where it begins on the stack, and its memory."""

    function: str
    sp: int
    memory: Stretch


@dataclass(slots=True)
class RawGoroutine:
    """One goroutine, with addresses; `pointers` are those of its defers and panics, and a closure's context."""

    number: int
    address: int
    sp: int
    waits_for: str
    is_system: bool
    frames: list[RawFrame] = field(default_factory=list)
    pointers: list[int] = field(default_factory=list)


class Records:
    """What the file holds.

    Of object i, the address begins at byte `names[i]`, the content of `lengths[i]` bytes at `contents[i]`, and the list
    of its fields, right behind, ends at `afters[i]`.
    """

    def __init__(self, data: Bytes) -> None:
        """Begin behind the header."""
        self.data = data
        self.at = len(HEADER)
        self.octets: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
        self.names = array("q")  # where an object's address stands
        self.contents = array("q")
        self.lengths = array("q")
        self.afters = array("q")
        self.segments: list[tuple[str, Stretch]] = []
        self.goroutines: list[RawGoroutine] = []
        self.by_address: dict[int, RawGoroutine] = {}
        self.pointers: list[tuple[str, int]] = []
        self.stacks: dict[int, tuple[AllocationPlace, ...]] = {}
        self.samples: dict[int, int] = {}
        self.word = np.dtype("<u8")
        self.go = self.architecture = ""

    def read(self) -> None:
        """Read all records. Raises FormatError, or ValueError or IndexError where they make no sense; see `at`."""
        readers: dict[int, Callable[[], object]] = {
            1: self._objects,
            2: lambda: self.pointers.append((self._text(), self._int())),
            3: lambda: (self._ints(2), self._text(), self._int()),  # type
            4: self._goroutine,
            5: self._frame,
            6: self._parameters,
            7: self._finalizer,
            8: lambda: self._ints(2),  # itab
            9: lambda: self._ints(3),  # OS thread
            10: lambda: self._ints(_STATISTICS),
            11: self._queued_finalizer,
            12: lambda: self._segment("data"),
            13: lambda: self._segment("bss"),
            14: self._defer,
            15: self._panic,
            16: self._bucket,
            17: self._sample,
        }
        for _ in range(_MOST_RECORDS):
            begin = self.at
            tag = self._int()
            if not tag:
                return
            reader = readers.get(tag)
            if reader is None:
                raise FormatError(f"the heap dump has a record of unknown kind {tag} at byte {begin:,}")
            reader()
        raise FormatError(f"the heap dump has more than {_MOST_RECORDS:,} records that are no objects")

    def _int(self) -> int:
        value = shift = 0
        while True:
            octet = self.data[self.at]
            self.at += 1
            value |= (octet & 0x7F) << shift
            if octet < _CONTINUES:
                if value >> 64:
                    raise ValueError("more than 64 bits")
                return value
            shift += 7
            if shift > 63:  # noqa: PLR2004 - ten bytes are the most
                raise ValueError("a number without an end")

    def _ints(self, count: int) -> list[int]:
        return [self._int() for _ in range(count)]

    def _skip(self, size: int) -> int:
        begin = self.at
        if size > len(self.data) - begin:
            raise ValueError("beyond the end")
        self.at = begin + size
        return begin

    def _text(self) -> str:
        size = self._int()
        begin = self._skip(size)
        return self.data[begin : begin + size].decode("utf-8", "replace")

    def _memory(self) -> Stretch:
        size = self._int()
        return Stretch(self._skip(size), size, 0, 0)

    def _fields(self, memory: Stretch) -> Stretch:
        found = _FIELDS.match(self.data, self.at)
        if found is None:
            raise ValueError("no fields")
        memory.fields, memory.after = self.at, found.end()
        self.at = found.end()
        return memory

    def _finalizer(self) -> None:
        """Keep what is to run; what the object refers to goes with the object."""
        _, function, *_ = self._ints(5)
        self.pointers.append(("finalizer", function))

    def _queued_finalizer(self) -> None:
        object_, function, *_ = self._ints(5)
        self.pointers += [("finalizer", function), ("finalizer", object_)]

    def _segment(self, name: str) -> None:
        self._int()
        self.segments.append((name, self._fields(self._memory())))

    def _defer(self) -> None:
        record, g, *_ = self._ints(7)
        self._of(g, record)

    def _panic(self) -> None:
        record, g, _, argument, *_ = self._ints(6)
        self._of(g, record, argument)

    def _sample(self) -> None:
        object_, bucket = self._ints(2)
        self.samples[object_] = bucket

    def _objects(self) -> None:
        """Read all objects up to the next other record; the tag of the first one is read."""
        data, end = self.data, len(self.data)
        object_match, fields_match = _OBJECT.match, _FIELDS.match
        sizes: dict[bytes, int] = {}
        name, content, length, after = (
            self.names.append,
            self.contents.append,
            self.lengths.append,
            self.afters.append,
        )
        at = self.at - 1
        for _ in range(MOST_OBJECTS + 1 - len(self.names)):
            if data[at] != _OBJECT_TAG:
                break
            self.at = at
            found = object_match(data, at)
            if found is None:
                raise ValueError("no object")
            raw = found[2]
            size = sizes.get(raw)
            if size is None:
                self.at = found.start(2)
                size = sizes[raw] = self._int()
            begin = found.end()
            if size > end - begin:
                raise ValueError("beyond the end")
            fields = fields_match(data, begin + size)
            if fields is None:
                raise ValueError("no fields")
            name(at + 1)
            content(begin)
            length(size)
            at = fields.end()
            after(at)
        self.at = at
        if len(self.names) > MOST_OBJECTS:
            raise FormatError(f"the heap dump has more than {MOST_OBJECTS:,} objects")

    def _parameters(self) -> None:
        is_big, width = self._ints(2)
        if width not in (4, 8):
            raise ValueError("no width of a pointer")
        self.word = np.dtype(f"{'>' if is_big else '<'}u{width}")
        self._ints(2)
        self.architecture, self.go = self._text(), self._text()
        self._int()

    def _goroutine(self) -> None:
        address, sp, number, _, _, is_system, _, _ = self._ints(8)
        waits_for = self._text()
        context, _, record, panic = self._ints(4)
        one = RawGoroutine(number, address, sp, waits_for, bool(is_system), pointers=[context, record, panic])
        self.goroutines.append(one)
        self.by_address[address] = one

    def _frame(self) -> None:
        sp, _, _ = self._ints(3)
        memory = self._memory()
        self._ints(3)
        name = self._text()
        self._fields(memory)
        if not self.goroutines:
            raise ValueError("a frame without a goroutine")
        self.goroutines[-1].frames.append(RawFrame(name, sp, memory))

    def _of(self, g: int, *pointers: int) -> None:
        if g in self.by_address:
            self.by_address[g].pointers += pointers

    def _bucket(self) -> None:
        bucket, _, depth = self._ints(3)
        if depth > _DEEPEST:
            raise ValueError("no stack")
        places = []
        for _ in range(depth):
            function, file = self._text(), self._text()
            places.append(AllocationPlace(function, file, self._int()))
        self._ints(2)
        self.stacks[bucket] = tuple(places)
