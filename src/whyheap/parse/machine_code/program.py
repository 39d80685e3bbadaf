"""The parts of one executable that its functions and calls are read from."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.parse.machine_code.direct_calls import Branches, find_branches, loaded_addresses
from whyheap.parse.machine_code.elf_image import ElfImage
from whyheap.parse.machine_code.inline_stacks import SiteNames
from whyheap.parse.machine_code.module_data import find_line_tables, find_module_data
from whyheap.parse.machine_code.pc_values import Numbers
from whyheap.parse.machine_code.pclntab import FunctionTable
from whyheap.parse.machine_code.type_names import TypeNames

_BATCH: Final = 1 << 14


class Program:
    """Image, functions, names and types of an executable. Places in it are distances from the start of its text."""

    def __init__(
        self, data: memoryview, spell: Callable[[str], str], type_argument: Callable[[str], int | None]
    ) -> None:
        """Read the headers; `type_argument` is that of `goruntime.allocators`.

        Raises `FormatError` for what is no executable of Go 1.20 or newer.
        """
        self.image = ElfImage(data)
        tables = find_line_tables(self.image)
        self.module = find_module_data(self.image, tables)
        self.table = FunctionTable(self.image, tables, self.module)
        self.names = SiteNames(self.table, spell)
        self.types = TypeNames(self.image, self.module)
        self._type_argument = type_argument

    @cached_property
    def code(self) -> NDArray[np.uint8]:
        """The whole text."""
        size_bytes = self.module.text_end - self.module.text
        return np.frombuffer(
            self.image.data, np.uint8, size_bytes, self.image.offset_of(self.module.text, size_bytes) or 0
        )

    def symbol(self, row: int) -> str:
        """Return the linker's name of a function."""
        return self.names.symbol(int(self.table.name_offsets[row]))

    def branches(self, start: int, stop: int) -> Branches:
        """Return calls and jumps that lead to the entry of a function, save for a jump to its own one: a loop."""
        table = self.table
        found = find_branches(self.image.arch, self.code, start, stop, with_jumps=True)
        rows = np.clip(table.rows_at(found.targets), 0, len(table) - 1)
        leads = table.entries[rows] == found.targets
        leads &= ~(found.jumps & (rows == table.rows_at(found.places)))
        return Branches(found.places[leads], found.targets[leads], found.jumps[leads])

    def allocated_types(self, places: Numbers, callees: Numbers, owners: Numbers) -> list[str]:
        """Return for each call at `places` the type whose descriptor it passes, "" for none."""
        distinct, inverse = np.unique(callees, return_inverse=True)
        positions = [self._type_argument(self.symbol(row)) for row in distinct.tolist()]
        arguments = np.array([-1 if at is None else at for at in positions], np.int64)[inverse]
        found = np.zeros(len(places), np.int64)
        passing = np.flatnonzero(arguments >= 0)
        for first in range(0, len(passing), _BATCH):
            rows = passing[first : first + _BATCH]
            found[rows] = loaded_addresses(
                self.image.arch,
                self.code,
                self.module.text,
                places[rows],
                arguments[rows],
                self.table.entries[owners[rows]],
            )
        return [self.types.name(address) if address else "" for address in found.tolist()]
