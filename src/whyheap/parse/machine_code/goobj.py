"""Go object files: symbols, relocations and data of one member of a package's archive.

The format is described in Go's cmd/internal/goobj/objfile.go and has had the same layout and magic from 1.20 to 1.27:
a header with the offsets of 19 blocks, each a table of fixed-size records. A symbol is referred to by a pair of
numbers, package and index, where some packages are special (this object, content-addressed, by name, builtin).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError

MAGIC = b"\x00go120ld"
_BLOCKS = 19
_HEADER = struct.Struct(f"<8s8sI{_BLOCKS}I")
_STRING = struct.Struct("<II")
_AUTOLIB, _PACKAGES, _FILES, _SYMBOLS, _HASHED64, _HASHED, _NAMED, _NAMED_REFS, _REF_FLAGS = range(9)
_HASH64, _HASH, _RELOC_INDEX, _AUX_INDEX, _DATA_INDEX, _RELOCS, _AUX, _DATA, _REF_NAMES, _END = range(9, 19)

SELF, BUILTIN, BY_HASH, BY_HASH64, BY_NAME = range(0x7FFFFFFB, 0x80000000)
"""Special package indices (PkgIdxSelf to PkgIdxNone)."""

CALL, CALL_ARM64, ADDRESS_ARM64, PC_RELATIVE = 7, 9, 3, 14
"""Relocation types (cmd/internal/objabi/reloctype.go): R_CALL, R_CALLARM64, R_ADDRARM64, R_PCREL."""

AUX_FUNC_INFO, AUX_PC_FILE, AUX_PC_LINE, AUX_PC_INLINE = 1, 8, 9, 10
"""Auxiliary symbols of a function (AuxFuncInfo, AuxPcfile, AuxPcline, AuxPcinline)."""

_ITS_NAME = -1  # what is read of a symbol, for Object.spend; else the kind of an auxiliary symbol
_TEXT = (1, 2)  # STEXT, and STEXTFIPS since 1.24: before, 2 is read-only data, which has no FuncInfo
_SYMBOL_DTYPE = np.dtype(
    [("name", "<u4", 2), ("abi", "<u2"), ("type", "u1"), ("flag", "u1"), ("flag2", "u1"), ("size", "<u4"), ("a", "<u4")]
)
_RELOC_DTYPE = np.dtype(
    [("offset", "<i4"), ("size", "u1"), ("type", "<u2"), ("add", "<i8"), ("package", "<u4"), ("symbol", "<u4")]
)
_AUX_DTYPE = np.dtype([("type", "u1"), ("package", "<u4"), ("symbol", "<u4")])
_REF_NAME_DTYPE = np.dtype([("package", "<u4"), ("symbol", "<u4"), ("name", "<u4", 2)])
_WORD_DTYPE = np.dtype("<u4")

Array = NDArray[Any]
Foreign = Callable[[str, int], str]
"""Names the symbol of another package by its number there, empty when it cannot."""


class Object:
    """One object file. Every record that is read is checked against the blocks: damage ends in FormatError."""

    def __init__(self, data: memoryview, builtins: Sequence[str], foreign: Foreign) -> None:
        """`data` begins at the magic."""
        if len(data) < _HEADER.size or data[:8] != MAGIC:
            raise FormatError("its Go object is of a format that is not known")
        _, _, _, *offsets = _HEADER.unpack_from(data)
        if any(a > b for a, b in pairwise(offsets)) or offsets[-1] > len(data):
            raise FormatError("its Go object is cut off or damaged")
        self._data = data
        self._offsets = offsets
        self._builtins = builtins
        self._foreign = foreign
        self._readers: set[tuple[int, int] | None] = set()
        self._names: dict[tuple[int, int], str] = {}
        self._budget = (1 << 20) + 16 * len(data)
        starts = [self._count(block, _SYMBOL_DTYPE) for block in (_SYMBOLS, _HASHED64, _HASHED, _NAMED, _NAMED_REFS)]
        self._first_of = {
            SELF: 0,
            BY_HASH64: starts[0],
            BY_HASH: sum(starts[:2]),
            BY_NAME: sum(starts[:3]),
        }
        self._defined = sum(starts[:4])
        self.symbols = self._table(_SYMBOLS, _SYMBOL_DTYPE, sum(starts))
        self._data_index = self._index(_DATA_INDEX, offsets[_DATA + 1] - offsets[_DATA])
        self.relocs = self._table(_RELOCS, _RELOC_DTYPE)
        self.reloc_index = self._index(_RELOC_INDEX, len(self.relocs))

    def spend(self, amount: int, reader: tuple[int, int] | None = None) -> None:
        """Count bytes that are decoded: an object in which many records share the same bytes is refused in time.

        The same `reader` (a symbol and what is read of it) is counted once, however often it reads.
        """
        if reader in self._readers:
            return
        if reader is not None:
            self._readers.add(reader)
        self._budget -= amount
        if self._budget < 0:
            raise FormatError("its Go object refers to the same bytes too often")

    @cached_property
    def functions(self) -> list[int]:
        """Indices of the symbols that hold code."""
        kinds = self.symbols["type"][: self._defined]
        sizes = np.diff(self._data_index)
        found = np.flatnonzero(((kinds == _TEXT[0]) | (kinds == _TEXT[1])) & (sizes > 0))
        return [int(index) for index in found if self.aux(int(index), AUX_FUNC_INFO) is not None]

    def index(self, package: int, symbol: int) -> int | None:
        """Return the position in `symbols` of a reference, None when it is of another package or a builtin."""
        first = self._first_of.get(package)
        if first is None:
            return None
        if symbol >= len(self.symbols) - first:
            raise FormatError("its Go object refers to a symbol that it does not have")
        return first + symbol

    def name(self, index: int) -> str:
        """Return the linker name of a symbol of this object."""
        length, offset = self.symbols["name"][index]
        return self._text(int(length), int(offset), (index, _ITS_NAME))

    @property
    def own_symbols(self) -> int:
        """How many symbols other packages may refer to by number: the first ones."""
        return self._first_of[BY_HASH64]

    def reference(self, package: int, symbol: int) -> str:
        """Return the linker name of what is referred to, empty when only another archive could tell."""
        known = self._names.get((package, symbol))
        if known is None:
            known = self._names[package, symbol] = self._resolved(package, symbol)
        return known

    def _resolved(self, package: int, symbol: int) -> str:
        if package == 0:
            return ""
        if package == BUILTIN:
            return self._builtins[symbol] if symbol < len(self._builtins) else ""
        index = self.index(package, symbol)
        if index is not None:
            return self.name(index)
        return self._reference_names.get((package, symbol)) or self._foreign(self.package_path(package), symbol)

    def package_path(self, package: int) -> str:
        """Return the path of a package that is referred to by number."""
        count = self._count(_PACKAGES, _STRING)
        if package >= count:
            raise FormatError("its Go object refers to a package that it does not list")
        return self._text(*_STRING.unpack_from(self._data, self._offsets[_PACKAGES] + package * _STRING.size))

    @cached_property
    def _reference_names(self) -> dict[tuple[int, int], str]:
        rows = self._table(_REF_NAMES, _REF_NAME_DTYPE)
        names = rows["name"].tolist()
        keys = zip(rows["package"].tolist(), rows["symbol"].tolist(), strict=True)
        return {key: self._text(*name) for key, name in zip(keys, names, strict=True)}

    @cached_property
    def files(self) -> list[str]:
        """Source files as the compiler was told, by number."""
        start = self._offsets[_FILES]
        return [
            self._text(*_STRING.unpack_from(self._data, start + number * _STRING.size))
            for number in range(self._count(_FILES, _STRING))
        ]

    def content(self, index: int) -> memoryview:
        """Return a symbol's bytes."""
        if index >= self._defined:
            return self._data[:0]
        base = self._offsets[_DATA]
        return self._data[base + int(self._data_index[index]) : base + int(self._data_index[index + 1])]

    def aux(self, index: int, kind: int) -> int | None:
        """Return the position of a symbol's auxiliary symbol, None when it has none of that kind."""
        kinds, packages, symbols = self._aux
        row = kinds.find(kind, self._aux_index[index], self._aux_index[index + 1])
        return None if row < 0 else self.index(packages[row], symbols[row])

    @cached_property
    def _aux(self) -> tuple[bytes, list[int], list[int]]:
        """Kind, package and symbol of all auxiliary symbols."""
        rows = self._table(_AUX, _AUX_DTYPE)
        return rows["type"].tobytes(), rows["package"].tolist(), rows["symbol"].tolist()

    @cached_property
    def _aux_index(self) -> list[int]:
        found: list[int] = self._index(_AUX_INDEX, len(self._aux[0])).tolist()
        return found

    def _index(self, block: int, limit: int) -> Array:
        """Read the positions of each defined symbol's records; they rise, from 0 to `limit` at most."""
        found = self._table(block, _WORD_DTYPE).astype(np.int64)
        if len(found) != self._defined + 1 or np.any(np.diff(found) < 0) or int(found[-1]) > limit:
            raise FormatError("its Go object has an index that does not fit")
        return found

    def _count(self, block: int, record: np.dtype[Any] | struct.Struct) -> int:
        size = record.itemsize if isinstance(record, np.dtype) else record.size
        return int(self._offsets[block + 1] - self._offsets[block]) // size

    def _table(self, block: int, dtype: np.dtype[Any], count: int | None = None) -> Array:
        """View a block's records, `count` of them where they run on through the blocks behind."""
        count = self._count(block, dtype) if count is None else count
        if self._offsets[block] + count * dtype.itemsize > len(self._data):
            raise FormatError("its Go object is cut off")
        return np.frombuffer(self._data, dtype, count, self._offsets[block])

    def _text(self, length: int, offset: int, reader: tuple[int, int] | None = None) -> str:
        self.spend(length, reader)
        if offset + length > len(self._data):
            raise FormatError("its Go object has a name beyond its end")
        return str(self._data[offset : offset + length], "utf-8", "replace")
