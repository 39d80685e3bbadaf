"""Returned address: a function hands out a pointer to its own value.

What it is: the address of a local variable, a new object or a slice made here is returned. The caller may keep it, so
the value must outlive the call and goes to the heap.

Why it costs: one allocation per call (runtime.newobject, makeslice), and one object more for the collector to trace.

How to see it: a flow that ends in ~r0 (or the name of the result) with the reasons "address-of" or "spill", then
"return". A pointer returned as an interface adds "interface-converted", which itself costs nothing.

Fix: return the value; or make the constructor small enough to be inlined, so that the caller's frame can hold the
object; or let the caller pass a buffer or an object to fill.

When to leave it: the caller keeps the object anyway (it goes into a map, a field, a channel): then it must be on the
heap, and returning a copy only adds work.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.destination import End, end
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="returned-address",
    title="Address of a local is returned",
    fixes=(judgement("return a value, keep the constructor inlinable, or fill an object that the caller passes"),),
)
_ERROR = "&errors.errorString{...}"  # errors.New, inlined; since Go 1.26 also fmt.Errorf of a constant
_SENTINEL = (judgement("make the error once, in a package-level variable"),)
_SLICE = (judgement("let the caller pass the slice to fill"),)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value whose address leaves with the function's result."""
    for escape in context.escapes(evidence):
        if end(evidence, context, escape) is End.RESULT:
            named = escape.route is Route.NAMED
            yield PATTERN.heap(
                evidence, escape, _message(escape), fixes=_fixes(escape, context.escapes(evidence)), inferred=named
            )


def _fixes(escape: Escape, line: tuple[Escape, ...]) -> tuple[Fix, ...]:
    if escape.subject == _ERROR:
        return () if any(other.is_variadic for other in line) else _SENTINEL
    return _SLICE if escape.storage is Storage.MADE else ()


def _message(escape: Escape) -> str:
    if escape.subject == _ERROR:
        return "a new error at each call is returned"
    if escape.storage is Storage.MADE:
        return "slice made here is returned"
    return "its address is returned as an interface" if escape.converted else "its address is returned"
