"""Inline stacks of many instructions at once, from the tables of their functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from whyheap.errors import FormatError
from whyheap.model.site import Site, Stack
from whyheap.parse.go_symbol import function_name, split_symbol
from whyheap.parse.machine_code.pc_values import Numbers, PcValues, table_ends
from whyheap.parse.machine_code.pclntab import FILES, LINES, NAME, START_LINE, UNIT, FunctionTable

_MOST_INLINED: Final = 100
_ENTRY_WORDS: Final = 4  # runtime/symtabinl.go inlinedCall: funcID, nameOff, parentPc, startLine


class StackTables:
    """The tables of some functions, decoded; `index` below counts in `rows`."""

    def __init__(self, functions: FunctionTable, rows: Numbers) -> None:
        """Decode the tables of `rows` together."""
        self._functions = functions
        self._names = functions.column(NAME, rows)
        self._kinds = functions.kinds(rows)
        self._starts = functions.column(START_LINE, rows)
        self.units = functions.column(UNIT, rows)
        inline, self._trees = functions.inline_data(rows)
        offsets = np.concatenate((functions.column(FILES, rows), functions.column(LINES, rows), inline))
        starts, inverse = np.unique(offsets, return_inverse=True)
        known = functions.table_starts
        total = len(functions.values)
        ends = table_ends(known, total)[np.searchsorted(known, starts)] if len(starts) else starts
        self._values = PcValues(functions.values, np.minimum(starts, total), np.minimum(ends, total), functions.unit)
        self._files, self._lines, self._inlines = inverse.reshape(3, -1)
        self._trees = np.where(inline > 0, self._trees, -1)

    def files(self, indexes: Numbers, distances: Numbers) -> Numbers:
        """Return the file number, within the unit, of instructions."""
        return self._values.at(self._files[indexes], distances)

    def levels(self, indexes: Numbers, distances: Numbers) -> list[Level]:
        """Return the frames of instructions at `distances` from the entries, innermost first, a level at a time."""
        found = []
        active = np.arange(len(indexes))
        for _ in range(_MOST_INLINED):
            if not len(active):
                break
            function = indexes[active]
            kinds, names, calls, starts = self._inlined(function, distances)
            inlined = names >= 0
            found.append(
                Level(
                    active,
                    np.where(inlined, names, self._names[function]),
                    self.files(function, distances),
                    self._values.at(self._lines[function], distances),
                    np.where(inlined, starts, self._starts[function]),
                    np.where(inlined, kinds & 0xFF, self._kinds[function]),
                    distances,
                )
            )
            active, distances = active[inlined], calls[inlined]
        return found

    def _inlined(self, indexes: Numbers, distances: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Return kind and name of the function inlined there (-1 = none), the distance of its call, its first line."""
        trees = self._trees[indexes]
        numbers = self._values.at(self._inlines[indexes], distances)
        words = self._functions.inlined_calls
        at = trees // 4 + 4 * numbers
        known = np.flatnonzero((trees >= 0) & (numbers >= 0) & (at + 3 < len(words)))
        found = np.full((_ENTRY_WORDS, len(indexes)), -1, np.int64)
        for word in range(_ENTRY_WORDS):
            found[word, known] = words[at[known] + word]
        kinds, names, calls, starts = found
        return kinds, names, calls, starts


@dataclass(frozen=True, slots=True)
class Level:
    """One depth of several stacks: which instructions reach it, with name offset, file number and line each.

    `starts` are the lines of the functions' declarations, `kinds` their numbers in internal/abi/symtab.go FuncID;
    `places` are the distances of the frames' own instructions from the entry.
    """

    active: Numbers
    names: Numbers
    files: Numbers
    lines: Numbers
    starts: Numbers
    kinds: Numbers
    places: Numbers


@dataclass(slots=True)
class SiteNames:
    """Spells names and files of one executable, each once. Raises `FormatError` where names overlap: no linker's do."""

    functions: FunctionTable
    spell: Callable[[str], str]
    _files: dict[tuple[int, int], str] = field(default_factory=dict)
    _paths: dict[int, str] = field(default_factory=dict)
    _symbols: dict[int, str] = field(default_factory=dict)
    _names: dict[int, tuple[str, str]] = field(default_factory=dict)
    _spelled: int = 0

    def file(self, unit: int, number: int) -> str:
        """Return the spelled path of a unit's file."""
        known = self._files.get((unit, number))
        if known is None:
            offset = self.functions.path_offset(unit, number)
            known = self._paths.get(offset)
            if known is None:
                known = self._paths[offset] = self.spell(self._counted(self.functions.path(offset)))
            self._files[unit, number] = known
        return known

    def _counted(self, text: str) -> str:
        self._spelled += len(text)
        if self._spelled > self.functions.text_bytes:
            raise FormatError("This executable's names are damaged: they overlap.")
        return text

    def function(self, name: int) -> tuple[str, str]:
        """Return package and function of a name, spelled as stack traces do: `G[...]`."""
        known = self._names.get(name)
        if known is None:
            package, function = split_symbol(self.symbol(name))
            known = self._names[name] = package, function_name(function)
        return known

    def symbol(self, name: int) -> str:
        """Return the linker's name at an offset in the names."""
        known = self._symbols.get(name)
        if known is None:
            known = self._symbols[name] = self._counted(self.functions.name(name))
        return known

    def site(self, unit: int, number: int, line: int, name: int) -> Site:
        """Return a frame."""
        package, function = self.function(name)
        return Site(self.file(unit, number), max(line, 0), 0, function, package)

    def stacks(self, tables: StackTables, indexes: Numbers, distances: Numbers) -> list[Stack]:
        """Return the inline stack of each instruction, innermost first."""
        found: list[list[Site]] = [[] for _ in range(len(indexes))]
        units = tables.units[indexes].tolist()
        for level in tables.levels(indexes, distances):
            columns = (level.active, level.files, level.lines, level.names)
            for at, number, line, name in zip(*(column.tolist() for column in columns), strict=True):
                found[at].append(self.site(units[at], number, line, name))
        return [tuple(stack) for stack in found]
