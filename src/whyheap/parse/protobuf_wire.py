"""The wire format of protocol buffers: varints, keys and lengths, with every bound checked.

Source: https://protobuf.dev/programming-guides/encoding/; lenient where google/pprof's profile/proto.go is.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.errors import FormatError

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

_LONGEST_VARINT = 10
_UINT64 = 0xFFFF_FFFF_FFFF_FFFF
_SIGN_BIT = 1 << 63
_CONTINUES = 0x80
_LOW_BITS = 0x7F


def read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return the unsigned 64-bit number at `position` and the position after it."""
    value = shift = 0
    for index in range(position, min(end, position + _LONGEST_VARINT)):
        byte = data[index]
        value |= (byte & _LOW_BITS) << shift
        if byte < _CONTINUES:
            return value & _UINT64, index + 1
        shift += 7
    raise FormatError("the profile is damaged: a number is cut short or longer than 64 bits")


def read_fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (field number, wire type, value, 0), or (field number, BYTES, start, stop), for each field of a message."""
    while position < end:
        key = data[position]
        if key < _CONTINUES:
            position += 1
        else:
            key, position = read_varint(data, position, end)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise FormatError("the profile is damaged: a field has number 0")
        if wire == VARINT:
            value, position = read_varint(data, position, end)
            yield number, wire, value, 0
            continue
        if wire == BYTES:
            size, position = read_varint(data, position, end)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise FormatError(f"the profile is damaged: wire type {wire} does not exist")
        if size > end - position:
            raise FormatError("the profile is damaged: a field is longer than what holds it")
        yield number, wire, position, position + size
        position += size


def read_packed(data: bytes, start: int, stop: int) -> list[int]:
    """Return the unsigned numbers of a packed field."""
    window = data[start:stop]
    if window.isascii():  # all numbers are below 128, one byte each
        return list(window)
    if window[-1] >= _CONTINUES:
        raise FormatError("the profile is damaged: a number is cut short or longer than 64 bits")
    numbers: list[int] = []
    value = shift = 0
    for byte in window:
        if byte < _CONTINUES:
            if shift:
                numbers.append((value | byte << shift) & _UINT64)
                value = shift = 0
            else:
                numbers.append(byte)
        else:
            value |= (byte & _LOW_BITS) << shift
            shift += 7
            if shift >= 7 * _LONGEST_VARINT:
                raise FormatError("the profile is damaged: a number is cut short or longer than 64 bits")
    return numbers


def signed(value: int) -> int:
    """Read an unsigned 64-bit number as int64, as protocol buffers store negative numbers."""
    return value - (1 << 64) if value & _SIGN_BIT else value


def write_varint(value: int) -> bytes:
    """Encode a number; negative ones as ten bytes."""
    value &= _UINT64
    encoded = bytearray()
    while value >= _CONTINUES:
        encoded.append(value & _LOW_BITS | _CONTINUES)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
