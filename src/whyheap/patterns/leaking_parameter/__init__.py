"""Leaking parameter: a function keeps what it is given, so its callers' values go to the heap.

What it is: a pointer, slice or closure is passed to a known function that stores it, returns it into something kept,
or hands it on to an interface. The compiler notes "leaking param" at the callee, and each caller pays for it.

Why it costs: one allocation at every call site whose argument could have lived on the stack: one leaking parameter
can be the root of dozens of sites.

How to see it: the flow ends in {heap} with the reason "call parameter" at a call to a named function; the callee has
"leaking param: p" or "leaking param content: p", with its own flow that says where p goes.

Fix: change the callee: copy what it keeps, split the rare path that keeps the pointer into a function of its own,
take a value; or give it an inlinable front so that the caller's frame can own the object.

When to leave it: keeping the argument is the function's purpose (a constructor, a queue, a registry).
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="leaking-parameter",
    title="Passed to a function that keeps it",
    fixes=(judgement("change the callee so that it copies what it keeps"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value passed to a known function that keeps it."""
    for escape in context.escapes(evidence):
        if escape.route is Route.CALL:
            static = context.is_static_call(evidence, escape.callee)
            bare = static is None and "." not in escape.callee
            if static or bare:
                callee = clipped(escape.callee)
                fixes = (judgement(f"change {callee} so that it copies what it keeps"),)
                message = f"passed to {callee}, which keeps it"
                yield PATTERN.heap(evidence, escape, message, fixes=fixes, inferred=bare)
