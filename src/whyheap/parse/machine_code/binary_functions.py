"""Functions of an executable, read in blocks: a block's tables and calls are decoded together when one is asked for."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import Final

import numpy as np

from whyheap.errors import FormatError
from whyheap.model.site import Site, Stack
from whyheap.parse.machine_code.inline_stacks import StackTables
from whyheap.parse.machine_code.pclntab import START_LINE
from whyheap.parse.machine_code.program import Program
from whyheap.parse.machine_code.raw import RawCall

_BLOCK_FUNCTIONS: Final = 1024
_KEPT_BLOCKS: Final = 4
_LARGEST_BLOCK_BYTES: Final = 1 << 27


class Block:
    """Neighbouring functions."""

    def __init__(self, program: Program, first: int) -> None:
        """Stand for the functions from `first`."""
        self._program = program
        self.first = first
        self._rows = np.arange(first, min(first + _BLOCK_FUNCTIONS, len(program.table)))

    @cached_property
    def tables(self) -> StackTables:
        """Their decoded tables."""
        return StackTables(self._program.table, self._rows)

    @cached_property
    def sites(self) -> list[Site]:
        """Where they are declared."""
        table, names = self._program.table, self._program.names
        files = self.tables.files(self._rows - self.first, np.zeros(len(self._rows), np.int64))
        columns = (self.tables.units, files, table.column(START_LINE, self._rows), table.name_offsets[self._rows])
        return [names.site(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    @cached_property
    def calls(self) -> list[list[RawCall]]:
        """The direct calls of each. Raises `FormatError` for functions longer than any linker writes."""
        program = self._program
        entries = program.table.entries
        start, stop = entries[self.first], entries[self._rows[-1] + 1]
        if stop - start > _LARGEST_BLOCK_BYTES:
            raise FormatError("This executable's function table is damaged: some functions are far too long.")
        found = program.branches(int(start), int(stop))
        owners, callees = program.table.rows_at(found.places), program.table.rows_at(found.targets)
        types = program.allocated_types(found.places, callees, owners)
        distances = (found.places - entries[owners]).tolist()
        calls: list[list[RawCall]] = [[] for _ in self._rows]
        for owner, distance, callee, type_ in zip(owners.tolist(), distances, callees.tolist(), types, strict=True):
            calls[owner - self.first].append(RawCall(distance, program.symbol(callee), type_))
        return calls

    @cached_property
    def stacks_of_calls(self) -> dict[tuple[int, int], Stack]:
        """The inline stacks at all calls, by number of the function in the block and offset."""
        places = [(index, call.offset) for index, calls in enumerate(self.calls) for call in calls]
        indexes, offsets = np.array(places, np.int64).reshape(-1, 2).T
        return dict(zip(places, self._program.names.stacks(self.tables, indexes, offsets), strict=True))


class Blocks:
    """The blocks of a program; only the last ones in use are kept."""

    def __init__(self, program: Program) -> None:
        """Keep the program; nothing is read yet."""
        self.program = program
        self._kept: OrderedDict[int, Block] = OrderedDict()

    def at(self, row: int) -> Block:
        """Return the block of a function."""
        first = row - row % _BLOCK_FUNCTIONS
        block = self._kept.pop(first, None) or Block(self.program, first)
        self._kept[first] = block
        if len(self._kept) > _KEPT_BLOCKS:
            self._kept.popitem(last=False)
        return block


class BinaryFunction:
    """One function of an executable, a `RawFunction`.

    On amd64 a byte within another instruction is taken for a call when the four bytes behind it happen to be the
    distance to a function: of N such bytes about N * functions / 2**32.
    """

    def __init__(self, blocks: Blocks, row: int) -> None:
        """Stand for function number `row`."""
        self._blocks = blocks
        self._row = row

    @property
    def symbol(self) -> str:
        """The linker's name, with the package."""
        return self._blocks.program.symbol(self._row)

    @property
    def site(self) -> Site:
        """Where it is declared."""
        block = self._blocks.at(self._row)
        return block.sites[self._row - block.first]

    @property
    def address(self) -> int:
        """Where it is linked to; in a PIE relative to where that is loaded."""
        program = self._blocks.program
        return program.module.text + int(program.table.entries[self._row])

    @property
    def code(self) -> memoryview:
        """Its instructions, and what fills the space to the next function."""
        program = self._blocks.program
        start, stop = program.table.entries[self._row : self._row + 2].tolist()
        return program.code[start:stop].data

    @property
    def calls(self) -> list[RawCall]:
        """All direct calls by offset, jumps to other functions included."""
        block = self._blocks.at(self._row)
        return block.calls[self._row - block.first]

    def frames(self, offset: int) -> Stack:
        """Return the inline stack at an instruction, innermost first."""
        block = self._blocks.at(self._row)
        index = self._row - block.first
        known = block.stacks_of_calls.get((index, offset))
        if known is not None:
            return known
        (stack,) = self._blocks.program.names.stacks(block.tables, np.array([index]), np.array([offset]))
        return stack
