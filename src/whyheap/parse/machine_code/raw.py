"""Compiled functions as both sources of machine code give them, binaries and archives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from whyheap.model.site import Site, Stack


@dataclass(frozen=True, slots=True)
class RawCall:
    """A direct call: `offset` of the call instruction from the function's start, the callee's linker symbol.

    `type` names the type whose descriptor is loaded just before the call, spelled as Go prints it ("main.T",
    "[]uint8"); empty when there is none.
    """

    offset: int
    callee: str
    type: str = ""


class RawFunction(Protocol):
    """One compiled function. `address` is 0 in an archive; `site` is the declaration (column 0)."""

    @property
    def symbol(self) -> str:
        """Linker name with the package: "net/http.(*Server).Serve.func1"."""

    @property
    def site(self) -> Site:
        """Where it is declared."""

    @property
    def address(self) -> int:
        """Where it is linked to."""

    @property
    def code(self) -> bytes | memoryview:
        """Its instructions; displacements of calls may be unresolved in an archive."""

    @property
    def calls(self) -> Sequence[RawCall]:
        """All direct calls by offset; jumps to other functions (tail calls) included."""

    def frames(self, offset: int) -> Stack:
        """Return the inline stack at an instruction, innermost first: at least the function itself."""
