"""Interface-method argument: a value is passed to a method of an interface, and nobody knows which method that will be.

What it is: `r.Read(buf[:])` with an interface r. The method is chosen at run time, so the compiler must assume that
it keeps every argument, and the receiver behind the interface too. A local buffer, an out-parameter or a context
object then goes to the heap at each call.

Why it costs: one allocation per call (runtime.newobject, makeslice), even when every method there is only reads it.

How to see it: a flow that ends in {heap} with the reason "call parameter" at a call `x.M(...)` where x is an
interface; machine code has an indirect call. A static call is printed as `(*T).M(x, ...)`. When the compiler can tell
the concrete type, it prints "devirtualizing x.M to *T" and the value stays on the stack.

Fix: reuse a buffer (a field, a parameter from the caller, sync.Pool); hand over values and return results instead of
filling through a pointer; a type switch to the one type that matters, with the fallback in a function of its own (in
the same function it would still force the heap).

When to leave it: the call does I/O or other slow work beside which one allocation does not count.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.callee import Called, Callee, callee
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="interface-method-argument",
    title="Passed to an interface's method",
    fixes=(judgement("reuse one object or buffer for all calls, or call the concrete type"),),
)
_BUFFER = (judgement("reuse a buffer: a field, the caller's, or a pool"),)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value that is an argument, or the receiver, of a call through an interface."""
    for escape in context.escapes(evidence):
        if escape.route is not Route.CALL:
            continue
        called = callee(evidence, context, escape)
        if called.called is Called.INTERFACE_METHOD:
            fixes = _BUFFER if escape.storage is Storage.MADE else ()
            yield PATTERN.heap(evidence, escape, _message(escape, called), fixes=fixes, inferred=not called.certain)


def _message(escape: Escape, called: Callee) -> str:
    receiver = escape.fact.flow[-1].from_.lstrip("&*")
    if called.name.rpartition(".")[0] == receiver:
        return f"receiver of {clipped(called.name)}, a method of an interface"
    return f"passed to {clipped(called.name)}, a method of an interface"
