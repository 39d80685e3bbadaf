"""Type-parameter method: a value is passed to a method of a type parameter, and generic code does not know which one.

What it is: generic code calls a method on a value of a type parameter (`p.run(&j)` with `P interface{ run(*job) }`).
One compiled body serves all types of one shape (all pointers share one), so the method is looked up in a dictionary
at run time. As with an interface, the compiler must assume that it keeps its receiver and arguments.

Why it costs: one allocation per argument whose address is passed, as for an interface's method. Generics do not cure
that: the same call through an interface costs the same.

How to see it: a flow that ends in {heap} with the reason "call parameter" at a call of `(&.dict[0])`: that is the
dictionary. The verdict stands in the generic function, once per shape.

Fix: call a concrete type, in a function of its own if only one type matters; pass values and return results instead
of filling through a pointer; let the caller own the buffer.

When to leave it: the method really keeps what it gets, or the call is not hot.
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
    slug="type-parameter-method",
    title="Passed to a method of a type parameter",
    fixes=(judgement("call a concrete type's method, or pass a value and return the result"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value passed to a method that generic code looks up in its dictionary."""
    for escape in context.escapes(evidence):
        if escape.route is Route.CALL and (called := callee(evidence, context, escape)).called is Called.TYPE_PARAMETER:
            yield PATTERN.heap(evidence, escape, f"passed to {clipped(called.name)}, looked up by type argument")
