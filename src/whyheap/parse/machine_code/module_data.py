"""Where Go's own tables stand in an executable, found through the runtime's first module data record.

It survives stripping, as the runtime needs it. Layout: runtime/symtab.go type moduledata, in words: 0 the address of
the line tables, 1 that of the function names in them, 22 and 23 text, 37 types, then until 1.26 etypes, rodata,
gofunc; since 1.27 typedesclen, etypes, itaboffset, itabsize, rodata, gofunc.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from whyheap.errors import FormatError
from whyheap.parse.machine_code.elf_image import HINT, ElfImage, Region

_MAGIC: Final = 0xFFFFFFF1  # internal/abi/symtab.go Go120PCLnTabMagic, 1.20 to 1.27
_HEADER: Final = struct.Struct("<IBBBB8Q")
_INSTRUCTION_UNIT: Final = {"amd64": 1, "arm64": 4}
_SECTIONS: Final = (".gopclntab", ".data.rel.ro.gopclntab")
_WORDS: Final = 48
_TEXT, _TEXT_END, _TYPES = 22, 23, 37
_GOFUNC_PLACES: Final = (40, 43)
_WORD_BYTES: Final = 8
_MOST_CANDIDATES: Final = 1000


@dataclass(frozen=True, slots=True)
class LineTables:
    """The header of the line tables at `address` (runtime/symtab.go type pcHeader); offsets count from there."""

    address: int
    offset: int
    size_bytes: int
    unit: int
    functions: int
    names_at: int
    units_at: int
    files_at: int
    values_at: int
    functions_at: int


@dataclass(frozen=True, slots=True)
class ModuleData:
    """Addresses of the program's text and of its type descriptors, and where inline trees may start."""

    text: int
    text_end: int
    types: int
    types_end: int
    gofunc_candidates: tuple[int, ...]


def find_line_tables(image: ElfImage) -> LineTables:
    """Find them by section, else by their first bytes. Raises `FormatError` when the program is not Go's."""
    for name in _SECTIONS:
        section = image.sections.get(name)
        tables = section and _line_tables(image, section.offset)
        if tables:
            return tables
    magic = struct.pack("<IBBBB", _MAGIC, 0, 0, _INSTRUCTION_UNIT[image.arch], _WORD_BYTES)
    for offset in islice(image.find(magic, image.loads), _MOST_CANDIDATES):
        tables = _line_tables(image, offset)
        if tables:
            return tables
    raise FormatError("This executable has no line tables of Go 1.20 or newer: cut short, or not built by Go.", HINT)


def _line_tables(image: ElfImage, offset: int) -> LineTables | None:
    address = image.address_of(offset)
    if address is None or offset + _HEADER.size > len(image.data):
        return None
    region = next(region for region in image.loads if 0 <= offset - region.offset < region.size_bytes)
    size_bytes = region.offset + region.size_bytes - offset
    magic, _, _, unit, word, functions, _, _, *places = _HEADER.unpack_from(image.data, offset)
    whole = magic == _MAGIC and word == _WORD_BYTES and unit == _INSTRUCTION_UNIT[image.arch]
    ascending = places == sorted(places) and places[0] >= _HEADER.size and places[-1] < size_bytes
    if not (whole and ascending and 0 < functions <= (size_bytes - places[-1]) // _WORD_BYTES):
        return None
    return LineTables(address, offset, size_bytes, unit, functions, *places)


def find_module_data(image: ElfImage, tables: LineTables) -> ModuleData:
    """Find the record that points to these line tables. Raises `FormatError` when there is none."""
    for place in _candidates(image, tables.address):
        words = image.words(place, _WORDS)
        if words and words[0] == tables.address and words[1] == tables.address + tables.names_at:
            text, end = words[_TEXT], words[_TEXT_END]
            if text < end and image.offset_of(text, end - text) is not None:
                types_end = _types_end(words)
                gofunc = tuple(words[at] for at in _GOFUNC_PLACES if image.offset_of(words[at]) is not None)
                return ModuleData(text, end, words[_TYPES], types_end, gofunc)
    raise FormatError("This executable's module data was not found: it is damaged, or packed.", HINT)


def _types_end(words: list[int]) -> int:
    """Return the end of the type descriptors: since 1.27 the word behind `types` is a length."""
    behind, after = words[_TYPES + 1], words[_TYPES + 2]
    return after if behind <= after - words[_TYPES] else behind


def _candidates(image: ElfImage, address: int) -> list[int]:
    section = image.sections.get(".go.module")
    found = [section.address] if section else []
    places, addends = image.relocations
    found += places[addends == np.uint64(address)][:_MOST_CANDIDATES].tolist()
    regions: list[Region] = [region for region in image.loads if not region.executable]
    if not found:
        offsets = image.find(struct.pack("<Q", address), regions)
        found += [
            place for offset in islice(offsets, _MOST_CANDIDATES) if (place := image.address_of(offset)) is not None
        ]
    return found
