"""Facts: one predicate each, about one site, said by one witness. Never a judgement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from whyheap.model.site import Position, Site


class FactKind(StrEnum):
    """What a compiler fact speaks of; the values are those of `scan --facts`."""

    HEAP = "heap"
    STACK = "stack"
    PARAM_LEAK = "param-leak"
    INLINE = "inline"
    BOUNDS = "bounds"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of a flow: the expression and the compiler's reason in parentheses ("spill", "return", ...)."""

    expr: str
    reason: str
    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Flow:
    """`to <- from`, as in "flow: {heap} <- &x": why the right side's storage reaches the left side."""

    to: str
    from_: str
    steps: tuple[FlowStep, ...] = ()


@dataclass(frozen=True, slots=True)
class CompilerFact:
    """One diagnostic of the compiler.

    `printed_at` is where the compiler prints it (outermost); `site` is innermost, where the code stands.
    `inlined_at` lists the call positions from the innermost site outward, ending at `printed_at`; empty = not inlined.
    `message` is the verdict as -m=1 prints it; `subject` the expression or name it speaks of.
    """

    kind: FactKind
    printed_at: Position
    function: str
    package: str
    message: str
    subject: str
    site: Position
    inlined_at: tuple[Position, ...] = ()
    flow: tuple[Flow, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """All reasons of the flow in order, from the storage to where it escapes."""
        return tuple(step.reason for flow in self.flow for step in flow.steps)


class CallPath(StrEnum):
    """When a call runs, each time that its function does, as the function's control flow tells."""

    ALWAYS = "always"  # on every path from the entry to a return
    LOOP = "loop"  # on every path, were each loop entered once
    BRANCH = "branch"  # on some path to a return
    COLD = "cold"  # only where the path ends in a panic or exit
    UNKNOWN = "unknown"  # the control flow was not understood


@dataclass(frozen=True, slots=True)
class AllocatorCall:
    """A call to Go's allocator in machine code.

    `site` is innermost; `inlined_at` lists the calls it is inlined through, from there outward, each with the
    function that it stands in; empty = not inlined. `callee` is the
    runtime's function ("runtime.newobject"), `type` the allocated type where known. `address` is that of the call
    instruction in a binary, in a package's archive its offset from the start of the function `symbol`.
    """

    site: Site
    callee: str
    type: str
    address: int
    path: CallPath = CallPath.UNKNOWN
    inlined_at: tuple[Site, ...] = ()
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class GoroutineGroup:
    """Goroutines with the same stack; `created_by` is the site of the go statement where known."""

    count: int
    state: str
    stack: tuple[Site, ...]
    created_by: Site | None = None
