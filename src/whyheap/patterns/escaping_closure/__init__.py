"""Escaping closure: a func literal outlives the function that wrote it.

What it is: a func literal (or a bound method value) that captures variables is returned, stored or passed to a
function that keeps it. Its captured values live in a small object on the heap.

Why it costs: one allocation (runtime.newobject) each time the literal is evaluated, as large as the captured values
together; the call through it is indirect, so nothing behind it is inlined and its pointer arguments escape as well.

How to see it: "func literal escapes to heap", with the flow that says where it goes: return, assign, call parameter.
A literal that captures nothing prints the same words, but is static data and never allocates.

Fix: hoist a literal that captures nothing or only constants to a function; give a struct with a method instead of a
closure where the state matters; let the callee be inlinable so that the literal need not exist.

When to leave it: it is made once (a handler, an option, a comparison for one sort), or captures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import way

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="escaping-closure",
    title="Func literal outlives its function",
    fixes=(judgement("hoist the func literal to a named function, or use a struct with a method"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per func literal that escapes; go statements come first, see goroutine-capture."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.CLOSURE:
            message = f"closure {way(escape)}" + (", captures nothing" if escape.never else "")
            yield PATTERN.heap(evidence, escape, message, inferred=escape.never)
