"""Insertions into source text that add no line, and the way back from new positions to old ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from whyheap.lab.cut.tree import Tree


@dataclass(slots=True)
class Edits:
    """Insertions by file. `moved` maps the new place of a renamed parameter's variable to its old one."""

    insertions: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    replaced: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    moved: dict[tuple[str, int, int], tuple[int, int]] = field(default_factory=dict)

    def insert(self, file: str, offset: int, text: str, *, outer: bool = False) -> None:
        """Insert before an index; at one index `outer` texts stand before the others."""
        known = self.insertions[file].get(offset, "")
        if text not in known:
            self.insertions[file][offset] = text + known if outer else known + text

    def wrap(self, file: str, begin: int, end: int, before: str, after: str = ")") -> None:
        """Put text around an expression, once."""
        if self.insertions[file].get(begin, "").find(before) < 0:
            self.insert(file, begin, before, outer=True)
            self.insertions[file][end] = after + self.insertions[file].get(end, "")

    def blank(self, file: str, offset: int, text: str) -> None:
        """Replace text of equal length."""
        self.replaced[file][offset] = text

    def applied(self, file: str, text: str) -> str:
        """Return a file's text with its edits."""
        for offset, new in self.replaced.get(file, {}).items():
            text = text[:offset] + new + text[offset + len(new) :]
        for offset, new in sorted(self.insertions.get(file, {}).items(), reverse=True):
            text = text[:offset] + new + text[offset:]
        return text

    @property
    def files(self) -> list[str]:
        """Files that change."""
        return sorted(set(self.insertions) | set(self.replaced))


def ways_back(edits: Edits, trees: dict[str, Tree]) -> dict[tuple[str, int], list[tuple[int, int]]]:
    """Return, by file and line, the (column, length) of each insertion in order of columns of the old text."""
    back: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for file, there in edits.insertions.items():
        for offset, text in sorted(there.items()):
            line, column = trees[file].position(offset)
            back[file, line].append((column, len(text.encode("utf-8", "surrogateescape"))))
    return back


def old_column(insertions: list[tuple[int, int]], column: int) -> int:
    """Return the column that a new one had before; one inside of an insertion has that of the insertion."""
    shift = 0
    for at, length in insertions:
        if column >= at + shift + length:
            shift += length
        elif column > at + shift:
            return at
        else:
            break
    return column - shift
