"""Decodes a small pprof profile in plain Python: faster than importing numpy."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from whyheap.errors import FormatError
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof_header import (
    FUNCTION,
    LOCATION,
    SAMPLE,
    STRING,
    ProfileHeader,
    check_string_table,
    string_at,
)
from whyheap.parse.protobuf_wire import BYTES, VARINT, read_fields, read_packed, signed


def decode_rows(raw: bytes) -> HeapProfile:
    """Decode an uncompressed profile row by row.

    Raises:
        FormatError: the bytes are no heap profile, or damaged.
    """
    header = ProfileHeader()
    tables: dict[int, list[tuple[int, int]]] = {SAMPLE: [], LOCATION: [], FUNCTION: [], STRING: []}
    for number, wire, start, stop in read_fields(raw, 0, len(raw)):
        rows = tables.get(number)
        if rows is None:
            header.take(number, wire, raw, start, stop)
        elif wire != BYTES:
            raise FormatError("the profile is damaged: a message has the wrong type")
        else:
            rows.append((start, stop))
    strings = [raw[start:stop].decode("utf-8", "replace") for start, stop in tables[STRING]]
    check_string_table(strings)
    columns = header.heap_columns(strings)
    functions = _Functions(raw, tables[FUNCTION], strings)
    locations = _Locations(raw, tables[LOCATION], functions.index)
    samples = _Samples(raw, tables[SAMPLE], locations.index, strings, len(header.sample_types))
    return HeapProfile(
        values={name: array("q", samples.values[column]) for name, column in columns.items()},
        object_bytes=samples.object_bytes,
        stack_offsets=samples.offsets,
        stack_locations=samples.stack_locations,
        addresses=locations.addresses,
        line_offsets=locations.line_offsets,
        line_functions=locations.line_functions,
        line_numbers=locations.line_numbers,
        function_names=functions.names,
        function_files=functions.files,
        function_start_lines=functions.start_lines,
        mappings=header.model_mappings(strings),
        period=header.period,
        time_nanos=header.time_nanos,
        duration_nanos=header.duration_nanos,
        comments=header.model_comments(strings),
    )


class _Functions:
    """Functions as columns; `index` maps the profile's ids to positions."""

    def __init__(self, raw: bytes, rows: Iterable[tuple[int, int]], strings: Sequence[str]) -> None:
        self.index: dict[int, int] = {}
        self.names: list[str] = []
        self.files: list[str] = []
        self.start_lines = array("q")
        for start, stop in rows:
            identity = name = file = start_line = 0
            for number, wire, value, _ in read_fields(raw, start, stop):
                match number:
                    case 1:
                        identity = _number(wire, value)
                    case 2:
                        name = _number(wire, value)
                    case 4:
                        file = _number(wire, value)
                    case 5:
                        start_line = signed(_number(wire, value))
            _add_identity(self.index, identity, "function")
            self.names.append(string_at(strings, name))
            self.files.append(string_at(strings, file))
            self.start_lines.append(start_line)


class _Locations:
    """Locations and their lines as columns."""

    def __init__(self, raw: bytes, rows: Iterable[tuple[int, int]], functions: Mapping[int, int]) -> None:
        self.index: dict[int, int] = {}
        self.addresses = array("Q")
        self.line_offsets = array("q", (0,))
        self.line_functions = array("q")
        self.line_numbers = array("q")
        for start, stop in rows:
            identity = address = 0
            for number, wire, value, end in read_fields(raw, start, stop):
                match number:
                    case 1:
                        identity = _number(wire, value)
                    case 3:
                        address = _number(wire, value)
                    case 4:
                        self._add_line(raw, wire, value, end, functions)
            _add_identity(self.index, identity, "location")
            self.addresses.append(address)
            self.line_offsets.append(len(self.line_functions))

    def _add_line(self, raw: bytes, wire: int, start: int, stop: int, functions: Mapping[int, int]) -> None:
        _demand_message(wire)
        function = line = 0
        for number, kind, value, _ in read_fields(raw, start, stop):
            match number:
                case 1:
                    function = _number(kind, value)
                case 2:
                    line = signed(_number(kind, value))
        if function not in functions:
            raise FormatError("the profile is damaged: a line names a function that is not there")
        self.line_functions.append(functions[function])
        self.line_numbers.append(line)


class _Samples:
    """Stacks, values and object sizes as columns."""

    def __init__(
        self,
        raw: bytes,
        rows: Iterable[tuple[int, int]],
        locations: Mapping[int, int],
        strings: Sequence[str],
        value_count: int,
    ) -> None:
        self.offsets = array("q", (0,))
        self.stack_locations = array("q")
        self.object_bytes = array("q")
        self.values = [array("q") for _ in range(value_count)]
        self._strings = strings
        for start, stop in rows:
            stack: list[int] = []
            values: list[int] = []
            object_bytes = 0
            for number, wire, value, end in read_fields(raw, start, stop):
                match number:
                    case 1:
                        stack.extend(read_packed(raw, value, end) if wire == BYTES else (_number(wire, value),))
                    case 2:
                        values.extend(read_packed(raw, value, end) if wire == BYTES else (_number(wire, value),))
                    case 3:
                        object_bytes = object_bytes or self._object_bytes(raw, wire, value, end)
            self._add(stack, values, object_bytes, locations)

    def _add(self, stack: list[int], values: list[int], object_bytes: int, locations: Mapping[int, int]) -> None:
        if len(values) != len(self.values):
            raise FormatError(f"the profile is damaged: a sample has {len(values)} values, not {len(self.values)}")
        try:
            self.stack_locations.extend([locations[location] for location in stack])
        except KeyError:
            raise FormatError("the profile is damaged: a sample names a location that is not there") from None
        self.offsets.append(len(self.stack_locations))
        self.object_bytes.append(object_bytes)
        for column, value in zip(self.values, values, strict=True):
            column.append(signed(value))

    def _object_bytes(self, raw: bytes, wire: int, start: int, stop: int) -> int:
        """Return the value of a label "bytes": the size of each object; 0 for any other label."""
        _demand_message(wire)
        key = text = size = 0
        for number, kind, value, _ in read_fields(raw, start, stop):
            match number:
                case 1:
                    key = _number(kind, value)
                case 2:
                    text = _number(kind, value)
                case 3:
                    size = signed(_number(kind, value))
        return size if text == 0 and string_at(self._strings, key) == "bytes" else 0


def _add_identity(index: dict[int, int], identity: int, what: str) -> None:
    if identity == 0 or identity in index:
        raise FormatError(f"the profile is damaged: two {what}s have the same id, or one has none")
    index[identity] = len(index)


def _number(wire: int, value: int) -> int:
    if wire != VARINT:
        raise FormatError("the profile is damaged: a number has the wrong type")
    return value


def _demand_message(wire: int) -> None:
    if wire != BYTES:
        raise FormatError("the profile is damaged: a message has the wrong type")
