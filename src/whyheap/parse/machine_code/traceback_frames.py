"""What the runtime's tracebacks see in a stack: the frames of a program counter, and how far it is to the caller's.

Read in src/runtime of Go 1.22.10 to 1.27.3: symtab.go (_func, inlinedCall, pcsp by funcspdelta), traceback.go
(resolveInternal: a function moves the stack pointer by that many bytes, FuncFlagTopFrame ends a stack, behind
FuncFlagSPWrite nothing is known; symPC: a return address belongs to the instruction before it; isInjectedCall: what
a signal interrupted has no call). Functions with the last FuncID are wrappers that the compiler wrote
(internal/abi/symtab.go FuncIDWrapper), which no traceback shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whyheap.parse.machine_code.inline_stacks import SiteNames, StackTables
from whyheap.parse.machine_code.pc_values import Numbers, PcValues, table_ends
from whyheap.parse.machine_code.pclntab import FunctionTable
from whyheap.parse.machine_code.program import Program

_TOP_FRAME: Final = 1
_WRITES_STACK_POINTER: Final = 2
_INJECTED: Final = frozenset({"runtime.asyncPreempt", "runtime.debugCallV2", "runtime.sigpanic"})
_SWITCHES_BACK: Final = "runtime.cgocallback"  # writes the stack pointer, but both stacks can be walked
_NO_KIND: Final = -1
_BATCH: Final = 2048


class PrintedFrame(NamedTuple):
    """One frame: the linker's symbol, the file as it was compiled, the line of the call and of the declaration.

    No traceback shows what `is_wrapper`. `place` is its instruction, a distance from the start of the text.
    """

    symbol: str
    file: str
    line: int
    start_line: int
    is_wrapper: bool
    place: int


@dataclass(frozen=True, slots=True)
class Steps:
    """For each program counter: how to get to its caller.

    `frame_bytes` is how far the stack pointer is from where it was at the function's entry, -1 where no caller can be
    found; `entries` are distances of the functions' first instructions, -1 outside of all; `injects` tells that the
    caller was interrupted, not called from.
    """

    frame_bytes: Numbers
    entries: Numbers
    injects: NDArray[np.bool_]


class TracebackFrames:
    """Frames and steps of one program. Program counters are distances from the start of its text."""

    def __init__(self, program: Program) -> None:
        """Read which functions are wrappers."""
        self._table: FunctionTable = program.table
        self._text_bytes = program.module.text_end - program.module.text
        self._names = SiteNames(program.table, str)
        self._wrapper = int(program.table.kinds().max(initial=0)) or _NO_KIND

    def entries(self, distances: Numbers) -> Numbers:
        """Return where the functions at these places begin, -1 outside of Go's text."""
        rows = self._rows(distances)
        return np.where(rows >= 0, self._table.entries[rows], -1)

    def _rows(self, distances: Numbers) -> Numbers:
        rows = self._table.rows_at(distances)
        return np.where((distances >= 0) & (distances < self._text_bytes), rows, -1)

    def frames(self, distances: Numbers) -> list[tuple[PrintedFrame, ...]]:
        """Return the frames at each place, inlined ones included, innermost first; none outside of Go's text.

        Raises `FormatError` when the tables are damaged.
        """
        found: list[tuple[PrintedFrame, ...]] = [()] * len(distances)
        rows = self._rows(distances)
        inside = np.flatnonzero(rows >= 0)
        for first in range(0, len(inside), _BATCH):
            part = inside[first : first + _BATCH]
            for at, stack in zip(part.tolist(), self._decoded(rows[part], distances[part]), strict=True):
                found[at] = tuple(stack)
        return found

    def _decoded(self, rows: Numbers, distances: Numbers) -> list[list[PrintedFrame]]:
        owners, indexes = np.unique(rows, return_inverse=True)
        tables = StackTables(self._table, owners)
        entries = self._table.entries[rows]
        units = tables.units[indexes].tolist()
        found: list[list[PrintedFrame]] = [[] for _ in range(len(rows))]
        for level in tables.levels(indexes, distances - entries):
            places = level.places + entries[level.active]
            columns = (level.active, level.names, level.files, level.lines, level.starts, level.kinds, places)
            for at, name, number, line, start, kind, place in zip(*(one.tolist() for one in columns), strict=True):
                symbol, file = self._names.symbol(name), self._names.file(units[at], number)
                is_wrapper = kind == self._wrapper
                found[at].append(PrintedFrame(symbol, file, max(line, 0), max(start, 0), is_wrapper, place))
        return found

    def steps(self, distances: Numbers) -> Steps:
        """Return how to get from each place, where a function called another or was interrupted, to its caller.

        Raises `FormatError` when the tables are damaged.
        """
        rows = self._rows(distances)
        known = np.flatnonzero(rows >= 0)
        frame_bytes, entries = np.full(len(rows), -1, np.int64), np.full(len(rows), -1, np.int64)
        injects = np.zeros(len(rows), np.bool_)
        if not len(known):
            return Steps(frame_bytes, entries, injects)
        table = self._table
        owners, indexes = np.unique(rows[known], return_inverse=True)
        offsets = table.stack_depths(owners)
        starts, which = np.unique(offsets, return_inverse=True)
        total = len(table.values)
        ends = table_ends(table.table_starts, total)[np.searchsorted(table.table_starts, starts)]
        depths = PcValues(table.values, np.minimum(starts, total), np.minimum(ends, total), table.unit)
        entries[known] = table.entries[rows[known]]
        names = [self._symbol(row) for row in owners.tolist()]
        flags = table.flags(owners)
        leads_back = np.array([name == _SWITCHES_BACK for name in names])
        ends_here = (flags & _TOP_FRAME != 0) | (offsets == 0)
        ends_here |= (flags & _WRITES_STACK_POINTER != 0) & ~leads_back
        found = depths.at(which[indexes], distances[known] - entries[known])
        frame_bytes[known] = np.where(ends_here[indexes], -1, found)
        injects[known] = np.array([name in _INJECTED for name in names])[indexes]
        return Steps(frame_bytes, entries, injects)

    def _symbol(self, row: int) -> str:
        return self._names.symbol(int(self._table.name_offsets[row]))
