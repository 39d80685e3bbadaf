"""One table from program counter to value (line, file, inlined call), as it stands alone in an object file.

The encoding is that of pc_values.py, which decodes the tables of a whole binary together; here a function's own three
are read when somebody asks for a line of it. A table is a run of pairs of varints: how much the value changes (zigzag,
from -1 on) and for how many units of the smallest instruction it then holds; a change of 0 behind the first pair
ends it (cmd/internal/obj/pcln.go funcpctab, runtime/symtab.go step, unchanged from 1.22 to 1.27).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.errors import FormatError

QUANTUM = {"amd64": 1, "arm64": 4}
"""The smallest instruction in bytes (cmd/internal/sys/arch.go MinLC), by GOARCH."""

NONE = -1
_CONTINUES = 0x80
_WORD = 0xFFFFFFFF
_SIGN = 0x80000000
_LONGEST = 28  # bits before the fifth byte of a 32-bit varint


@dataclass(frozen=True, slots=True)
class PcTable:
    """A decoded table: `values[i]` holds up to, not including, the offset `ends[i]` from the function's start."""

    ends: Sequence[int]
    values: Sequence[int]

    def at(self, offset: int) -> int:
        """Return the value at an offset, -1 where the table says nothing."""
        index = bisect_right(self.ends, offset)
        return self.values[index] if index < len(self.values) and offset >= 0 else NONE


EMPTY = PcTable((), ())


def decode_table(table: bytes, quantum: int, up_to: int | None = None) -> PcTable:
    """Decode a whole table or, when `up_to` is given, just past that offset; `quantum` is the unit in bytes.

    Raises FormatError when it is cut off.
    """
    ends: list[int] = []
    values: list[int] = []
    at, value, position = 0, NONE, 0
    try:
        while position < len(table):
            delta = table[position]
            position += 1
            if delta >= _CONTINUES:
                delta, position = _rest(table, position, delta)
            if delta == 0 and ends:
                break
            value += -((delta + 1) >> 1) if delta & 1 else delta >> 1
            distance = table[position]
            position += 1
            if distance >= _CONTINUES:
                distance, position = _rest(table, position, distance)
            at += distance * quantum
            ends.append(at)
            values.append(value if -_SIGN <= value < _SIGN else ((value + _SIGN) & _WORD) - _SIGN)
            if up_to is not None and at > up_to:
                break
    except IndexError as error:
        raise FormatError("a table of lines is cut off") from error
    return PcTable(ends, values)


def _rest(table: bytes, position: int, first: int) -> tuple[int, int]:
    """Read the bytes after the first one of a varint; return it and the position behind it."""
    value = first & 0x7F
    shift = 7
    while True:
        byte = table[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUES:
            return value & _WORD, position
        shift += 7
        if shift > _LONGEST:
            raise FormatError("a table of lines holds a number that is too long")
