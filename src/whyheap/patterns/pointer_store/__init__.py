"""Pointer store: a value is stored through a pointer, so it must live as long as what the pointer leads to.

What it is: the address of a value, or a slice made here, is assigned to a field or element behind a pointer: `p.f =
&x`, `*p = &x`, `ps[i] = &x`, or appended to a slice of pointers. The compiler does not follow what p points to:
whatever is stored through a pointer goes to the heap, even when p itself is local and stays on the stack.

Why it costs: one allocation per stored value (runtime.newobject, makeslice), and one object more for the collector to
trace for as long as the holder lives.

How to see it: a flow that ends in {heap} with the reason "assign" and a field, an element or `*p` on the left side;
for append the reason "call parameter" of the append. A closure that assigns a variable of the function around it
stores through a pointer as well: the flow then ends in that variable.

Fix: hold values instead of pointers (`[]T` instead of `[]*T`, a struct field instead of a pointer to one); build the
holder as a local value and copy it out once; fill an object that is there already.

When to leave it: the holder outlives the function anyway and needs identity: nodes of a tree or list, shared objects,
fields that must be nil at times.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.destination import End, end, holder
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="pointer-store",
    title="Stored through a pointer",
    fixes=(judgement("hold a value instead of a pointer"),),
)
_REUSE = (judgement("fill the slice that is there again, if its capacity is enough"),)
_VALUES = (judgement("append values instead of pointers"),)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value stored behind a pointer; package-level variables and maps come first."""
    for escape in context.escapes(evidence):
        if escape.route is Route.ASSIGN:
            fixes = _REUSE if escape.storage is Storage.MADE else ()
            yield PATTERN.heap(evidence, escape, f"stored in {clipped(escape.target)}", fixes=fixes)
        elif escape.route is Route.APPENDED:
            fixes = _VALUES if escape.storage is not Storage.MADE else ()
            yield PATTERN.heap(evidence, escape, _appended(escape), fixes=fixes)
        elif end(evidence, context, escape) is End.AROUND_CLOSURE:
            message = f"assigned to {holder(escape)}, a variable of the function around this closure"
            yield PATTERN.heap(evidence, escape, message, inferred=True)


def _appended(escape: Escape) -> str:
    verb = "copied" if escape.reason == "copied slice" else "appended"
    return f"{verb} by {clipped(escape.target)}"
