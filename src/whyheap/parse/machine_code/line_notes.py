"""Why a line that "escapes to heap" has no call of the allocator: what its machine code does instead.

The compiler puts a value that never changes into read-only data (cmd/compile/internal/staticinit names it
`..stmp_N`; a closure without variables is `F.func1·f`), takes small integers from runtime.staticuint64s
(walk/convert.go dataWord), and gives everything of size 0 the address of runtime.zerobase (runtime/malloc.go). Code
that it proves dead leaves no instruction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whyheap.parse.machine_code.archive import ArchiveFunction


class Instead(StrEnum):
    """What a line has in place of an allocation, the most telling first."""

    ZERO_SIZE = "zero-size"
    CONSTANT = "constant"
    SMALL_VALUE = "small-value"
    NO_CODE = "no-code"  # removed as dead, or folded into other lines
    NOTHING = "nothing"  # instructions, but none that makes or names an object


@dataclass(slots=True)
class LineNotes:
    """Lines of one package's machine code, by spelled file: those with instructions, and what some have instead."""

    code: Mapping[str, frozenset[int]] = field(default_factory=dict)
    notes: Mapping[str, Mapping[int, Instead]] = field(default_factory=dict)

    def instead(self, file: str, line: int) -> Instead:
        """Return what the line has in place of an allocation."""
        found = self.notes.get(file, {}).get(line)
        if found is not None:
            return found
        return Instead.NOTHING if line in self.code.get(file, ()) else Instead.NO_CODE


_ORDER = tuple(Instead)


def line_notes(functions: Iterable[ArchiveFunction]) -> LineNotes:
    """Read the lines of all functions of a package."""
    code: dict[str, set[int]] = {}
    notes: dict[str, dict[int, Instead]] = {}
    for function in functions:
        for file, line in function.lines_with_code():
            code.setdefault(file, set()).add(line)
        for offset, symbol in function.references():
            instead = _meaning(symbol)
            if instead is None:
                continue
            for frame in function.frames(offset):
                there = notes.setdefault(frame.file, {})
                known = there.get(frame.line, instead)
                there[frame.line] = min(known, instead, key=_ORDER.index)
    return LineNotes({file: frozenset(lines) for file, lines in code.items()}, notes)


def _meaning(symbol: str) -> Instead | None:
    if symbol == "runtime.zerobase":
        return Instead.ZERO_SIZE
    if symbol == "runtime.staticuint64s":
        return Instead.SMALL_VALUE
    return Instead.CONSTANT if "..stmp_" in symbol or symbol.endswith("·f") else None
