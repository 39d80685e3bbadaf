"""Method value: `x.M` without a call binds x to its method, and the pair is a closure.

What it is: a method used as a func value: passed as a callback, stored in a field, returned. The compiler makes a
closure that holds the receiver (a copy of it, for a value receiver).

Why it costs: one runtime.newobject each time `x.M` is evaluated, as large as the receiver and a word. The receiver
goes where the closure goes: one that could have stayed on the stack moves to the heap with it. Calls through the
closure are indirect and never inlined.

How to see it: "x.M escapes to heap" with "spill" as the first reason, the same words as for a field that is boxed:
declarations tell them apart. The receiver's flow ends in {storage for x.M}, or in {temp} and {heap} without a reason.

Fix: call the method directly; pass x and a method expression, `(*T).M`, which binds nothing; let the callee take an
interface that x implements; evaluate `x.M` once and keep it.

When to leave it: it is made once (a handler that is registered, a callback of a long-lived object).
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped, way

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="method-value",
    title="Method bound to its receiver",
    fixes=(judgement("call the method directly, or use a method expression"),),
)


_NAMED_FIRST = frozenset({Storage.MAP, Storage.APPEND, Storage.CONCATENATION, Storage.CONVERSION, Storage.BOX})
"""What has a pattern of its own is told by that, although a receiver holds it."""


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per bound method that escapes, and per receiver that goes with it."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.METHOD:
            yield PATTERN.heap(evidence, escape, f"bound method {way(escape)}", inferred=True)
        elif _is_receiver(escape) and escape.storage not in _NAMED_FIRST:
            part = "held by the receiver" if escape.fact.flow[-1].from_.startswith("*") else "receiver"
            of = f"the bound method {clipped(escape.target)}" if escape.target else "a bound method"
            yield PATTERN.heap(evidence, escape, f"{part} of {of}")


def _is_receiver(escape: Escape) -> bool:
    """Whether the flow ends in a bound method: expr.go, OMETHVALUE, is the one step without a reason."""
    if escape.route is Route.METHOD:
        return True
    last = escape.fact.flow[-1] if escape.fact.flow else None
    return escape.route is Route.CONTAINED and last is not None and not last.steps and last.from_.endswith("{temp}")
