"""Addresses of variables from an executable's symbol table (gABI chapter 4), which -ldflags=-s takes away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from whyheap.parse.machine_code.elf_image import ElfImage

_ENTRY_WORDS: Final = 6  # Elf64_Sym: name u4, info u1, other u1, section u2, value u8, size u8
_ENTRY_BYTES: Final = 24
_MOST_NAMES: Final = 64


def symbol_addresses(image: ElfImage, names: Iterable[str]) -> dict[str, int]:
    """Return the linked addresses of those `names` that have a symbol."""
    table, strings = image.sections.get(".symtab"), image.sections.get(".strtab")
    if table is None or strings is None:
        return {}
    count = table.size_bytes // _ENTRY_BYTES
    entries = np.frombuffer(image.data, "<u4", count * _ENTRY_WORDS, table.offset).reshape(-1, _ENTRY_WORDS)
    name_offsets = entries[:, 0]
    blob = bytes(image.data[strings.offset : strings.offset + strings.size_bytes])
    found = {}
    for name in names:
        pattern = b"\0" + name.encode() + b"\0"
        at = blob.find(pattern)
        for _ in range(_MOST_NAMES):
            if at < 0:
                break
            rows = np.flatnonzero(name_offsets == at + 1)
            if len(rows):
                low, high = entries[rows[0], 2:4].tolist()
                found[name] = low | high << 32
                break
            at = blob.find(pattern, at + 1)
    return found
