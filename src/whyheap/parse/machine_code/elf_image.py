"""ELF executables as they lie in memory: bytes and words by address, the load-time relocations of a PIE applied.

Only what Go's linker and the system's linkers write for 64-bit little-endian programs is read (elf.h; gABI chapters 4
and 5). Section headers may be missing: what is needed is then found through the segments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError

Buffer = memoryview

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_NOTE: Final = struct.Struct("<III")
_ELF64_LITTLE: Final = b"\x7fELF\x02\x01"
_ARCHITECTURES: Final = {62: "amd64", 183: "arm64"}  # EM_X86_64, EM_AARCH64
_RELATIVE: Final = {"amd64": 8, "arm64": 1027}  # R_X86_64_RELATIVE, R_AARCH64_RELATIVE
_PT_LOAD, _PT_DYNAMIC, _PT_NOTE = 1, 2, 4
_GNU_BUILD_ID_SECTION: Final = ".note.gnu.build-id"
_SHT_NOBITS = 8
_DT_RELA, _DT_RELASZ = 7, 8
_RELA_BYTES = 24
_MOST_HEADERS = 4096
_MOST_NOTES = 64
_PIECE_BYTES = 1 << 22
_LAST_ADDRESS = 1 << 62

HINT: Final = "Give the executable that `go build` wrote for linux/amd64 or linux/arm64."


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes of the file that are mapped at `address`; without address when `address` is 0."""

    address: int
    offset: int
    size_bytes: int
    executable: bool = False


class ElfImage:
    """One executable. Raises `FormatError` for what is none, or for another architecture."""

    def __init__(self, data: Buffer) -> None:
        """Read the headers; `data` is the whole file (a mapping, so that only what is needed is read)."""
        self.data = data
        if len(data) < _HEADER.size or bytes(data[:6]) != _ELF64_LITTLE:
            raise FormatError("This is no 64-bit little-endian ELF executable.", HINT)
        header = _HEADER.unpack_from(data)
        machine = header[2]
        if machine not in _ARCHITECTURES:
            raise FormatError(f"This executable is for another processor (ELF machine {machine}).", HINT)
        self.arch = _ARCHITECTURES[machine]
        self._segments = list(self._read_segments(header[5], header[9], header[10]))
        self.loads = [region for kind, region in self._segments if kind == _PT_LOAD and region.size_bytes]
        if not self.loads:
            raise FormatError("This ELF file has no loaded segments: it is no executable.", HINT)
        self.sections = dict(self._read_sections(header[6], header[11], header[12], header[13]))

    def _read_segments(self, offset: int, entry_bytes: int, count: int) -> Iterator[tuple[int, Region]]:
        for index in range(min(count, _MOST_HEADERS)):
            at = offset + index * entry_bytes
            if entry_bytes < _SEGMENT.size or at + _SEGMENT.size > len(self.data):
                return
            kind, flags, start, address, _, size_bytes, _, _ = _SEGMENT.unpack_from(self.data, at)
            yield kind, self._clipped(address, start, size_bytes, executable=bool(flags & 1))

    def _read_sections(self, offset: int, entry_bytes: int, count: int, names: int) -> Iterator[tuple[str, Region]]:
        if entry_bytes < _SECTION.size or names >= count or offset == 0:
            return
        headers = []
        for index in range(min(count, _MOST_HEADERS)):
            at = offset + index * entry_bytes
            if at + _SECTION.size > len(self.data):
                return
            headers.append(_SECTION.unpack_from(self.data, at))
        if names >= len(headers):
            return
        table = self._clipped(0, headers[names][4], headers[names][5])
        blob = bytes(self.data[table.offset : table.offset + min(table.size_bytes, 1 << 20)])
        for name_at, kind, _, address, start, size_bytes, *_ in headers:
            if kind != _SHT_NOBITS and name_at < len(blob):
                name = blob[name_at : name_at + 256].split(b"\0", 1)[0].decode("latin-1")
                yield name, self._clipped(address, start, size_bytes)

    def _clipped(self, address: int, offset: int, size_bytes: int, *, executable: bool = False) -> Region:
        start = min(offset, len(self.data))
        size_bytes = min(size_bytes, len(self.data) - start)
        return Region(address, start, size_bytes if address + size_bytes < _LAST_ADDRESS else 0, executable)

    def offset_of(self, address: int, size_bytes: int = 1) -> int | None:
        """Return where in the file the `size_bytes` at `address` stand, None when they are not all there."""
        for region in self.loads:
            inside = address - region.address
            if inside >= 0 and inside + size_bytes <= region.size_bytes:
                return region.offset + inside
        return None

    def address_of(self, offset: int) -> int | None:
        """Return the address that a byte of the file is loaded to, None when it is not loaded."""
        for region in self.loads:
            inside = offset - region.offset
            if 0 <= inside < region.size_bytes:
                return region.address + inside
        return None

    def read(self, address: int, size_bytes: int) -> Buffer | None:
        """Return bytes as loaded, before relocation; None when they are not all in the file."""
        offset = self.offset_of(address, size_bytes)
        return None if offset is None or size_bytes < 0 else self.data[offset : offset + size_bytes]

    def words(self, address: int, count: int) -> list[int] | None:
        """Return 64-bit words after relocation, None when they are not all in the file."""
        raw = self.read(address, count * 8)
        if raw is None:
            return None
        found = list(struct.unpack(f"<{count}Q", raw))
        places, addends = self.relocations
        first, last = np.searchsorted(places, [address, address + count * 8])
        for place, addend in zip(places[first:last].tolist(), addends[first:last].tolist(), strict=True):
            if (place - address) % 8 == 0:
                found[(place - address) // 8] = addend
        return found

    @cached_property
    def relocations(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Places and values of the relative relocations that the loader applies, by place; for load address 0."""
        empty = np.empty(0, np.uint64)
        address, size_bytes = self._rela_table()
        offset = self.offset_of(address, max(size_bytes, 1)) if size_bytes else None
        if offset is None:
            return empty, empty
        table = np.frombuffer(self.data, "<u8", 3 * (size_bytes // _RELA_BYTES), offset).reshape(-1, 3)
        relative = table[(table[:, 1] & 0xFFFFFFFF) == _RELATIVE[self.arch]]
        order = np.argsort(relative[:, 0], kind="stable")
        return np.ascontiguousarray(relative[order, 0]), np.ascontiguousarray(relative[order, 2])

    def _rela_table(self) -> tuple[int, int]:
        found = {_DT_RELA: 0, _DT_RELASZ: 0}
        for kind, region in self._segments:
            if kind == _PT_DYNAMIC:
                count = min(region.size_bytes // 16, _MOST_HEADERS)
                pairs = np.frombuffer(self.data, "<u8", 2 * count, region.offset).reshape(-1, 2)
                found |= {int(tag): int(value) for tag, value in pairs if int(tag) in found}
        return found[_DT_RELA], found[_DT_RELASZ]

    def find(self, pattern: bytes, regions: list[Region]) -> Iterator[int]:
        """Yield the offsets of `pattern` in the file within `regions`, a piece at a time."""
        for region in regions:
            stop = region.offset + region.size_bytes
            for start in range(region.offset, stop, _PIECE_BYTES):
                piece = bytes(self.data[start : min(start + _PIECE_BYTES + len(pattern) - 1, stop)])
                at = piece.find(pattern)
                while at >= 0:
                    yield start + at
                    at = piece.find(pattern, at + 1)

    def notes(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield the notes of the program: owner, type, contents.

        Go's linker puts the GNU build id in a section only, in no segment (seen in dynamically linked 1.24 to 1.27).
        """
        regions = [region for kind, region in self._segments if kind == _PT_NOTE]
        section = self.sections.get(_GNU_BUILD_ID_SECTION)
        for region in (*regions, *((section,) if section else ())):
            at, stop = region.offset, region.offset + region.size_bytes
            for _ in range(_MOST_NOTES):
                if at + _NOTE.size > stop:
                    break
                owner_bytes, bytes_, type_ = _NOTE.unpack_from(self.data, at)
                owner_at = at + _NOTE.size
                body_at = owner_at + _padded(owner_bytes)
                at = body_at + _padded(bytes_)
                if at > stop + 3:
                    break
                owner = bytes(self.data[owner_at : owner_at + owner_bytes])
                yield owner.rstrip(b"\0"), type_, bytes(self.data[body_at : body_at + bytes_])


def _padded(size_bytes: int) -> int:
    return (size_bytes + 3) & ~3
