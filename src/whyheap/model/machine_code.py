"""What the machine code of a function says about allocation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.site import Site


class Allocates(StrEnum):
    """Whether a function allocates each time it runs to its return."""

    ALWAYS = "always"
    MAY = "may"  # on some paths, or by an allocator that may do without
    NEVER = "never"
    UNKNOWN = "unknown"  # code that was not seen: an indirect call, assembly, not linked


@dataclass(frozen=True, slots=True)
class CodeCall:
    """A call to another function. `callee` is its linker symbol, "" for a call through an interface or func value."""

    callee: str
    path: CallPath


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """One compiled function. `site` is where it is declared, `symbol` its linker name, package included.

    `calls` are its calls of the allocator, in order of address. `callees` are its other calls, one per callee with the
    most certain path; calls of the runtime that never allocate are left out. `inlined` are the symbols of functions
    whose code is part of it. `alone` tells whether it allocates by its own calls, callees left out of account.
    """

    site: Site
    symbol: str
    address: int
    size_bytes: int
    calls: tuple[AllocatorCall, ...] = ()
    callees: tuple[CodeCall, ...] = ()
    inlined: tuple[str, ...] = ()
    alone: Allocates = Allocates.UNKNOWN
