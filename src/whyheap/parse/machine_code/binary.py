"""Executables as a witness: which allocator calls a program contains, by line and inline stack, stripped or not."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from whyheap.model.facts import AllocatorCall
from whyheap.parse.machine_code.binary_functions import BinaryFunction, Blocks
from whyheap.parse.machine_code.build_marks import build_ids, go_version
from whyheap.parse.machine_code.direct_calls import find_branches
from whyheap.parse.machine_code.inline_stacks import StackTables
from whyheap.parse.machine_code.pc_values import Numbers
from whyheap.parse.machine_code.program import Program
from whyheap.parse.source_path import spell_foreign

_PIECE_BYTES: Final = 1 << 22
_BATCH_CALLS: Final = 4096


@dataclass(frozen=True, slots=True)
class BuildIds:
    """Go's build id and the system linker's (hexadecimal), each empty when the program has none."""

    go: str
    gnu: str


class Binary:
    """One executable for linux/amd64 or linux/arm64, Go 1.20 or newer. Lines are read when they are asked for."""

    def __init__(
        self,
        data: bytes | memoryview | mmap.mmap,
        is_allocator: Callable[[str], bool],
        type_argument: Callable[[str], int | None],
        spell: Callable[[str], str] = spell_foreign,
    ) -> None:
        """Read the headers of `data`, best a mapping of the file.

        `is_allocator` and `type_argument` are those of `whyheap.goruntime.allocators`; `spell` turns raw paths into the
        contract's. Raises `FormatError` for what is no such executable.
        """
        self._program = Program(memoryview(data), spell, type_argument)
        self._is_allocator = is_allocator
        self._blocks = Blocks(self._program)

    @property
    def arch(self) -> str:
        """The architecture as GOARCH spells it."""
        return self._program.image.arch

    @cached_property
    def go_version(self) -> str:
        """Go's version as `go version FILE` prints it: "go1.27.3"; empty when the program does not say."""
        return go_version(self._program.image)

    @cached_property
    def build_ids(self) -> BuildIds:
        """What tells this build from others."""
        return BuildIds(*build_ids(self._program.image))

    @property
    def base_address(self) -> int:
        """Where the file's first byte is linked to: what a position independent program is moved by is counted from."""
        first = min(self._program.image.loads, key=lambda region: region.address)
        return first.address - first.offset

    @cached_property
    def linked_symbols(self) -> frozenset[str]:
        """Linker names of all functions that are in the program as code of their own."""
        return frozenset(self._rows_by_name)

    @cached_property
    def inlined_only_symbols(self) -> frozenset[str]:
        """Linker names of functions whose code is in the program only where it was inlined."""
        names = (name.decode("utf-8", "replace") for name in self._program.table.names.split(b"\0") if name)
        return frozenset(names) - self.linked_symbols

    @cached_property
    def _rows_by_name(self) -> dict[str, int]:
        """Rows by name; of several with one name (wrappers for the other calling convention) the largest."""
        table = self._program.table
        by_size = np.argsort(np.diff(table.entries), kind="stable").tolist()
        return {self._program.symbol(row): row for row in by_size}

    def read(self, address: int, size_bytes: int) -> memoryview | None:
        """Return bytes of the program as linked, None when they are not all in the file."""
        return self._program.image.read(address, size_bytes)

    def functions(self) -> Iterator[BinaryFunction]:
        """Yield all functions by address."""
        return (BinaryFunction(self._blocks, row) for row in range(len(self._program.table)))

    def function(self, symbol: str) -> BinaryFunction | None:
        """Return the function with this linker name, None when the program has none."""
        row = self._rows_by_name.get(symbol)
        return None if row is None else BinaryFunction(self._blocks, row)

    def allocator_calls(self) -> Iterator[AllocatorCall]:
        """Yield all calls of the allocator in the whole program, by address. `path` stays unknown."""
        program = self._program
        table = program.table
        names = map(program.names.symbol, table.name_offsets.tolist())
        wanted = table.entries[:-1][np.fromiter(map(self._is_allocator, names), np.bool_, len(table))]
        for start in range(0, len(program.code), _PIECE_BYTES):
            found = find_branches(self.arch, program.code, start, start + _PIECE_BYTES)
            hits = np.flatnonzero(np.isin(found.targets, wanted) & (found.places >= table.entries[0]))
            for first in range(0, len(hits), _BATCH_CALLS):
                batch = hits[first : first + _BATCH_CALLS]
                yield from self._calls(found.places[batch], found.targets[batch])

    def _calls(self, places: Numbers, targets: Numbers) -> Iterator[AllocatorCall]:
        program = self._program
        owners, callees = program.table.rows_at(places), program.table.rows_at(targets)
        rows, indexes = np.unique(owners, return_inverse=True)
        stacks = program.names.stacks(StackTables(program.table, rows), indexes, places - program.table.entries[owners])
        types = program.allocated_types(places, callees, owners)
        columns = (callees.tolist(), places.tolist(), owners.tolist())
        for stack, type_, callee, place, owner in zip(stacks, types, *columns, strict=True):
            yield AllocatorCall(
                site=stack[0],
                callee=program.symbol(callee),
                type=type_,
                address=program.module.text + place,
                inlined_at=stack[1:],
                symbol=program.symbol(owner),
            )
