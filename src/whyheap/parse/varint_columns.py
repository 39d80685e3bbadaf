"""Reads many small protocol buffer messages at once: numpy columns instead of one object a field.

All fields of samples, locations and functions are numbers, so that a message, its submessages and packed fields are one
run of varints. The varints of a whole chunk are decoded together; then one cursor a message steps over its fields, all
messages in lockstep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError
from whyheap.parse.protobuf_wire import BYTES, VARINT, read_fields, read_packed, write_varint

Numbers = NDArray[np.int64]
Unsigned = NDArray[np.uint64]

_CONTINUES = 0x80
_LOW_BITS = 0x7F
_LONGEST_VARINT = 10
# Lockstep pays while many messages have fields left; none that Go writes has so many fields.
_MOST_STEPS = 1024
_MOST_KEYS = 32


class OddMessageError(Exception):
    """A message has something else than varints (an unknown field) or too many fields: see `plain_message`."""


@dataclass(frozen=True, slots=True)
class Runs:
    """One field's occurrences: message `owners[i]` has the varints `starts[i]:stops[i]`. Ordered by owner."""

    owners: Numbers
    starts: Numbers
    stops: Numbers


_NONE = Runs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


class VarintChunk:
    """The varints of messages that lie one behind another in `data`, message i ending at byte `ends[i]`."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        """Decode all of `data`; message i is `sizes[i]` bytes long."""
        octets = np.frombuffer(data, np.uint8)
        last = np.flatnonzero(octets < _CONTINUES)
        self.after = last + 1
        self.values = _decode(octets, last)
        message_ends = np.cumsum(np.asarray(sizes, np.int64))
        self.stops = self.index_at(message_ends)
        self.starts = np.concatenate((np.zeros(1, np.int64), self.stops[:-1]))

    def index_at(self, positions: Numbers) -> Numbers:
        """Return the indexes of the varints that begin at byte `positions`; there, another one must end."""
        found = np.searchsorted(self.after, positions, side="right")
        before = np.where(found > 0, self.after[found - 1], 0) if len(self.after) else np.zeros_like(positions)
        if not np.array_equal(before, positions):
            raise OddMessageError
        return found

    def fields(self, starts: Numbers, stops: Numbers) -> dict[int, tuple[Runs, bool]]:
        """Return the fields of the messages that span the varints `starts[i]:stops[i]`.

        The flag says whether all occurrences are length-delimited (True) or all are single numbers (False).
        A field that mixes both is odd.
        """
        found: dict[tuple[int, int], list[tuple[Numbers, Numbers, Numbers]]] = {}
        active = np.flatnonzero(starts < stops)
        cursor, limit = starts[active], stops[active]
        for _ in range(_MOST_STEPS):
            if not len(active):
                break
            if np.any(cursor + 1 >= limit):
                raise OddMessageError
            keys = self.values[cursor]
            distinct = _distinct(keys)
            if any(key & 7 not in (VARINT, BYTES) or key >> 3 == 0 for key in distinct):
                raise OddMessageError
            begin, end = self._content(cursor, keys, limit)
            for key in distinct:
                chosen = slice(None) if bool(np.all(keys == key)) else np.flatnonzero(keys == key)
                entry = (active[chosen], begin[chosen], end[chosen])
                found.setdefault((key >> 3, key & 7), []).append(entry)
            left = end < limit
            if left.all():
                cursor = end
            else:
                active, cursor, limit = active[left], end[left], limit[left]
        else:
            raise OddMessageError
        return _by_field(found)

    def _content(self, cursor: Numbers, keys: Unsigned, limit: Numbers) -> tuple[Numbers, Numbers]:
        """Return where the contents of the fields at `cursor` begin and end, as varint indexes."""
        packed = (keys & np.uint64(7)) == BYTES
        begin = cursor + 1 + packed
        end = cursor + 2
        where = np.flatnonzero(packed)
        if len(where):
            length_at = cursor[where] + 1
            sizes = self.values[length_at]
            if int(sizes.max()) > int(self.after[-1]):
                raise OddMessageError
            end[where] = self.index_at(self.after[length_at] + sizes.astype(np.int64))
        if np.any(end > limit):
            raise OddMessageError
        return begin, end

    def flat(self, runs: Runs, count: int) -> tuple[Unsigned, Numbers]:
        """Return all numbers of `runs`, and how many each of `count` messages has."""
        sizes = runs.stops - runs.starts
        counts = np.bincount(runs.owners, weights=sizes, minlength=count).astype(np.int64)
        total = int(sizes.sum())
        steps = np.ones(total, np.int64)
        filled = np.flatnonzero(sizes)
        if len(filled):
            begin = np.cumsum(sizes)[filled] - sizes[filled]
            steps[begin[0]] = runs.starts[filled[0]]
            steps[begin[1:]] = runs.starts[filled[1:]] - runs.stops[filled[:-1]] + 1
        return self.values[np.cumsum(steps)], counts

    def scalar(self, runs: Runs, count: int) -> Unsigned:
        """Return one number for each of `count` messages: the last one given, else 0."""
        column = np.zeros(count, np.uint64)
        column[runs.owners] = self.values[runs.starts]
        return column


def numbers_of(fields: Mapping[int, tuple[Runs, bool]], number: int) -> Runs:
    """Return a field of single numbers."""
    runs, delimited = fields.get(number, (_NONE, False))
    if delimited:
        raise FormatError("the profile is damaged: a number has the wrong type")
    return runs


def messages_of(fields: Mapping[int, tuple[Runs, bool]], number: int) -> Runs:
    """Return a field of submessages."""
    runs, delimited = fields.get(number, (_NONE, True))
    if not delimited:
        raise FormatError("the profile is damaged: a message has the wrong type")
    return runs


def repeated_of(fields: Mapping[int, tuple[Runs, bool]], number: int) -> Runs:
    """Return a repeated number, packed or not."""
    return fields.get(number, (_NONE, True))[0]


@dataclass(frozen=True, slots=True)
class MessageShape:
    """The fields of a message that are wanted: single numbers, repeated numbers, submessages of single numbers."""

    single: frozenset[int] = frozenset()
    repeated: frozenset[int] = frozenset()
    nested: Mapping[int, MessageShape] = field(default_factory=dict)


def plain_message(data: bytes, shape: MessageShape) -> bytes:
    """Rewrite an odd message with its wanted fields alone, repeated numbers packed; slow, for what Go never writes."""
    kept = bytearray()
    packed: dict[int, list[int]] = {}
    for number, wire, start, stop in read_fields(data, 0, len(data)):
        if number in shape.repeated and wire in (VARINT, BYTES):
            packed.setdefault(number, []).extend(read_packed(data, start, stop) if wire == BYTES else (start,))
        elif number in shape.nested and wire == BYTES:
            inner = plain_message(data[start:stop], shape.nested[number])
            kept += write_varint(number << 3 | BYTES) + write_varint(len(inner)) + inner
        elif number in shape.single and wire == VARINT:
            kept += write_varint(number << 3) + write_varint(start)
        elif number in shape.repeated or number in shape.nested or number in shape.single:
            raise FormatError("the profile is damaged: a field has the wrong type")
    for number, numbers in packed.items():
        body = b"".join(map(write_varint, numbers))
        kept += write_varint(number << 3 | BYTES) + write_varint(len(body)) + body
    return bytes(kept)


def _decode(octets: NDArray[np.uint8], last: Numbers) -> Unsigned:
    """Return the varints whose last bytes stand at `last`."""
    values = octets[last].astype(np.uint64)
    if not len(last):
        return values
    sizes = np.diff(last, prepend=-1)
    longest = int(sizes.max())
    if longest > _LONGEST_VARINT:
        raise OddMessageError
    longer = np.flatnonzero(sizes > 1)
    seven = np.uint64(7)
    for back in range(1, longest):
        values[longer] = (values[longer] << seven) | (octets[last[longer] - back] & _LOW_BITS)
        if back + 1 < longest:
            longer = longer[sizes[longer] > back + 1]
    return values


def _distinct(keys: Unsigned) -> list[int]:
    """Return the different keys; there are few, and often one."""
    first = int(keys[0])
    if bool(np.all(keys == keys[0])):
        return [first]
    distinct = np.unique(keys)
    if len(distinct) > _MOST_KEYS:
        raise OddMessageError
    return [int(key) for key in distinct]


def _by_field(found: Mapping[tuple[int, int], list[tuple[Numbers, Numbers, Numbers]]]) -> dict[int, tuple[Runs, bool]]:
    fields: dict[int, tuple[Runs, bool]] = {}
    for (number, wire), entries in found.items():
        if number in fields:
            raise OddMessageError
        if len(entries) == 1:
            runs = Runs(*entries[0])
        else:
            owners, starts, stops = (np.concatenate(parts) for parts in zip(*entries, strict=True))
            order = np.argsort(owners, kind="stable")
            runs = Runs(owners[order], starts[order], stops[order])
        fields[number] = (runs, wire == BYTES)
    return fields
