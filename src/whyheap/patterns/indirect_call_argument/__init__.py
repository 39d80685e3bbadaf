"""Indirect-call argument: a value is passed to a func value, and nobody knows which function that will be.

What it is: `f(&x)` where f is a parameter, a variable, a field or the result of another call. The compiler knows no
body that it could look into, so it must assume that the function keeps every argument.

Why it costs: one allocation per call (runtime.newobject, makeslice) for what would stay on the stack in a direct
call.

How to see it: a flow that ends in {heap} with the reason "call parameter" at a call of a variable or field ("callee
operand" for the closure that is called); machine code has an indirect call. Where a variable holds one func literal
and is never assigned again, the compiler sees through it; since Go 1.27 also through a choice between known
functions.

Fix: call the function directly, or make the one that takes the callback small enough to be inlined, so that the
callback is known; pass a value and return the result instead of filling through a pointer; reuse the object.

When to leave it: the callback is the interface of the package (options, hooks, iterators) and the call is not hot.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.callee import Called, callee
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="indirect-call-argument",
    title="Passed to a func value",
    fixes=(judgement("call a known function, or pass a value instead of a pointer"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value passed to a func value, and per closure that is called through one."""
    for escape in context.escapes(evidence):
        if escape.reason == "callee operand":
            yield PATTERN.heap(evidence, escape, "called through a func value that is not known")
        elif escape.route is Route.CALL:
            called = callee(evidence, context, escape)
            if called.called is Called.FUNC_VALUE:
                name = "a func value" if called.name.startswith(".") else f"{clipped(called.name)}, a func value"
                yield PATTERN.heap(evidence, escape, f"passed to {name}", inferred=not called.certain)
