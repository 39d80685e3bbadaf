"""Roots of the escape graph: the one edge that keeps values on the heap, and the way from a value to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from whyheap.model.facts import CompilerFact
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site


class RootKind(StrEnum):
    """What kind of edge holds: each is cut in one way."""

    PARAMETER = "parameter"  # of a function in the scan, which lets it leak
    CALLEE = "callee"  # a function outside the scan, known by its symbol
    INTERFACE = "interface-method"  # an unknown method behind an interface
    FUNC_VALUE = "func-value"  # an unknown function behind a variable or field
    RESULT = "result"  # returned by a function of the scan
    GLOBAL = "global"  # stored in a package-level variable
    STORE = "store"  # stored through a pointer
    MAP = "map"  # key or value of a map
    APPEND = "append"  # element of a slice that grows
    SEND = "send"  # sent on a channel
    PANIC = "panic"  # the value of a panic
    STARTED = "started"  # a go statement, or a defer in a loop
    OUTER = "outer-variable"  # a variable declared outside the loop
    SIZE = "size"  # a size that the stack does not take
    UNTOLD = "untold"  # the compiler printed no way


@dataclass(frozen=True, slots=True)
class Root:
    """One place where one change may free all that hangs on it.

    `site` is where the change is made, None where that is not in the scanned code: then each call can be changed.
    `findings` are the ids of all that hang on it, in the report's order; `sites` counts those that may allocate and
    that a cut there can free, `files` their files, `pattern` is their most frequent. `measure` sums their bytes, shared
    ones once; None without a profile. `held_twice` counts those which the source shows to be returned as well.

    The compiler prints ONE way to the heap for each value. A value with a second way stays on the heap after the cut:
    the counts say what the cut frees at most.
    """

    id: str
    kind: RootKind
    site: Site | None
    title: str
    subject: str
    pattern: str = ""
    findings: tuple[str, ...] = ()
    sites: int = 0
    files: int = 0
    held_twice: int = 0
    measure: Measure | None = None


class Hold(StrEnum):
    """What a step of the path says."""

    FLOWS = "flows"  # the value moves on within a function
    HELD = "held"  # it is part of another value that is on the heap
    PASSED = "passed"  # it enters a parameter of another function
    ROOT = "root"  # the edge to the heap


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step from a value to its root.

    `expr` and `reason` are the compiler's for FLOWS and ROOT; `text` says the step in words. `fact` is whose flow this
    is a part of: the value's own, then those of what holds it and of the parameters that it enters.
    """

    hold: Hold
    at: Position
    expr: str
    reason: str
    text: str
    fact: CompilerFact
