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

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="closure-by-reference",
    title="Variable captured by reference",
    fixes=(judgement("copy the variable before the closure, or pass it as an argument"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per variable that an escaping closure holds by its address."""
    for escape in context.escapes(evidence):
        if escape.route is Route.REFERENCE:
            name = escape.subject
            fixes = (judgement(f"{name} := {name} before the closure, if it needs only the value"),)
            yield PATTERN.heap(
                evidence,
                escape,
                "captured by reference by a closure that escapes",
                fixes=fixes if name.isidentifier() else (),
            )
