"""Tables from program counter to value (line, file, inlined call), many at once.

A table is a run of pairs (change of the value as zigzag varint, distance in instruction units as varint), ended by a
change of 0 behind the first pair; the value starts at -1. Source: cmd/internal/obj/pcln.go funcpctab and
runtime/symtab.go step, unchanged from 1.22 to 1.27. All tables lie one behind another, so that the varints of many are
decoded together.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError

Numbers = NDArray[np.int64]

_CONTINUES: Final = 0x80
_LONGEST_VARINT: Final = 5
_PC_BITS: Final = 36  # a function is shorter than 4 GiB; the varint may say more
_LONGEST_TABLE_BYTES: Final = 1 << 22
_MOST_BYTES: Final = 1 << 25


def table_ends(offsets: Numbers, total_bytes: int) -> Numbers:
    """Return for each table, given all offsets of tables sorted, where it ends at the latest."""
    ends = np.append(offsets[1:], total_bytes)
    bounded: Numbers = np.minimum(ends, offsets + _LONGEST_TABLE_BYTES)
    return bounded


class PcValues:
    """The tables at `starts` to `ends` in `pctab`, decoded; `unit` is the distance that 1 means, in bytes."""

    def __init__(self, pctab: NDArray[np.uint8], starts: Numbers, ends: Numbers, unit: int) -> None:
        """Decode them. Raises `FormatError` when they are larger than any linker writes."""
        sizes = np.maximum(ends - starts, 0)
        total = int(sizes.sum())
        if total > _MOST_BYTES:
            raise FormatError("This executable's line table is damaged: some of its parts are far too long.")
        bases = np.cumsum(sizes) - sizes
        octets = pctab[np.arange(total) + np.repeat(starts - bases, sizes)]
        values, begins = _varints(octets)
        owner = np.searchsorted(bases, begins, "right") - 1
        first = np.searchsorted(begins, bases)
        rank = np.arange(len(begins)) - first[owner] if len(begins) else begins
        paired = np.flatnonzero((rank & 1 == 0) & (np.append(owner[1:], -1) == owner))
        self._owner = owner[paired]
        self._keys = (self._owner << _PC_BITS) + np.minimum(
            _sums_within(values[paired + 1] * unit, self._owner), (1 << _PC_BITS) - 1
        )
        changes = values[paired]
        self._values = _sums_within((changes >> 1) ^ -(changes & 1), self._owner) - 1

    def at(self, tables: Numbers, distances: Numbers) -> Numbers:
        """Return the values of the tables (by index) at distances from the function's entry, -1 outside."""
        if not len(self._keys):
            return np.full(len(tables), -1, np.int64)
        found = np.searchsorted(self._keys, (tables << _PC_BITS) + np.minimum(distances, (1 << _PC_BITS) - 2), "right")
        inside = np.minimum(found, len(self._keys) - 1)
        known = (self._owner[inside] == tables) & (found < len(self._keys)) & (distances >= 0)
        return np.where(known, self._values[inside], -1)


def _varints(octets: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Return the varints of a run of bytes, and where each begins; longer ones than 5 bytes are cut."""
    last = np.flatnonzero(octets < _CONTINUES)
    begins = np.concatenate((np.zeros(min(len(last), 1), np.int64), last[:-1] + 1))
    values = (octets[begins] & 0x7F).astype(np.int64)
    for place in range(1, _LONGEST_VARINT):
        longer = np.flatnonzero(last - begins >= place)
        if not len(longer):
            break
        values[longer] |= (octets[begins[longer] + place] & 0x7F).astype(np.int64) << (7 * place)
    return values, begins


def _sums_within(numbers: Numbers, owner: Numbers) -> Numbers:
    """Return running sums that start anew with each owner; `owner` is sorted."""
    sums = np.cumsum(numbers)
    if not len(sums):
        return sums
    heads = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    before = sums[heads] - numbers[heads]
    return sums - np.repeat(before, np.diff(np.append(heads, len(sums))))
