"""Contained value: part of another value that is on the heap.

What it is: a slice, pointer or string is an element of a struct, slice or map literal, is captured by a closure, or
is held by a variable, and that holder is on the heap. What the heap points to must be on the heap as well.

Why it costs: one allocation for the part beside the one for the whole, and one pointer more for the collector to
follow.

How to see it: the flow ends in {storage for OTHER}, the expression that holds the value ("struct literal element",
"slice-literal-element", "captured by a closure", "interface-converted"), or in a variable that was itself "moved to
heap". The line of OTHER has a finding of its own, with the reason why the whole is on the heap.

Fix: look at the holder first: when it can stay on the stack, its parts can. Else hold values instead of pointers, so
that one allocation serves for all; a fixed array instead of a slice; slices of one backing array.

When to leave it: the parts are shared or replaced one by one, or the holder is made rarely.
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
    slug="contained-value",
    title="Part of another value on the heap",
    fixes=(judgement("keep the value that holds it off the heap, or hold it by value"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value that is held by another one on the heap."""
    for escape in context.escapes(evidence):
        if end(evidence, context, escape) is End.HEAP_VARIABLE:
            yield PATTERN.heap(evidence, escape, f"held by {holder(escape)}, a variable that is on the heap")
        elif escape.route in {Route.CONTAINED, Route.MAP}:
            yield PATTERN.heap(evidence, escape, _held(escape))
        elif escape.route is Route.VARIADIC and escape.storage is not Storage.ARGUMENTS:
            callee = f" for {clipped(escape.callee)}" if escape.callee else ""
            yield PATTERN.heap(evidence, escape, f"held by the argument slice{callee}, which is on the heap")


def _held(escape: Escape) -> str:
    target = escape.target
    if target == escape.subject:
        return "behind a slice or string that is boxed"
    if target.startswith("func literal"):
        return "captured by a closure that is on the heap"
    if escape.reason == "interface-converted":
        return f"behind {clipped(target)}, which is boxed into an interface"
    return f"held by {clipped(target)}, which is on the heap"
