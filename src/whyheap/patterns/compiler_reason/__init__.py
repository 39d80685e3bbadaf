"""Compiler reason: no pattern of its own yet, so the compiler's last telling reason is the name.

What it is: a value that the compiler puts on the heap for a reason that has no folder in this catalogue yet. It is
named by that reason: where the flow ends, or which rule of size applies.

Why it costs: one allocation each time the line runs, unless the compiler's word is all there is (dead code, values of
size zero).

How to see it: "escapes to heap" or "moved to heap" with the flow that -m=2 prints; `whyheap explain FILE:LINE` shows
the whole chain.

Fix: cut the chain at its last step: that is where the value gets away. The steps before it only carry it there.

When to leave it: the value has to outlive its function, or the line is not hot.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import way


def _named(slug: str, title: str, fix: str) -> Pattern:
    return Pattern.of(__doc__, __file__, slug=slug, title=title, fixes=(judgement(fix),))


CALL = _named(
    "call-parameter", "Argument of an interface method or func value", "call a known function, or reuse a buffer"
)
STORE = _named("pointer-store", "Stored through a pointer", "hold a value instead of a pointer")
CONTAINED = _named("contained-value", "Part of another value on the heap", "keep the value that holds it off the heap")
OUTER = _named("loop-outliving-value", "Outlives its loop iteration", "use one backing array for all iterations")
SEND = _named("channel-send", "Sent on a channel", "send the value instead of a pointer")
METHOD = _named("method-value", "Receiver of a bound method", "call the method directly, or use a method expression")
SIZE = _named("oversized-value", "Too large for the stack", "split it, or reuse one")
MAKE = _named("variable-size-make", "Length is not a constant", "use a constant capacity, or the caller's buffer")
VARIADIC = _named("variadic-slice", "Slice of a variadic call", "pass an existing slice with ...")
CHANNEL = _named("channel-buffer", "Channel", "make the channel once and reuse it")
OPERAND = _named("callee-operand", "Closure called through an unknown func value", "call a known function")
UNSAFE = _named("unsafe-pointer", "Passed on as unsafe.Pointer or uintptr", "keep the typed pointer")
OTHER = _named(
    "other", "Allocates for a reason that is not known", "look at the whole chain: whyheap explain FILE:LINE"
)
PATTERNS = (CALL, STORE, CONTAINED, OUTER, SEND, METHOD, SIZE, MAKE, VARIADIC, CHANNEL, OPERAND, UNSAFE, OTHER)

_NO_WORD = "allocates, and the compiler does not say why"
_BY_ROUTE = {
    Route.CALL: CALL,
    Route.APPENDED: STORE,
    Route.ASSIGN: STORE,
    Route.CONTAINED: CONTAINED,
    Route.SEND: SEND,
    Route.METHOD: METHOD,
    Route.VARIADIC: VARIADIC,
    Route.MAP: CONTAINED,
}


_BY_REASON = {
    "callee operand": OPERAND,
    "conversion to unsafe.Pointer": UNSAFE,
    "//go:uintptrescapes": UNSAFE,
    "reflect.Header.Data": UNSAFE,
}


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per heap fact: the judge takes those that no pattern claims."""
    for escape in context.escapes(evidence):
        pattern = _pattern(evidence, context, escape)
        message = way(escape) if escape.route is not Route.UNKNOWN else escape.reason or "escapes, with no flow to show"
        yield pattern.heap(evidence, escape, message)


def silent(evidence: Evidence, context: Context, calls: tuple[AllocatorCall, ...] = ()) -> Finding:
    """Return the finding for bytes or allocator calls on a line of which no pattern and no heap fact speaks."""
    kinds = {kind_of(call.callee) for call in calls}
    for fact in evidence.facts:
        if fact.kind is FactKind.STACK and fact.subject.startswith("make(") and "map[" not in fact.subject:
            message = f"{fact.message}, but its size is known only at run time"
            return MAKE.silent(evidence, fact.subject, message, facts=(fact,), calls=calls)
    file = context.file(evidence)
    if file is not None:
        for call in file.nodes("call_expression", evidence.site.line):
            if call.text().startswith(("make(chan", "make(<-chan")):
                return CHANNEL.silent(evidence, call.text(), "channel with its buffer", calls=calls)
            if call.text().startswith("make(") and (not calls or AllocatorKind.SLICE in kinds):
                return MAKE.silent(evidence, call.text(), "size is known only at run time", calls=calls)
    told: tuple[CompilerFact, ...] = tuple(fact for fact in evidence.facts if fact.kind is FactKind.STACK)[:1]
    names = ", ".join(dict.fromkeys(call.callee.removeprefix("runtime.") for call in calls))
    message = f"calls {names}, and the compiler does not say why" if names else _NO_WORD
    return OTHER.silent(evidence, told[0].subject if told else evidence.site.function, message, facts=told, calls=calls)


def _pattern(evidence: Evidence, context: Context, escape: Escape) -> Pattern:
    if escape.route is Route.SIZE:
        return MAKE if escape.reason == "non-constant size" else SIZE
    if escape.storage is Storage.ARGUMENTS:
        return VARIADIC
    if escape.route is Route.NAMED:
        # The flow ends in a variable: one that is on the heap itself, or one declared outside of the loop.
        file = context.file(evidence)
        return OUTER if file is not None and file.loop(evidence.site.line) is not None else CONTAINED
    return _BY_ROUTE.get(escape.route) or _BY_REASON.get(escape.reason, OTHER)
