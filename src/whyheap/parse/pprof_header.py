"""What a pprof profile says once: sample types, mappings, times. Shared by both decoders.

Source: https://github.com/google/pprof/blob/main/proto/profile.proto
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from whyheap.errors import FormatError
from whyheap.model.profile import Mapping
from whyheap.parse.protobuf_wire import BYTES, VARINT, read_fields, read_packed, signed

SAMPLE_TYPE = 1
SAMPLE = 2
MAPPING = 3
LOCATION = 4
FUNCTION = 5
STRING = 6
_TIME_NANOS = 9
_DURATION_NANOS = 10
_PERIOD = 12
_COMMENT = 13

HEAP_COLUMNS = ("inuse_objects", "inuse_space", "alloc_objects", "alloc_space")
_LEGACY_NAMES = {"objects": "inuse_objects", "space": "inuse_space"}
_TAKE_A_HEAP_PROFILE = "A heap profile is at /debug/pprof/heap of a service, or comes from go test -memprofile."
_OTHER_KINDS = {
    "cpu": "a CPU profile",
    "samples": "a CPU profile",
    "goroutine": "a goroutine profile",
    "goroutineleak": "a goroutine leak profile",
    "threadcreate": "a thread profile",
    "contentions": "a mutex or block profile",
    "delay": "a mutex or block profile",
    "wall": "a wall clock profile",
}


@dataclass(slots=True)
class ProfileHeader:
    """Collected field by field; strings are indexes until `strings` are known."""

    sample_types: list[tuple[int, int]] = field(default_factory=list)
    mappings: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)

    def take(self, number: int, wire: int, data: bytes, start: int, stop: int) -> None:
        """Keep one top-level field that is neither sample, location, function nor string."""
        if number == SAMPLE_TYPE:
            found = _numbers(data, start, stop, wire)
            self.sample_types.append((found.get(1, 0), found.get(2, 0)))
        elif number == MAPPING:
            found = _numbers(data, start, stop, wire)
            self.mappings.append((found.get(2, 0), found.get(3, 0), found.get(4, 0), found.get(5, 0), found.get(6, 0)))
        elif number == _COMMENT:
            self.comments.extend(read_packed(data, start, stop) if wire == BYTES else (start,))
        elif number in (_TIME_NANOS, _DURATION_NANOS, _PERIOD):
            if wire != VARINT:
                raise FormatError("the profile is damaged: a number has the wrong type")
            if number == _TIME_NANOS and self.numbers.get(_TIME_NANOS):
                raise FormatError("several profiles were written one after another", "Give them as separate files.")
            self.numbers[number] = signed(start)

    @property
    def period(self) -> int:
        """Bytes between two samples, on average."""
        return self.numbers.get(_PERIOD, 0)

    @property
    def time_nanos(self) -> int:
        """When the profile was taken, since 1970."""
        return self.numbers.get(_TIME_NANOS, 0)

    @property
    def duration_nanos(self) -> int:
        """How long it was taken for, 0 for a snapshot."""
        return self.numbers.get(_DURATION_NANOS, 0)

    def model_mappings(self, strings: Sequence[str]) -> tuple[Mapping, ...]:
        """Return the mappings with their names."""
        return tuple(
            Mapping(start, limit, offset, string_at(strings, file), string_at(strings, build_id))
            for start, limit, offset, file, build_id in self.mappings
        )

    def model_comments(self, strings: Sequence[str]) -> tuple[str, ...]:
        """Return the comments."""
        return tuple(string_at(strings, index) for index in self.comments)

    def heap_columns(self, strings: Sequence[str]) -> dict[str, int]:
        """Return which value of a sample holds which heap column.

        Raises:
            FormatError: no column is one of a heap profile; the message says which kind of profile it is.
        """
        kinds = [string_at(strings, kind) for kind, _ in self.sample_types]
        columns: dict[str, int] = {}
        for index, kind in enumerate(kinds):
            name = _LEGACY_NAMES.get(kind, kind)
            if name in HEAP_COLUMNS:
                columns.setdefault(name, index)
        if columns:
            return columns
        if not kinds:
            raise FormatError("it is not a pprof profile: it names no kind of sample", _TAKE_A_HEAP_PROFILE)
        known = next((_OTHER_KINDS[kind] for kind in kinds if kind in _OTHER_KINDS), "a profile of another kind")
        shown = ", ".join(kind[:40] for kind in kinds[:4])
        raise FormatError(f"it is {known} ({shown}), but a heap profile is needed", _TAKE_A_HEAP_PROFILE)


def string_at(strings: Sequence[str], index: int) -> str:
    """Return a string of the table.

    Raises:
        FormatError: there is no such string.
    """
    if index >= len(strings):
        raise FormatError("the profile is damaged: a name is missing in its table of strings")
    return strings[index]


def check_string_table(strings: Sequence[str]) -> None:
    """Raise FormatError unless the table starts with the empty string, as the format demands."""
    if not strings or strings[0] != "":
        raise FormatError("it is not a pprof profile", _TAKE_A_HEAP_PROFILE)


def _numbers(data: bytes, start: int, stop: int, wire: int) -> dict[int, int]:
    """Return the numeric fields of a small message, the last of each."""
    if wire != BYTES:
        raise FormatError("the profile is damaged: a message has the wrong type")
    return {number: value for number, kind, value, _ in read_fields(data, start, stop) if kind == VARINT}
