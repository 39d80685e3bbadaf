"""Writes a heap profile in pprof's format, for `go tool pprof` and everything else that reads it.

Source: https://github.com/google/pprof/blob/main/proto/profile.proto
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof_header import FUNCTION, LOCATION, MAPPING, SAMPLE, SAMPLE_TYPE, STRING
from whyheap.parse.protobuf_wire import BYTES, write_varint

# As the runtime orders them: pprof shows the last column by default.
_COLUMNS = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
_PIECE_BYTES = 1 << 20
_GZIP = 31


def write_pprof(profile: HeapProfile) -> bytes:
    """Return the profile gzipped; equal profiles give equal bytes."""
    strings: dict[str, int] = {"": 0}
    packer = zlib.compressobj(wbits=_GZIP)
    written: list[bytes] = []
    waiting = bytearray()
    for record in _records(profile, strings):
        waiting += record
        if len(waiting) > _PIECE_BYTES:
            written.append(packer.compress(bytes(waiting)))
            waiting.clear()
    written.append(packer.compress(bytes(waiting)))
    written.append(packer.flush())
    return b"".join(written)


def _records(profile: HeapProfile, strings: dict[str, int]) -> Iterator[bytes]:
    """Yield the top-level fields; `strings` collects what they name, and is written last."""

    def intern(text: str) -> int:
        return strings.setdefault(text, len(strings))

    columns = [name for name in _COLUMNS if name in profile.values]
    for name in columns:
        unit = "bytes" if name.endswith("_space") else "count"
        yield _message(SAMPLE_TYPE, _number(1, intern(name)) + _number(2, intern(unit)))
    yield from _samples(profile, columns, intern("bytes"))
    for index, mapping in enumerate(profile.mappings, start=1):
        yield _message(
            MAPPING,
            _number(1, index)
            + _number(2, mapping.start)
            + _number(3, mapping.limit)
            + _number(4, mapping.offset)
            + _number(5, intern(mapping.file))
            + _number(6, intern(mapping.build_id))
            + b"".join(_number(flag, 1) for flag in (7, 8, 9, 10)),  # has functions, files, lines, inlined frames
        )
    yield from _locations(profile)
    start_lines = integers(profile.function_start_lines)
    for index, (name, file) in enumerate(zip(profile.function_names, profile.function_files, strict=True)):
        identity = _number(1, index + 1) + _number(2, intern(name)) + _number(3, intern(name))
        yield _message(FUNCTION, identity + _number(4, intern(file)) + _number(5, start_lines[index]))
    yield _number(9, profile.time_nanos) + _number(10, profile.duration_nanos)
    yield _message(11, _number(1, intern("space")) + _number(2, intern("bytes"))) + _number(12, profile.period)
    for comment in profile.comments:
        yield write_varint(13 << 3) + write_varint(intern(comment))
    for text in strings:
        yield _message(STRING, text.encode("utf-8", "replace"))


def _samples(profile: HeapProfile, columns: list[str], bytes_label: int) -> Iterator[bytes]:
    identities = [write_varint(index + 1) for index in range(len(profile.addresses))]
    offsets, locations = integers(profile.stack_offsets), integers(profile.stack_locations)
    values = zip(*(integers(profile.values[name]) for name in columns), strict=True)
    for index, (size, row) in enumerate(zip(integers(profile.object_bytes), values, strict=True)):
        stack = b"".join([identities[location] for location in locations[offsets[index] : offsets[index + 1]]])
        body = _message(1, stack) + _message(2, b"".join([write_varint(value) for value in row]))
        if size:
            body += _message(3, _number(1, bytes_label) + _number(3, size))  # no unit: the runtime writes none
        yield _message(SAMPLE, body)


def _locations(profile: HeapProfile) -> Iterator[bytes]:
    offsets = integers(profile.line_offsets)
    functions, numbers = integers(profile.line_functions), integers(profile.line_numbers)
    ordered = sorted(
        zip(profile.mappings, range(1, len(profile.mappings) + 1), strict=True), key=lambda pair: pair[0].start
    )
    starts = [mapping.start for mapping, _ in ordered]
    for index, address in enumerate(integers(profile.addresses)):
        lines = b"".join(
            _message(4, _number(1, functions[at] + 1) + _number(2, numbers[at]))
            for at in range(offsets[index], offsets[index + 1])
        )
        at = bisect_right(starts, address) - 1
        mapping = ordered[at][1] if at >= 0 and address < ordered[at][0].limit else 0
        yield _message(LOCATION, _number(1, index + 1) + _number(2, mapping) + _number(3, address) + lines)


def integers(column: Sequence[int]) -> list[int]:
    """Return a column as plain integers."""
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _number(field: int, value: int) -> bytes:
    """Encode a number; 0 is what a reader assumes anyway."""
    return write_varint(field << 3) + write_varint(value) if value else b""


def _message(field: int, body: bytes) -> bytes:
    return write_varint(field << 3 | BYTES) + write_varint(len(body)) + body
