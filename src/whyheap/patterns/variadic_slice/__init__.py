"""Variadic slice: a call with `...T` makes a slice for its arguments, and the callee keeps it.

What it is: `f(a, b)` of a `func f(names ...string)` is written by the compiler as `f([]string{a, b}...)`. If the
callee stores, returns or passes on its parameter, that hidden slice is on the heap. Slices of ...any are variadic-any.

Why it costs: one allocation per call, as large as the arguments together, however small the work of the callee is.
Options (`New(WithA(), WithB())`) and label lists (`metric.With("a", "b")`) are the usual places.

How to see it: "... argument escapes to heap", at the opening parenthesis of the call. Machine code calls
runtime.newobject (from Go 1.27 a mallocgcSmall variant) for the whole array.

Fix: pass a slice that exists anyway, `f(names...)`; let the callee copy what it keeps instead of the whole slice; give
the usual one or two arguments a function of their own.

When to leave it: the call runs at start-up (options, registration), or the callee needs the values later anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped, way

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="variadic-slice",
    title="Slice of a variadic call",
    fixes=(judgement("pass an existing slice with ..., or let the callee copy what it keeps"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per argument slice that escapes; variadic-any comes first and takes those of ...any."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.ARGUMENTS:
            callee = context.variadic_callee(evidence, escape)
            if "(" in callee:
                callee = callee.rpartition(".")[2]  # a chain of calls: the last one is meant
            called = f" for {clipped(callee)}" if callee else ""
            yield PATTERN.heap(evidence, escape, f"argument slice{called}, {way(escape)}")
