"""What `whyheap explain` knows of one line beyond the findings of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whyheap.model.facts import AllocatorCall, CompilerFact
    from whyheap.model.machine_code import Allocates
    from whyheap.report.decision_path import Beyond
    from whyheap.report.disassembly import Instruction


@dataclass(frozen=True, slots=True)
class Listing:
    """The code of one compiled function. `calls` are those of the allocator that belong to the line."""

    symbol: str
    architecture: str
    instructions: tuple[Instruction, ...]
    calls: tuple[AllocatorCall, ...] = ()
    address: int = 0

    @property
    def offsets(self) -> frozenset[int]:
        """Where the calls stand, from the function's start; a binary's calls carry addresses."""
        return frozenset(call.address - self.address for call in self.calls)


@dataclass(frozen=True, slots=True)
class FunctionAllocation:
    """Whether a function allocates as a whole, with what it calls, and by which of its callees."""

    symbol: str
    allocates: Allocates
    calls: int = 0
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineDetails:
    """Facts of one line that are no findings, its code, and what is near.

    `inlined` are heap facts about code of other lines that is inlined into this one.
    `last_line` is the file's number of lines, 0 when its source is not at hand. `with_code` are the lines of the file
    that have code, None when it is not known; `near` those that allocate.
    `never_instantiated` is the generic function around the line of which the scanned packages have no instance.
    `is_linked`: the code is that of a linked program, and calls have addresses rather than offsets in their function.
    """

    beyond: Beyond | None = None
    said: tuple[CompilerFact, ...] = ()
    inlined: tuple[CompilerFact, ...] = ()
    listings: tuple[Listing, ...] = ()
    functions: tuple[FunctionAllocation, ...] = ()
    near: tuple[int, ...] = ()
    with_code: tuple[int, ...] | None = None
    last_line: int = 0
    code_was_read: bool = False
    is_linked: bool = False
    never_instantiated: str = ""
