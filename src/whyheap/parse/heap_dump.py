"""Reads what runtime/debug.WriteHeapDump writes: all objects, what points to what, and what keeps them alive.

The format is that of runtime/heapdump.go, the same in Go 1.22 to 1.27 (header "go1.7 heap dump"). Facts that shape this:

- objects are whole slots of a span, so a pointer may lead inside one, and in spans of small objects with pointers the
  runtime's own bitmap at the end of the span is written as if it were objects; nothing points to those;
- a frame's pointer fields leave out variables whose address is taken (FUNCDATA_StackObjects): a field that points into
  the goroutine's own stack makes what stands there, up to the end of that frame, count as pointers;
- weak pointers and cleanups (Go 1.24) are not written;
- struct g begins with its stack's bounds (runtime2.go), so the size of a stack is known from the g, which is an object.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from mmap import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError
from whyheap.parse.varint_columns import OddMessageError, VarintChunk

Bytes = bytes | mmap
Addresses = NDArray[np.uint64]
Indexes = NDArray[np.int64]

HEADER: Final = b"go1.7 heap dump\n"
MOST_OBJECTS: Final = 20_000_000
_MOST_EDGES: Final = 200_000_000
_MOST_RECORDS: Final = 2_000_000
"""Of all other kinds together."""
_MOST_STACK: Final = 1 << 30
_CHUNK_BYTES: Final = 8 << 20
_VARINT: Final = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_OBJECT: Final = re.compile(rb"\x01(" + _VARINT + rb")(" + _VARINT + rb")")
_FIELDS: Final = re.compile(rb"(?:\x01" + _VARINT + rb")*+\x00")
_PAUSES: Final = 256
_INTS_OF: Final = {8: 2, 9: 3, 10: 24 + _PAUSES + 1, 15: 6}
"""Records of which nothing is used: itab, OS thread, memory statistics, panic is read apart."""
_OBJECT_TAG, _GOROUTINE, _FRAME = 1, 4, 5
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

    `objects` are what its defers, panics and the context of a closure point to. `stack_bytes` is its whole stack's size,
    0 where the g does not tell.
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
    targets: Indexes
    roots: tuple[DumpedRoot, ...]
    goroutines: tuple[DumpedGoroutine, ...]
    allocated: dict[int, tuple[AllocationPlace, ...]]

    def index_of(self, pointers: Addresses) -> Indexes:
        """Return the index of the object that each pointer leads into, -1 where none."""
        return _index_of(self.addresses, self.sizes, pointers)


def parse_heap_dump(data: Bytes) -> HeapDump:
    """Read a whole dump. Raises FormatError with the place where it stops to make sense."""
    if data[: len(HEADER)] != HEADER:
        raise FormatError("this is no heap dump of Go: it does not begin with 'go1.7 heap dump'")
    reader = _Reader(data)
    try:
        return reader.read()
    except (IndexError, ValueError, OverflowError, OddMessageError) as error:
        raise FormatError(f"the heap dump is cut or damaged at byte {reader.at}") from error


@dataclass(slots=True)
class _Stretch:
    """Memory with pointers in it: where in the file its content begins, its size, where its fields begin and end."""

    content: int
    size: int
    fields: int
    after: int


@dataclass(slots=True)
class _RawFrame:
    function: str
    sp: int
    memory: _Stretch


@dataclass(slots=True)
class _RawGoroutine:
    number: int
    address: int
    sp: int
    waits_for: str
    is_system: bool
    frames: list[_RawFrame] = field(default_factory=list)
    pointers: list[int] = field(default_factory=list)


class _Reader:
    """One pass over the file that remembers where things stand, then everything else in columns."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.at = len(HEADER)
        self.octets: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
        self.names = array("q")  # where an object's address stands
        self.contents = array("q")
        self.lengths = array("q")
        self.afters = array("q")
        self.segments: list[tuple[str, _Stretch]] = []
        self.raw: list[_RawGoroutine] = []
        self.by_address: dict[int, _RawGoroutine] = {}
        self.pointers: list[tuple[str, int]] = []
        self.stacks: dict[int, tuple[AllocationPlace, ...]] = {}
        self.samples: dict[int, int] = {}
        self.word = np.dtype("<u8")
        self.go = self.architecture = ""
        self.records = 0

    def read(self) -> HeapDump:
        while self._record():
            self.records += 1
            if self.records > _MOST_RECORDS:
                raise FormatError(f"the heap dump has more than {_MOST_RECORDS:,} records that are no objects")
        return self._graph()

    # The file, record by record.

    def _int(self) -> int:
        value = shift = 0
        while True:
            octet = self.data[self.at]
            self.at += 1
            value |= (octet & 0x7F) << shift
            if octet < 0x80:  # noqa: PLR2004 - the bit that says that more follows
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

    def _memory(self) -> _Stretch:
        size = self._int()
        return _Stretch(self._skip(size), size, 0, 0)

    def _fields(self, memory: _Stretch) -> _Stretch:
        found = _FIELDS.match(self.data, self.at)
        if found is None:
            raise ValueError("no fields")
        memory.fields, memory.after = self.at, found.end()
        self.at = found.end()
        return memory

    def _record(self) -> bool:
        """Read one record, or all objects up to the next other record; False at the end."""
        if self.data[self.at] == _OBJECT_TAG:
            self._objects()
        tag = self._int()
        match tag:
            case 0:
                return False
            case 2:
                self.pointers.append((self._text(), self._int()))
            case 3:
                self._ints(2)
                self._text()
                self._int()
            case 4:
                self._goroutine()
            case 5:
                self._frame()
            case 6:
                self._parameters()
            case 7 | 11:
                object_, function, *_ = self._ints(5)
                self.pointers.append(("finalizer", function))
                if tag == 11:  # noqa: PLR2004 - queued: the object itself waits to be given to it
                    self.pointers.append(("finalizer", object_))
            case 12 | 13:
                self._int()
                self.segments.append(("data" if tag == 12 else "bss", self._fields(self._memory())))  # noqa: PLR2004 - see above
            case 14:
                record, g, *_ = self._ints(7)
                self._of(g, record)
            case 15:
                record, g, _, argument, *_ = self._ints(6)
                self._of(g, record, argument)
            case 16:
                self._bucket()
            case 17:
                object_, bucket = self._ints(2)
                self.samples[object_] = bucket
            case _ if tag in _INTS_OF:
                self._ints(_INTS_OF[tag])
            case _:
                raise FormatError(f"the heap dump has a record of unknown kind {tag} at byte {self.at}")
        return True

    def _objects(self) -> None:
        data, end = self.data, len(self.data)
        object_match, fields_match = _OBJECT.match, _FIELDS.match
        sizes: dict[bytes, int] = {}
        name, content, length, after = (
            self.names.append,
            self.contents.append,
            self.lengths.append,
            self.afters.append,
        )
        at = self.at
        while data[at] == _OBJECT_TAG:
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
        one = _RawGoroutine(number, address, sp, waits_for, bool(is_system), pointers=[context, record, panic])
        self.raw.append(one)
        self.by_address[address] = one

    def _frame(self) -> None:
        sp, _, _ = self._ints(3)
        memory = self._memory()
        self._ints(3)
        name = self._text()
        self._fields(memory)
        if not self.raw:
            raise ValueError("a frame without a goroutine")
        self.raw[-1].frames.append(_RawFrame(name, sp, memory))

    def _of(self, g: int, *pointers: int) -> None:
        if g in self.by_address:
            self.by_address[g].pointers += pointers

    def _bucket(self) -> None:
        bucket, _, depth = self._ints(3)
        places = []
        for _ in range(depth):
            function, file = self._text(), self._text()
            places.append(AllocationPlace(function, file, self._int()))
        self._ints(2)
        self.stacks[bucket] = tuple(places)

    # Columns.

    def _graph(self) -> HeapDump:
        names = _column(self.names)
        addresses = _varints_at(self.octets, names)
        order = np.argsort(addresses, kind="stable")
        addresses = addresses[order]
        contents = _column(self.contents)[order]
        sizes = _column(self.lengths)[order].astype(np.uint64)
        afters = _column(self.afters)[order]
        if addresses.size > 1 and bool(np.any(addresses[1:] - addresses[:-1] < sizes[:-1])):
            raise FormatError("the heap dump has objects that lie one over another")
        starts, targets = self._edges(addresses, sizes, contents, afters)

        def indexes(pointers: Addresses) -> Indexes:
            found = _index_of(addresses, sizes, pointers)
            return np.unique(found[found >= 0])

        roots = [DumpedRoot(name, indexes(self._pointers(memory))) for name, memory in self.segments]
        by_name: dict[str, list[int]] = {}
        for name, pointer in self.pointers:
            by_name.setdefault(name, []).append(pointer)
        roots += [DumpedRoot(name, indexes(np.array(all_, np.uint64))) for name, all_ in by_name.items()]
        goroutines = []
        for raw in self.raw:
            found = _index_of(addresses, sizes, np.array([raw.address], np.uint64))
            g = int(found[0])
            one = DumpedGoroutine(raw.number, g, raw.waits_for, raw.is_system)
            one.stack_bytes = self._stack_bytes(raw, int(contents[g]), int(sizes[g])) if g >= 0 else 0
            one.objects = indexes(np.array(raw.pointers, np.uint64))
            one.frames = tuple(
                DumpedFrame(frame.function, indexes(pointers), frame.memory.size)
                for frame, pointers in self._frame_pointers(raw)
            )
            goroutines.append(one)
        sampled = np.fromiter(self.samples, np.uint64, len(self.samples))
        allocated = {}
        for index, bucket in zip(_index_of(addresses, sizes, sampled).tolist(), self.samples.values(), strict=True):
            if index >= 0 and bucket in self.stacks:
                allocated[index] = self.stacks[bucket]
        return HeapDump(
            self.go,
            self.architecture,
            addresses,
            sizes,
            starts,
            targets,
            tuple(roots),
            tuple(goroutines),
            allocated,
        )

    def _edges(
        self, addresses: Addresses, sizes: Addresses, contents: Indexes, afters: Indexes
    ) -> tuple[Indexes, Indexes]:
        """Return the graph in rows: where each object's targets begin, and the targets."""
        begins = contents + sizes.astype(np.int64)
        with_pointers = np.flatnonzero(afters - begins > 1)
        counts = np.zeros(addresses.size + 1, np.int64)
        parts: list[NDArray[np.int32]] = []
        edges = 0
        lengths = (afters - begins)[with_pointers]
        cuts = np.searchsorted(np.cumsum(lengths), np.arange(_CHUNK_BYTES, int(lengths.sum()) + _CHUNK_BYTES, _CHUNK_BYTES))
        begin = 0
        for cut in [*cuts.tolist(), with_pointers.size]:
            rows = with_pointers[begin : cut + 1]
            begin = cut + 1
            if not rows.size:
                continue
            owners, pointers = self._pointers_of(
                contents[rows], sizes[rows].astype(np.int64), begins[rows], afters[rows]
            )
            found = _index_of(addresses, sizes, pointers)
            is_edge = found >= 0
            parts.append(found[is_edge].astype(np.int32))
            edges += parts[-1].size
            if edges > _MOST_EDGES:
                raise FormatError(f"the heap dump has more than {_MOST_EDGES:,} pointers between objects")
            counts[1:] += np.bincount(rows[owners[is_edge]], minlength=addresses.size)
        targets = np.concatenate(parts) if parts else np.empty(0, np.int32)
        return np.cumsum(counts), targets

    def _pointers_of(
        self, contents: Indexes, sizes: Indexes, begins: Indexes, afters: Indexes
    ) -> tuple[Indexes, Addresses]:
        """Return (row, value) of all pointers of some stretches, in order of their rows."""
        view = memoryview(self.data)
        pieces = [view[begin:after] for begin, after in zip(begins.tolist(), afters.tolist(), strict=True)]
        raw = b"".join(pieces)
        for piece in pieces:
            piece.release()
        view.release()
        chunk = VarintChunk(raw, (afters - begins).tolist())
        counts = chunk.stops - chunk.starts
        owners = np.repeat(np.arange(contents.size), counts)
        is_offset = (np.arange(chunk.values.size) - chunk.starts[owners]) % 2 == 1
        owners = owners[is_offset]
        offsets = chunk.values[is_offset].astype(np.uint64)
        if bool(np.any(offsets + np.uint64(self.word.itemsize) > sizes[owners].astype(np.uint64))):
            raise ValueError("a field beyond its object")
        return owners, self._words(contents[owners] + offsets.astype(np.int64))

    def _pointers(self, memory: _Stretch) -> Addresses:
        if memory.after - memory.fields <= 1:
            return np.empty(0, np.uint64)
        one = [np.array([value], np.int64) for value in (memory.content, memory.size, memory.fields, memory.after)]
        return self._pointers_of(*one)[1]

    def _words(self, positions: Indexes) -> Addresses:
        """Return the words that stand at these places of the file."""
        if not positions.size:
            return np.empty(0, np.uint64)
        count = self.octets.size - self.word.itemsize + 1
        every: Addresses = np.ndarray((count,), self.word, self.octets, 0, (1,))
        return every[positions].astype(np.uint64)

    def _stack_bytes(self, raw: _RawGoroutine, content: int, size: int) -> int:
        width = self.word.itemsize
        if size < 2 * width:
            return 0
        low, high = self._words(np.array([content, content + width], np.int64)).tolist()
        return int(high - low) if low <= raw.sp < high and high - low <= _MOST_STACK else 0

    def _frame_pointers(self, raw: _RawGoroutine) -> list[tuple[_RawFrame, Addresses]]:
        """Return what each frame points to, variables whose address is known on the stack included."""
        found = [(frame, [self._pointers(frame.memory)]) for frame in raw.frames]
        bounds = sorted((frame.sp, number) for number, (frame, _) in enumerate(found))
        lows = np.array([low for low, _ in bounds], np.uint64)
        read_from = [frame.memory.size for frame in raw.frames]
        width = self.word.itemsize
        todo = [pointers[0] for _, pointers in found]
        while todo and bounds:
            pointers = todo.pop()
            rows = np.searchsorted(lows, pointers, side="right") - 1
            for row, pointer in zip(rows.tolist(), pointers.tolist(), strict=True):
                if row < 0:
                    continue
                low, number = bounds[row]
                offset = (pointer - low) // width * width
                if offset >= read_from[number]:
                    continue
                memory = raw.frames[number].memory
                places = np.arange(offset, read_from[number] - width + 1, width, dtype=np.int64)
                read_from[number] = offset
                words = self._words(places + memory.content)
                found[number][1].append(words)
                todo.append(words)
        return [(frame, np.concatenate(pointers)) for frame, pointers in found]


def _column(values: array[int]) -> Indexes:
    return np.frombuffer(values, np.int64) if values else np.empty(0, np.int64)


def _varints_at(octets: NDArray[np.uint8], places: Indexes) -> Addresses:
    values = np.zeros(places.size, np.uint64)
    active = np.arange(places.size)
    for number in range(10):
        if not active.size:
            break
        octet = octets[places[active] + number].astype(np.uint64)
        values[active] |= (octet & np.uint64(0x7F)) << np.uint64(7 * number)
        active = active[octet >= 0x80]  # noqa: PLR2004 - the bit that says that more follows
    return values


def _index_of(addresses: Addresses, sizes: Addresses, pointers: Addresses) -> Indexes:
    if not addresses.size or not pointers.size:
        return np.full(pointers.size, -1, np.int64)
    found = np.searchsorted(addresses, pointers, side="right") - 1
    inside = (found >= 0) & (pointers - addresses[found] < sizes[found])
    return np.where(inside, found, -1)
