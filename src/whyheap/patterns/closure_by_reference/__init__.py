"""Closure by reference: a variable moves to the heap because an escaping closure shares it.

What it is: a func literal uses a variable of the function around it, and the variable is assigned after the literal
or in it, has its address taken or is larger than 128 bytes. Then the closure holds a pointer to it, and if the
closure escapes, the variable must live on the heap too.

Why it costs: one allocation for the variable beside the one for the closure, at each run of the declaration, with the
runtime's newobject; each later access to it goes through the pointer.

How to see it: "moved to heap: x" whose flow has the reasons "captured by a closure" and "reference". The -m=2 line "F
capturing by ref: x (addr=false assign=true width=8)" says why it is no copy: assigned, or its address is taken.

Fix: copy the value before the capture (`x := x`) or pass it as an argument, if the closure needs the value and not
the variable. A variable that is not assigned any more once the literal stands is captured by value without further
ado.

When to leave it: the closure and its function really share the variable (a counter, a result, an error that the
closure sets). Then the allocation is what the program means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="closure-by-reference",
    title="Variable captured by reference",
    fixes=(judgement("copy the variable before the closure, or pass it as an argument"),),
)
_WRITES = "the closure assigns it"
_ADDRESSED = "its address is taken"
_REASSIGNED = "it is assigned again"


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per variable that an escaping closure holds by its address."""
    for escape in context.escapes(evidence):
        if escape.route is Route.REFERENCE:
            file = context.file(evidence) if not escape.fact.inlined_at else None
            cause = _cause(escape.subject, file, _captured_at(escape)) if file is not None else ""
            message = "captured by reference by a closure that escapes" + (f": {cause}" if cause else "")
            yield PATTERN.heap(evidence, escape, message, fixes=_fixes(escape.subject, cause))


def _fixes(name: str, cause: str) -> tuple[Fix, ...]:
    """Propose a copy, unless the closure itself writes the variable or something holds its address."""
    if cause == _WRITES:
        return (judgement("let the closure return the value, or keep it in a struct that is on the heap anyway"),)
    if cause == _ADDRESSED or not name.isidentifier():
        return ()
    return (judgement(f"{name} := {name} before the closure, if it needs only the value"),)


def _captured_at(escape: Escape) -> int:
    """Return the line in the closure where the variable is used first, as the compiler prints it."""
    return next((step.line for flow in escape.fact.flow for step in flow.steps if step.reason == "reference"), 0)


def _cause(name: str, file: GoFile, line: int) -> str:
    """Tell from the source why the closure gets no copy; "" when the source shows none of the usual reasons."""
    around = file.functions(line)
    if len(around) < 2:  # noqa: PLR2004 - a literal and the function it stands in
        return ""
    if name in _assigned(around[0]):
        return _WRITES
    if any(node.text() == f"&{name}" for node in around[-1].find_all(kind="unary_expression")):
        return _ADDRESSED
    return _REASSIGNED if name in _assigned(around[-1]) else ""


def _assigned(function: SgNode) -> set[str]:
    """Return the names that a function assigns after their declaration."""
    names: set[str] = set()
    for kind in ("assignment_statement", "inc_statement", "dec_statement", "range_clause"):
        for node in function.find_all(kind=kind):
            left = node.field("left") if kind in {"assignment_statement", "range_clause"} else node
            if left is not None and (kind != "range_clause" or ":=" not in node.text()):
                names |= {part.strip().rstrip("+-") for part in left.text().split(",")}
    return names
