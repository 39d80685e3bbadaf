"""Goroutine capture: a go statement needs a closure on the heap to hold what the new goroutine uses.

What it is: `go func() { ... }()` or `go f(x)` hands variables to a goroutine that outlives the statement. The
compiler packs them into a closure; for `go f(x)` it writes a hidden one around the call. What the closure holds by
value or by pointer stays in memory as long as the goroutine lives.

Why it costs: each start allocates the closure (one newobject, as large as what it captures) besides the goroutine
with its stack of at least 2 KiB. Variables captured by reference move to the heap as well, see closure-by-reference.

How to see it: "func literal escapes to heap" with a flow that goes straight to {heap} and has the one reason "spill".
The wrapper closure of `go f(x)` has no verdict: only machine code and the profile show it.

Fix: start fewer goroutines: a worker that receives its work over a channel needs one closure for its life. Pass small
values as arguments rather than sharing variables by reference.

When to leave it: the goroutine does real work (a request, a file): one small closure beside its stack is noise.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="goroutine-capture",
    title="Closure of a go statement",
    fixes=(judgement("hand the work to a long-lived worker, or start fewer goroutines"),),
)
_KEPT = (judgement("let the goroutine end, or hand it only what it needs: it keeps all that it captures"),)
_WRAPPER = "func literal escapes to heap"  # of a closure that the compiler adds: an explanation without a verdict


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per closure that is spilled straight to the heap, and for silent wrapper closures."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.CLOSURE and escape.route is Route.STARTED:
            known = context.file(evidence) is not None
            message = "closure of a go statement" if known else "closure of a go statement, or deferred in a loop"
            yield PATTERN.heap(evidence, escape, message)
        elif escape.route is Route.CONTAINED and _is_captured_by_go(evidence, context, escape):
            if escape.storage is Storage.CLOSURE:
                yield PATTERN.heap(evidence, escape, "closure of a go statement, called with arguments", inferred=True)
            else:
                what = "captured by a goroutine, which keeps it"
                yield PATTERN.heap(evidence, escape, what, fixes=_KEPT, inferred=True)
    if context.is_silent(evidence, AllocatorKind.OBJECT):
        yield from _silent(evidence, context)


def _silent(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield a finding for the hidden closure around `go f(x)`; that of a defer is deferred-call-in-loop."""
    file = context.file(evidence)
    line = evidence.site.line
    told = [fact for fact in evidence.facts if fact.kind is FactKind.OTHER and fact.message.startswith(_WRAPPER)]
    started = file is not None and bool(file.nodes("go_statement", line))
    if started or (told and (file is None or not file.nodes("defer_statement", line))):
        calls = context.silent_calls(evidence, AllocatorKind.OBJECT)
        message = "hidden closure of a go statement"
        yield PATTERN.silent(evidence, "func literal", message, facts=tuple(told[:1]), calls=calls)


def _is_captured_by_go(evidence: Evidence, context: Context, escape: Escape) -> bool:
    """Whether the closure that captures a value is the one of a go statement, as the source shows."""
    file = context.file(evidence)
    flow = escape.fact.flow[-1] if escape.fact.flow else None
    if file is None or flow is None or flow.to != "{storage for func literal}" or not flow.steps:
        return False
    for closure in file.functions(flow.steps[-1].line)[:1]:
        call = closure.parent()
        started = call.parent() if call is not None and call.kind() == "call_expression" else None
        return started is not None and started.kind() == "go_statement"
    return False
