"""Structs and variables of Go's runtime from a program's debug information (DWARF 4 until Go 1.24, 5 since).

Only what is asked for is decoded: the linker writes names of types and variables into .debug_info itself
(cmd/internal/dwarf/dwarf.go, DW_FORM_string), so an entry is found by its bytes and not by walking through millions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Final

from whyheap.errors import FormatError
from whyheap.parse.struct_layout import Field, StructLayout, TypeLayout, Variable

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE
    from elftools.dwarf.dwarfinfo import DWARFInfo
    from elftools.elf.elffile import ELFFile

_STRUCT, _ARRAY, _TYPEDEF, _VARIABLE = (
    "DW_TAG_structure_type",
    "DW_TAG_array_type",
    "DW_TAG_typedef",
    "DW_TAG_variable",
)
_POINTERS: Final = frozenset({"DW_TAG_pointer_type", "DW_TAG_subroutine_type"})
_WORD_BYTES: Final = 8
_OP_ADDR, _OP_ADDRX = 0x03, 0xA1
_MOST_BYTES: Final = 1 << 30
_MOST_HITS: Final = 64
_MOST_TYPES: Final = 5000
_MOST_FIELDS: Final = 2000
_MOST_TYPEDEFS: Final = 16
_SECTIONS: Final = (".debug_info", ".zdebug_info")


def read_layout(stream: IO[bytes], types: Iterable[str], variables: Iterable[str]) -> StructLayout:
    """Read these types, those of their fields, and these variables with their types; what is not there is left out.

    `stream` is the executable. Raises `FormatError` when it has no debug information, or it is damaged.
    """
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - only programs that were not stripped need it

    try:
        return _Reader(_debug_information(ELFFile(stream))).layout(types, variables)
    except FormatError:
        raise
    except Exception as error:  # the library raises all there is on damaged data
        raise FormatError(f"This executable's debug information is damaged ({type(error).__name__}).") from error


def _debug_information(file: ELFFile) -> DWARFInfo:
    sections = [section for section in map(file.get_section_by_name, _SECTIONS) if section is not None]
    if not sections:
        raise FormatError("This executable has no debug information.", "Build it without -ldflags=-w.")
    if max(section.data_size for section in file.iter_sections() if "debug_" in section.name) > _MOST_BYTES:
        raise FormatError("This executable's debug information is larger than any linker writes.")
    return file.get_dwarf_info(relocate_dwarf_sections=False, follow_links=False)


class _Reader:
    """Entries of .debug_info by name and by reference; types are gathered as they are met."""

    def __init__(self, dwarf: DWARFInfo) -> None:
        self._dwarf = dwarf
        if dwarf.debug_info_sec is None:
            raise FormatError("This executable has no debug information.", "Build it without -ldflags=-w.")
        dwarf.debug_info_sec.stream.seek(0)
        self._bytes: bytes = dwarf.debug_info_sec.stream.read()
        self._types: dict[str, TypeLayout] = {}
        self._waiting: list[DIE] = []

    def layout(self, types: Iterable[str], variables: Iterable[str]) -> StructLayout:
        for name in types:
            for die in self._named(name, lambda die: die.tag == _STRUCT):
                self._size_and_name(die)
                break
        found = {}
        for name in variables:
            for die in self._named(name, lambda die: die.tag == _VARIABLE and "DW_AT_location" in die.attributes):
                size, type_ = self._size_and_name(self._type_of(die))
                found[name] = Variable(self._address(die), size, type_)
                break
        while self._waiting and len(self._types) < _MOST_TYPES:
            self._gather(self._waiting.pop())
        return StructLayout(self._types, found)

    def _named(self, name: str, wanted: Callable[[DIE], bool]) -> Iterator[DIE]:
        """Yield the entries with a name: its bytes follow the entry's kind, one byte (two, where kinds are many)."""
        pattern = name.encode() + b"\0"
        at = self._bytes.find(pattern)
        for _ in range(_MOST_HITS):
            if at < 0:
                return
            for start in (at - 1, at - 2):
                die = self._entry(start)
                if die is not None and wanted(die) and _name(die) == name:
                    yield die
                    break
            at = self._bytes.find(pattern, at + 1)

    def _entry(self, offset: int) -> DIE | None:
        try:
            return self._dwarf.get_DIE_from_refaddr(offset)
        except Exception:  # noqa: BLE001 - not the start of an entry: the library raises what it happens to meet
            return None

    def _type_of(self, die: DIE) -> DIE | None:
        return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None

    def _address(self, die: DIE) -> int:
        """Return a variable's address, 0 when it is not a plain one."""
        place = die.attributes["DW_AT_location"].value
        if not isinstance(place, list) or not place:
            return 0
        if place[0] == _OP_ADDR and len(place) == 1 + _WORD_BYTES:
            return int(struct.unpack("<Q", bytes(place[1:]))[0])
        if place[0] == _OP_ADDRX:
            index = sum((byte & 0x7F) << 7 * place_ for place_, byte in enumerate(place[1:6]))
            return int(self._dwarf.get_addr(die.cu, index))
        return 0

    def _size_and_name(self, die: DIE | None) -> tuple[int, str]:
        """Return a type's size and name, and note it for reading when it has parts."""
        for _ in range(_MOST_TYPEDEFS):
            if die is None:
                return 0, ""
            if die.tag in _POINTERS:
                return _WORD_BYTES, _name(die)
            if die.tag != _TYPEDEF:
                break
            die = self._type_of(die)
        if die is None or die.tag == _TYPEDEF:
            return 0, ""
        size = die.attributes.get("DW_AT_byte_size")
        bytes_ = int(size.value) if size is not None else 0
        name = _name(die) or f"@{die.offset:#x}"
        if die.tag in {_STRUCT, _ARRAY} and name not in self._types:
            self._types[name] = TypeLayout(bytes_)  # holds the place: a struct may hold itself by way of an array
            self._waiting.append(die)
        return bytes_, name

    def _gather(self, die: DIE) -> None:
        """Read the parts of a struct or an array."""
        name = _name(die) or f"@{die.offset:#x}"
        size = self._types[name].size
        if die.tag == _ARRAY:
            element_bytes, element = self._size_and_name(self._type_of(die))
            self._types[name] = TypeLayout(size, {}, element, size // element_bytes if element_bytes else 0)
            return
        fields: dict[str, Field] = {}
        for part in die.iter_children():
            if part.tag != "DW_TAG_member" or len(fields) >= _MOST_FIELDS:
                continue
            offset = part.attributes["DW_AT_data_member_location"].value
            if isinstance(offset, int):
                fields.setdefault(_name(part), Field(offset, *self._size_and_name(self._type_of(part))))
        self._types[name] = TypeLayout(size, fields)


def _name(die: DIE) -> str:
    found = die.attributes.get("DW_AT_name")
    return found.value.decode("utf-8", "replace") if found is not None and isinstance(found.value, bytes) else ""
