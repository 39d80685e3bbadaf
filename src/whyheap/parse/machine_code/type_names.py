"""Names of Go's types from their descriptors in an executable; works on stripped ones.

Layout: internal/abi/type.go (type Type: TFlag at 20, Str at 40; type Name: a byte of flags, the length as a varint, the
text), unchanged from 1.22 to 1.27.
"""

from __future__ import annotations

import struct
from typing import Final

from whyheap.parse.machine_code.elf_image import ElfImage
from whyheap.parse.machine_code.module_data import ModuleData

_DESCRIPTOR_BYTES: Final = 48
_FLAGS_AT, _NAME_AT = 20, 40
_EXTRA_STAR: Final = 2  # TFlagExtraStar: the name is shared with that of the pointer type
_LONGEST_NAME: Final = 1 << 14
_CONTINUES: Final = 0x80
_MOST_KEPT: Final = 1 << 16


class TypeNames:
    """Spells types as Go prints them: "main.T", "[]uint8", "map[string]int"."""

    def __init__(self, image: ElfImage, module: ModuleData) -> None:
        """Keep where descriptors are; nothing is read yet."""
        self._image = image
        self._module = module
        self._known: dict[int, str] = {}

    def name(self, address: int) -> str:
        """Return the name of the type whose descriptor is at `address`, "" when there is none."""
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            known = self._known[address] = self._read(address)
        return known

    def _read(self, address: int) -> str:
        if not self._module.types <= address < self._module.types_end:
            return ""
        descriptor = self._image.read(address, _DESCRIPTOR_BYTES)
        if descriptor is None:
            return ""
        (offset,) = struct.unpack_from("<i", descriptor, _NAME_AT)
        text = self._text(self._module.types + offset) if offset > 0 else ""
        return text.removeprefix("*") if descriptor[_FLAGS_AT] & _EXTRA_STAR else text

    def _text(self, address: int) -> str:
        head = self._image.read(address + 1, 2)
        if head is None:
            return ""
        size, at = head[0], address + 2
        if size & _CONTINUES:
            size, at = size & 0x7F | head[1] << 7, address + 3
        body = self._image.read(at, size) if size <= _LONGEST_NAME else None
        text = bytes(body).decode("utf-8", "replace") if body else ""
        return text if text.isprintable() else ""
