"""Functions by address from a binary goroutine profile (`/debug/pprof/goroutine`, a pprof protocol buffer).

The text form leaves out the runtime's frames, which tell what a goroutine waits for; the binary form names them.
Location addresses are call addresses: one less than the return addresses of the text form's `@` lines.
"""

from __future__ import annotations

from whyheap.errors import FormatError
from whyheap.parse.gzip_stream import MAGIC, read_gzip
from whyheap.parse.pprof_header import FUNCTION, LOCATION, STRING, check_string_table, string_at
from whyheap.parse.protobuf_wire import BYTES, VARINT, read_fields

RAW_LIMIT_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20
_LOCATION_ADDRESS = 3
_LOCATION_LINE = 4
_IDENTITY = 1
_NAME = 2


def parse_frame_names(body: bytes) -> dict[int, str]:
    """Return the innermost function at each call address of a profile.

    Raises:
        FormatError: the bytes are no pprof profile, or damaged.
    """
    raw = b"".join(read_gzip(body, _PIECE_BYTES, RAW_LIMIT_BYTES)) if body.startswith(MAGIC) else body
    tables: dict[int, list[tuple[int, int]]] = {LOCATION: [], FUNCTION: [], STRING: []}
    for number, wire, start, stop in read_fields(raw, 0, len(raw)):
        rows = tables.get(number)
        if rows is not None:
            if wire != BYTES:
                raise FormatError("the profile is damaged: a message has the wrong type")
            rows.append((start, stop))
    strings = [raw[start:stop].decode("utf-8", "replace") for start, stop in tables[STRING]]
    check_string_table(strings)
    functions = {}
    for start, stop in tables[FUNCTION]:
        numbers = _numbers(raw, start, stop)
        functions[numbers.get(_IDENTITY, 0)] = string_at(strings, numbers.get(_NAME, 0))
    names = {}
    for start, stop in tables[LOCATION]:
        address, function = _location(raw, start, stop)
        names[address] = functions.get(function, "")
    return names


def _location(raw: bytes, start: int, stop: int) -> tuple[int, int]:
    """Return a location's address and the identity of its innermost function, which is the first of its lines."""
    address = function = 0
    for number, wire, value, end in read_fields(raw, start, stop):
        if number == _LOCATION_ADDRESS and wire == VARINT:
            address = value
        elif number == _LOCATION_LINE and wire == BYTES and not function:
            function = _numbers(raw, value, end).get(_IDENTITY, 0)
    return address, function


def _numbers(raw: bytes, start: int, stop: int) -> dict[int, int]:
    return {number: value for number, wire, value, _ in read_fields(raw, start, stop) if wire == VARINT}
