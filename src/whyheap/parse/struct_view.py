"""Numbers out of the bytes of one struct, by the names of its fields."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from whyheap.parse.struct_layout import LayoutError, StructLayout

_LONGEST = 8


@dataclass(frozen=True, slots=True)
class StructView:
    """`data` are the bytes of a struct `type` (a name as `StructLayout.field` takes it), little-endian."""

    layout: StructLayout
    type: str
    data: bytes

    def number(self, path: str) -> int:
        """Return an unsigned number of up to 8 bytes; an atomic one by its own name. Raises `LayoutError`."""
        return int.from_bytes(self._bytes(path), "little")

    def signed(self, path: str) -> int:
        """Return a signed number."""
        return int.from_bytes(self._bytes(path), "little", signed=True)

    def real(self, path: str) -> float:
        """Return a float64; what is not finite reads as 0."""
        data = self._bytes(path)
        value = float(struct.unpack("<d", data)[0]) if len(data) == _LONGEST else 0.0
        return value if math.isfinite(value) else 0.0

    def numbers(self, path: str) -> list[int]:
        """Return an array of 64-bit unsigned numbers."""
        place = self.layout.field(self.type, path)
        data = self.data[place.offset : place.offset + place.size]
        if len(data) != place.size or len(data) % _LONGEST:
            raise LayoutError(f"{self.type}.{path} lies outside of what was read.")
        return [int(number) for number in memoryview(data).cast("Q")]

    def has(self, path: str) -> bool:
        """Whether this Go has such a field."""
        return self.layout.has_field(self.type, path)

    def first(self, *paths: str) -> str:
        """Return the first of these paths that this Go has. Raises `LayoutError` when it has none."""
        for path in paths:
            if self.has(path):
                return path
        raise LayoutError(f"{self.type} has none of {', '.join(paths)} in this program's Go.")

    def _bytes(self, path: str) -> bytes:
        place = self.layout.field(self.type, path)
        found = self.data[place.offset : place.offset + min(place.size, _LONGEST)]
        if len(found) != min(place.size, _LONGEST) or not found:
            raise LayoutError(f"{self.type}.{path} lies outside of what was read.")
        return found
