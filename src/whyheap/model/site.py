"""Where something happens in Go source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: 1-based line; column in bytes, 1-based, 0 = unknown."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        """Print as Go tools do: file:line[:column]."""
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A position inside a function.

    `file` is spelled as CONTRACT says: relative to the main module's root, or as with -trimpath outside it.
    `function` is Go's symbol without the package: `F`, `(*T).M`, `F.func1`, `G[...]`.
    """

    file: str
    line: int
    column: int = 0
    function: str = ""
    package: str = ""

    @property
    def position(self) -> Position:
        """The place without the function."""
        return Position(self.file, self.line, self.column)

    @property
    def symbol(self) -> str:
        """The function with its package, as the linker names it."""
        return f"{self.package}.{self.function}" if self.package else self.function


Stack = tuple[Site, ...]
"""Call stack, leaf first, inline frames included."""
