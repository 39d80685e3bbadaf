"""The functions of an executable by address, with their names, files and the places of their tables.

Layout: runtime/symtab.go (pcHeader, functab, inlinedCall), runtime/runtime2.go (_func), internal/abi/symtab.go
(PCDATA_InlTreeIndex, FUNCDATA_InlTree), unchanged from 1.22 to 1.27. Stripping leaves all of it in place.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError
from whyheap.parse.machine_code.elf_image import ElfImage
from whyheap.parse.machine_code.module_data import LineTables, ModuleData
from whyheap.parse.machine_code.pc_values import Numbers

# Words of a _func record.
NAME, FILES, LINES, UNIT, START_LINE = 1, 5, 6, 8, 9
_STACK_DEPTHS, _TABLES, _TAIL = 4, 7, 10
_RECORD_WORDS: Final = 11
_INLINE_TABLE, _INLINE_TREE = 2, 3  # PCDATA_InlTreeIndex, FUNCDATA_InlTree
_NO_TREE: Final = 0xFFFFFFFF
_ENTRY_WORDS: Final = 4  # an inlinedCall: function id, name, distance of its call, line of its declaration
_LONGEST_NAME: Final = 1 << 16
_SAMPLED_TREES: Final = 2000
_MOST_TABLES: Final = 64

Words = NDArray[np.uint32]
Octets = NDArray[np.uint8]


class FunctionTable:
    """All functions, rows by address. `entries` are distances from the start of the text; the last one is its end."""

    def __init__(self, image: ElfImage, tables: LineTables, module: ModuleData) -> None:
        """Read where every function is. Raises `FormatError` when the tables contradict themselves."""
        self._image = image
        self._tables = tables
        self._module = module
        self.unit = tables.unit
        count = tables.functions
        self._words: Words = self._view(tables.functions_at, tables.size_bytes, "<u4")
        if 2 * count + 1 > len(self._words):
            raise FormatError("This executable's function table is cut off.")
        rows = self._words[: 2 * count].reshape(-1, 2)
        self._records: Numbers = rows[:, 1].astype(np.int64) // 4
        entries = np.append(rows[:, 0], self._words[2 * count]).astype(np.int64)
        if np.any(np.diff(entries) < 0) or int(self._records.max()) + _RECORD_WORDS > len(self._words):
            raise FormatError("This executable's function table is damaged.")
        self.entries: Numbers = np.minimum(entries, module.text_end - module.text)
        self.name_offsets = self.column(NAME)

    def _view(self, start: int, stop: int, kind: str) -> NDArray[np.uint32]:
        count = max(stop - start, 0) // np.dtype(kind).itemsize
        return np.frombuffer(self._image.data, kind, count, self._tables.offset + start)

    def __len__(self) -> int:
        """Return the number of functions."""
        return len(self._records)

    def column(self, word: int, rows: Numbers | slice = slice(None)) -> Numbers:
        """Return one word of the records of `rows`, all functions by default."""
        return self._words[np.minimum(self._records[rows] + word, len(self._words) - 1)].astype(np.int64)

    def kinds(self, rows: Numbers | slice = slice(None)) -> Numbers:
        """Return the number of each function's kind (internal/abi/symtab.go FuncID; 0 = an ordinary one)."""
        return self.column(_TAIL, rows) & 0xFF

    def flags(self, rows: Numbers) -> Numbers:
        """Return the flags of functions (internal/abi/symtab.go FuncFlag)."""
        return self.column(_TAIL, rows) >> 8 & 0xFF

    def stack_depths(self, rows: Numbers) -> Numbers:
        """Return the offset of each function's table of how far it has moved the stack pointer (0 = none)."""
        return self.column(_STACK_DEPTHS, rows)

    def inline_data(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Return the offset of each function's table of inlined calls (0 = none) and of its tree (-1 = none)."""
        counts = self.column(_TABLES, rows)
        table = np.where(counts > _INLINE_TABLE, self.column(_RECORD_WORDS + _INLINE_TABLE, rows), 0)
        last = len(self._words) - 1
        tree_at = np.minimum(self._records[rows] + _RECORD_WORDS + counts + _INLINE_TREE, last)
        has_tree = self.column(_TAIL, rows) >> 24 > _INLINE_TREE
        tree = np.where(has_tree, self._words[tree_at], _NO_TREE).astype(np.int64)
        return table, np.where((tree == _NO_TREE) | (tree % 4 != 0), -1, tree)

    @cached_property
    def table_starts(self) -> Numbers:
        """The sorted offsets of all tables of values in `values`: each ends where the next one starts."""
        columns = [self.column(word) for word in (_STACK_DEPTHS, FILES, LINES)]
        counts = np.minimum(self.column(_TABLES), _MOST_TABLES)
        columns += [
            self.column(_RECORD_WORDS + number, np.flatnonzero(counts > number)) for number in range(int(counts.max()))
        ]
        return np.unique(np.concatenate(columns))

    @cached_property
    def values(self) -> Octets:
        """The tables of values, one behind another."""
        start, stop = self._tables.values_at, self._tables.functions_at
        return np.frombuffer(self._image.data, np.uint8, max(stop - start, 0), self._tables.offset + start)

    @cached_property
    def inlined_calls(self) -> NDArray[np.int32]:
        """All inline trees as 32-bit words, from the address that their offsets count from."""
        views = [self._inlined_from(address) for address in self._module.gofunc_candidates]
        return max(views, key=self._sane_trees, default=np.empty(0, np.int32))

    def _inlined_from(self, address: int) -> NDArray[np.int32]:
        for region in self._image.loads:
            inside = address - region.address
            if 0 <= inside < region.size_bytes:
                return np.frombuffer(self._image.data, "<i4", (region.size_bytes - inside) // 4, region.offset + inside)
        return np.empty(0, np.int32)

    def _sane_trees(self, words: NDArray[np.int32]) -> int:
        """Count functions whose first inlined call has a name and lies in the function."""
        rows = np.arange(0, len(self), max(len(self) // _SAMPLED_TREES, 1))
        _, trees = self.inline_data(rows)
        usable = (trees >= 0) & (trees // 4 + _ENTRY_WORDS <= len(words))
        rows, at = rows[usable], trees[usable] // 4
        names, parents = words[at + 1], words[at + 2]
        inside = (parents >= 0) & (parents < self.entries[rows + 1] - self.entries[rows])
        return sum(self._starts_name(name) for name in names[inside].tolist())

    def _starts_name(self, offset: int) -> bool:
        return 0 < offset < len(self.names) and self.names[offset - 1] == 0

    @cached_property
    def names(self) -> bytes:
        """All names, each ended by a zero byte; also of functions that exist only inlined."""
        return self._blob(self._tables.names_at, self._tables.units_at)

    @cached_property
    def _paths(self) -> bytes:
        return self._blob(self._tables.files_at, self._tables.values_at)

    def _blob(self, start: int, stop: int) -> bytes:
        return bytes(self._image.data[self._tables.offset + start : self._tables.offset + stop])

    @cached_property
    def _units(self) -> Words:
        return self._view(self._tables.units_at, self._tables.files_at, "<u4")

    def name(self, offset: int) -> str:
        """Return the linker's name at an offset in `names`, "" when there is none."""
        return _string(self.names, offset)

    def path_offset(self, unit: int, number: int) -> int:
        """Return where the path of file `number` of a compilation unit stands, -1 when there is none."""
        at = unit + number
        return int(self._units[at]) if number >= 0 and at < len(self._units) else -1

    def path(self, offset: int) -> str:
        """Return the raw path at an offset in the paths, "" when there is none."""
        return _string(self._paths, offset)

    @property
    def text_bytes(self) -> int:
        """How long all names and paths are together."""
        return len(self.names) + len(self._paths)

    def rows_at(self, distances: Numbers) -> Numbers:
        """Return the functions at distances from the start of the text, -1 before the first one."""
        return np.searchsorted(self.entries[:-1], distances, "right") - 1


def _string(blob: bytes, offset: int) -> str:
    if not 0 <= offset < len(blob):
        return ""
    stop = blob.find(b"\0", offset, offset + _LONGEST_NAME)
    return blob[offset:stop].decode("utf-8", "replace") if stop >= 0 else ""
