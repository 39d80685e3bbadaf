"""What all witnesses say of one source line, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from whyheap.model.facts import AllocatorCall, CompilerFact, GoroutineGroup
from whyheap.model.measure import Measure
from whyheap.model.site import Site


class Agreement(StrEnum):
    """Whether compiler and allocation agree."""

    AGREE = "agree"
    ALLOCATES_SILENTLY = "allocates-silently"
    MAY_ALLOCATE = "may-allocate"
    NEVER_ALLOCATES = "never-allocates"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CalleeBytes:
    """Bytes that a line allocates through a call.

    `callee` is the function called from the line, `leaf` the function that allocates (symbols with package).
    """

    callee: str
    leaf: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Evidence:
    """All facts of one line of the user's code.

    `facts` are the compiler's, printed at this line (innermost elsewhere when inlined). `direct` is measured on the
    line itself (inlined code included), `callees` through calls. `calls` is None when no machine code was read.
    `call_bytes` splits `direct` by the calls' addresses; empty where the profile is of another build than the code.
    """

    site: Site
    facts: tuple[CompilerFact, ...] = ()
    direct: Measure = field(default_factory=Measure)
    callees: tuple[CalleeBytes, ...] = ()
    profiled: bool = False
    calls: tuple[AllocatorCall, ...] | None = None
    call_bytes: tuple[tuple[int, Measure], ...] = ()
    goroutines: tuple[GoroutineGroup, ...] = ()

    @property
    def measure(self) -> Measure:
        """All bytes of the line, calls included."""
        return sum((callee.measure for callee in self.callees), self.direct)
