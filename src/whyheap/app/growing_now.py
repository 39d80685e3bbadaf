"""Which lines grow while a recording goes on: the newest heap profile against the first, read by light code only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from whyheap.errors import TargetError
from whyheap.goruntime.standard_library import is_standard
from whyheap.model.profile import HeapProfile
from whyheap.parse.go_symbol import split_symbol
from whyheap.parse.gzip_stream import MAGIC, read_gzip
from whyheap.parse.pprof_rows import decode_rows

MOST_BYTES = 1 << 20
"""Larger profiles, unpacked, are left to `why`: reading one takes half a second a megabyte."""


@dataclass(frozen=True, slots=True)
class GrowingLine:
    """A line of the program ("cache.go:41"), the bytes in use that it holds, and how many more than at first."""

    place: str
    held_bytes: int
    grown_bytes: int


class GrowingNow:
    """Takes profiles as they come, the first of each process included."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._first: Mapping[str, int] | None = None
        self.lines: tuple[GrowingLine, ...] = ()

    def take(self, raw: bytes) -> None:
        """Look at a profile; what is too large or no profile is passed over."""
        try:
            body = next(read_gzip(raw, MOST_BYTES + 1), b"") if raw.startswith(MAGIC) else raw
            held = {} if len(body) > MOST_BYTES else _held_by_line(decode_rows(body))
        except TargetError:
            return
        if not held:
            return
        if self._first is None:
            self._first = held
        first = self._first
        lines = (GrowingLine(place, size, size - first.get(place, 0)) for place, size in held.items())
        grown = [line for line in lines if line.grown_bytes > 0]
        self.lines = tuple(sorted(grown, key=lambda line: (-line.grown_bytes, line.place)))


def _held_by_line(profile: HeapProfile) -> dict[str, int]:
    """Return bytes in use by the innermost line of each stack that is not of the standard library."""
    held: defaultdict[str, int] = defaultdict(int)
    places: dict[int, str] = {}
    offsets, locations = profile.stack_offsets, profile.stack_locations
    for sample, size in enumerate(profile.values.get("inuse_space", ())):
        if size <= 0:
            continue
        for index in range(offsets[sample], offsets[sample + 1]):
            location = locations[index]
            place = places.get(location)
            if place is None:
                place = places[location] = _place(profile, location)
            if place:
                held[place] += size
                break
    return dict(held)


def _place(profile: HeapProfile, location: int) -> str:
    """Return the innermost line of a location that is the program's own, "" where it has none."""
    for line in range(profile.line_offsets[location], profile.line_offsets[location + 1]):
        function = profile.line_functions[line]
        package, _ = split_symbol(profile.function_names[function])
        if not is_standard(package):
            file = profile.function_files[function].rpartition("/")[2]
            return f"{file}:{profile.line_numbers[line]}"
    return ""
