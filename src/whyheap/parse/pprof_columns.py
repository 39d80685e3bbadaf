"""Decodes a big pprof profile with numpy, piece by piece: neither the raw bytes nor an object a sample is held."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof_header import FUNCTION, LOCATION, SAMPLE, STRING, ProfileHeader, check_string_table, string_at
from whyheap.parse.protobuf_wire import BYTES, FIXED32, FIXED64, VARINT, read_fields, read_varint
from whyheap.parse.varint_columns import (
    MessageShape,
    Numbers,
    OddMessageError,
    Unsigned,
    VarintChunk,
    messages_of,
    numbers_of,
    plain_message,
    repeated_of,
)

Scalar = TypeVar("Scalar", bound=np.generic)

_CONTINUES = 0x80
_LONGEST_VARINT = 10
_LABEL_SHAPE = MessageShape(single=frozenset({1, 2, 3}))
_LINE_SHAPE = MessageShape(single=frozenset({1, 2}))
_SAMPLE_SHAPE = MessageShape(repeated=frozenset({1, 2}), nested={3: _LABEL_SHAPE})
_LOCATION_SHAPE = MessageShape(single=frozenset({1, 3}), nested={4: _LINE_SHAPE})
_FUNCTION_SHAPE = MessageShape(single=frozenset({1, 2, 4, 5}))


def decode_columns(pieces: Iterable[bytes]) -> HeapProfile:
    """Decode an uncompressed profile that comes in pieces.

    Raises:
        FormatError: the bytes are no heap profile, or damaged.
    """
    header = ProfileHeader()
    samples, locations, functions, strings = _Samples(), _Locations(), _Functions(), StringTable()
    waiting: list[bytes] = []
    missing = 0
    for piece in pieces:
        waiting.append(piece)
        missing -= len(piece)
        if missing > 0:
            continue
        window = b"".join(waiting)
        rows: dict[int, list[bytes]] = {SAMPLE: [], LOCATION: [], FUNCTION: []}
        end, missing = _split(window, header, strings, rows)
        waiting = [window[end:]] if end < len(window) else []
        samples.add(rows[SAMPLE])
        locations.add(rows[LOCATION])
        functions.add(rows[FUNCTION])
    if waiting:
        raise FormatError("the profile is cut short", "Fetch or copy the profile again.")
    check_string_table(strings)
    columns = header.heap_columns(strings)
    functions.finish(strings)
    locations.finish(functions.identities)
    samples.finish(locations.identities, strings, len(header.sample_types))
    return HeapProfile(
        values={name: _sequence(samples.values[column]) for name, column in columns.items()},
        object_bytes=_sequence(samples.object_bytes),
        stack_offsets=_sequence(samples.offsets),
        stack_locations=_sequence(samples.stack_locations),
        addresses=_sequence(locations.addresses),
        line_offsets=_sequence(locations.line_offsets),
        line_functions=_sequence(locations.line_functions),
        line_numbers=_sequence(locations.line_numbers),
        function_names=functions.names,
        function_files=functions.files,
        function_start_lines=_sequence(functions.start_lines),
        mappings=header.model_mappings(strings),
        period=header.period,
        time_nanos=header.time_nanos,
        duration_nanos=header.duration_nanos,
        comments=header.model_comments(strings),
    )


class StringTable(Sequence[str]):
    """The profile's strings as one block; an entry is decoded when it is asked for."""

    def __init__(self) -> None:
        """Start without strings."""
        self._block = bytearray()
        self._ends = array("q", (0,))

    def append(self, encoded: bytes) -> None:
        """Add the next string."""
        self._block += encoded
        self._ends.append(len(self._block))

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        """Return one string; bytes that are not UTF-8 are replaced."""
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return self._block[self._ends[index] : self._ends[index + 1]].decode("utf-8", "replace")


class _Samples:
    """Stacks, values and labels, chunk by chunk; columns after `finish`."""

    def __init__(self) -> None:
        self._stacks: list[Unsigned] = []
        self._depths: list[Numbers] = []
        self._values: list[Numbers] = []
        self._labels: list[tuple[Numbers, Unsigned, Numbers]] = []
        self._count = 0

    def add(self, rows: list[bytes]) -> None:
        """Decode some samples."""
        if rows:
            _decode(rows, _SAMPLE_SHAPE, self._add)

    def _add(self, chunk: VarintChunk) -> None:
        count = len(chunk.starts)
        fields = chunk.fields(chunk.starts, chunk.stops)
        labels = messages_of(fields, 3)
        inner = chunk.fields(labels.starts, labels.stops)
        keys, texts, sizes = (chunk.scalar(numbers_of(inner, number), len(labels.owners)) for number in (1, 2, 3))
        stacks, depths = chunk.flat(repeated_of(fields, 1), count)
        values, value_counts = chunk.flat(repeated_of(fields, 2), count)
        width = int(value_counts[0])
        if np.any(value_counts != width) or (self._values and self._values[0].shape[0] != width):
            raise FormatError("the profile is damaged: its samples have different numbers of values")
        numeric = np.flatnonzero((texts == 0) & (sizes != 0))
        self._labels.append((labels.owners[numeric] + self._count, keys[numeric], sizes[numeric].view(np.int64)))
        self._stacks.append(_narrow(stacks))
        self._depths.append(depths)
        self._values.append(np.ascontiguousarray(values.view(np.int64).reshape(count, width).T))
        self._count += count

    def finish(self, identities: Unsigned, strings: StringTable, width: int) -> None:
        """Set the columns: locations by position, the object size from the label "bytes"."""
        if self._values and self._values[0].shape[0] != width:
            raise FormatError(f"the profile is damaged: a sample has {self._values[0].shape[0]} values, not {width}")
        self.values = [_joined([chunk[column] for chunk in self._values], np.int64) for column in range(width)]
        self._values.clear()
        self.offsets = np.zeros(self._count + 1, np.int64)
        np.cumsum(_joined(self._depths, np.int64), out=self.offsets[1:])
        self._depths.clear()
        find = _finder(identities, "a sample names a location")
        self.stack_locations = np.empty(int(self.offsets[-1]), np.int32)
        at = 0
        for index, stack in enumerate(self._stacks):
            self.stack_locations[at : at + len(stack)] = find(stack)
            at += len(stack)
            self._stacks[index] = stack[:0]
        self.object_bytes = np.zeros(self._count, np.int64)
        for owners, keys, sizes in self._labels:
            distinct, positions = np.unique(keys, return_inverse=True)
            are_bytes = np.asarray([string_at(strings, int(key)) == "bytes" for key in distinct], bool)
            chosen = np.flatnonzero(are_bytes[positions])[::-1]  # of several, the first one counts: it is written last
            self.object_bytes[owners[chosen]] = sizes[chosen]
        self._labels.clear()


class _Locations:
    """Addresses and lines, chunk by chunk; columns after `finish`."""

    def __init__(self) -> None:
        self._identities: list[Unsigned] = []
        self._addresses: list[Unsigned] = []
        self._line_counts: list[Numbers] = []
        self._line_functions: list[Unsigned] = []
        self._line_numbers: list[Numbers] = []

    def add(self, rows: list[bytes]) -> None:
        """Decode some locations."""
        if rows:
            _decode(rows, _LOCATION_SHAPE, self._add)

    def _add(self, chunk: VarintChunk) -> None:
        count = len(chunk.starts)
        fields = chunk.fields(chunk.starts, chunk.stops)
        lines = messages_of(fields, 4)
        inner = chunk.fields(lines.starts, lines.stops)
        line_functions, line_numbers = (chunk.scalar(numbers_of(inner, number), len(lines.owners)) for number in (1, 2))
        identities, addresses = (chunk.scalar(numbers_of(fields, number), count) for number in (1, 3))
        self._identities.append(identities)
        self._addresses.append(addresses)
        self._line_counts.append(np.bincount(lines.owners, minlength=count))
        self._line_functions.append(line_functions)
        self._line_numbers.append(line_numbers.view(np.int64))

    def finish(self, functions: Unsigned) -> None:
        """Set the columns, functions by position."""
        self.identities = _checked_identities(self._identities, "location")
        self.addresses = _joined(self._addresses, np.uint64)
        counts = _joined(self._line_counts, np.int64)
        self.line_offsets = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=self.line_offsets[1:])
        find = _finder(functions, "a line names a function")
        self.line_functions = find(_joined(self._line_functions, np.uint64)).astype(np.int32)
        self.line_numbers = _joined(self._line_numbers, np.int64)


class _Functions:
    """Names, files and start lines, chunk by chunk; columns after `finish`."""

    def __init__(self) -> None:
        self._columns: list[tuple[Unsigned, ...]] = []

    def add(self, rows: list[bytes]) -> None:
        """Decode some functions."""
        if rows:
            _decode(rows, _FUNCTION_SHAPE, self._add)

    def _add(self, chunk: VarintChunk) -> None:
        fields = chunk.fields(chunk.starts, chunk.stops)
        self._columns.append(
            tuple(chunk.scalar(numbers_of(fields, number), len(chunk.starts)) for number in (1, 2, 4, 5))
        )

    def finish(self, strings: StringTable) -> None:
        """Set the columns, with their strings."""
        identities, names, files, start_lines = ([column[index] for column in self._columns] for index in range(4))
        self.identities = _checked_identities(identities, "function")
        self.names = [string_at(strings, index) for index in _joined(names, np.uint64).tolist()]
        known: dict[int, str] = {}  # many functions share a file
        self.files = []
        for index in _joined(files, np.uint64).tolist():
            if index not in known:
                known[index] = string_at(strings, index)
            self.files.append(known[index])
        self.start_lines = _joined(start_lines, np.uint64).view(np.int64)


def _split(window: bytes, header: ProfileHeader, strings: StringTable, rows: dict[int, list[bytes]]) -> tuple[int, int]:
    """Sort the top-level fields of `window`: messages to `rows`, strings and rare fields where they belong.

    Returns where the first incomplete field begins, and how many bytes it lacks at least.
    """
    size, position = len(window), 0
    add = {number << 3 | BYTES: rows[number].append for number in rows} | {STRING << 3 | BYTES: strings.append}
    while position < size:
        try:
            key = window[position]
            if key in add:
                length = window[position + 1]
                start = position + 2
                if length >= _CONTINUES:
                    length, start = _varint(window, position + 1)
                stop = start + length
                if stop > size:
                    return position, stop - size
                add[key](window[start:stop])
            else:
                stop = _end_of_field(window, position)
                if stop > size:
                    return position, stop - size
                for number, wire, first, last in read_fields(window, position, stop):
                    if number in rows or number == STRING:
                        raise FormatError("the profile is damaged: a message has the wrong type")
                    header.take(number, wire, window, first, last)
        except IndexError:
            return position, 1
        position = stop
    return position, 0


def _end_of_field(window: bytes, position: int) -> int:
    """Return where the field at `position` ends, which may be outside; IndexError when even that is cut off."""
    key, position = _varint(window, position)
    wire = key & 7
    if wire == VARINT:
        return _varint(window, position)[1]
    if wire == BYTES:
        length, position = _varint(window, position)
        return position + length
    if wire in (FIXED32, FIXED64):
        return position + (4 if wire == FIXED32 else 8)
    raise FormatError(f"the profile is damaged: wire type {wire} does not exist")


def _varint(window: bytes, position: int) -> tuple[int, int]:
    """Return a number and the position after it; IndexError when the window ends inside."""
    if len(window) - position < _LONGEST_VARINT:
        last = next(index for index in range(position, len(window) + 1) if window[index] < _CONTINUES)
        return read_varint(window, position, last + 1)
    return read_varint(window, position, len(window))


def _decode(rows: list[bytes], shape: MessageShape, use: Callable[[VarintChunk], None]) -> None:
    """Hand messages to `use` as varints; those that are more than varints are rewritten first."""
    try:
        use(VarintChunk(b"".join(rows), [len(row) for row in rows]))
    except OddMessageError:
        plain = [plain_message(row, shape) for row in rows]
        try:
            use(VarintChunk(b"".join(plain), [len(row) for row in plain]))
        except OddMessageError:
            raise FormatError("the profile is damaged: a message has too many fields") from None


def _narrow(identities: Unsigned) -> NDArray[np.unsignedinteger]:
    """Store ids in four bytes each where they fit."""
    fits = not len(identities) or int(identities.max()) <= np.iinfo(np.uint32).max
    return identities.astype(np.uint32) if fits else identities


def _joined(chunks: list[NDArray[Scalar]], dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.concatenate(chunks) if chunks else np.empty(0, dtype)


def _checked_identities(chunks: list[Unsigned], what: str) -> Unsigned:
    identities = _joined(chunks, np.uint64)
    ordered = np.sort(identities)
    if len(ordered) and (ordered[0] == 0 or np.any(ordered[1:] == ordered[:-1])):
        raise FormatError(f"the profile is damaged: two {what}s have the same id, or one has none")
    return identities


def _finder(identities: Unsigned, what: str) -> Callable[[NDArray[np.unsignedinteger]], Numbers]:
    """Return a function from ids to positions in `identities`."""
    error = FormatError(f"the profile is damaged: {what} that is not there")
    count = len(identities)
    if np.array_equal(identities, np.arange(1, count + 1, dtype=np.uint64)):

        def find_dense(wanted: NDArray[np.unsignedinteger]) -> Numbers:
            if len(wanted) and (int(wanted.min()) == 0 or int(wanted.max()) > count):
                raise error
            return wanted.astype(np.int64) - 1

        return find_dense

    order = np.argsort(identities, kind="stable")
    ordered = identities[order]

    def find_sorted(wanted: NDArray[np.unsignedinteger]) -> Numbers:
        if not len(wanted):
            return np.empty(0, np.int64)
        if not count:
            raise error
        wanted = wanted.astype(np.uint64)
        positions = np.minimum(np.searchsorted(ordered, wanted), count - 1)
        if not np.array_equal(ordered[positions], wanted):
            raise error
        return order[positions]

    return find_sorted


def _sequence(column: NDArray[np.integer]) -> Sequence[int]:
    """Type a column as the model does; numpy's arrays behave as sequences of numbers."""
    return cast("Sequence[int]", column)
