"""Oversized value: it is too large for the stack.

What it is: a variable, array, literal or make whose size is above what the compiler places on a stack, however short
its life is: 128 KiB for a declared variable (10 MiB up to Go 1.23), 64 KiB for new, &T{}, make and closures.

Why it costs: one allocation of that size each time. Large objects (above 32 KiB) bypass the runtime's small-object
caches, are zeroed page by page and push the heap goal up quickly, so that the GC runs more often.

How to see it: "too large for stack" is the only reason in the flow (ir.MaxExplicitVarSize and
ir.MaxImplicitStackVarSize in cmd/compile/internal/ir/cfg.go). "too aligned for stack" is the same rule for types that
need more than word alignment.

Fix: split the work so that a smaller buffer does (io.CopyBuffer, a bufio.Reader); make the buffer once and reuse it,
in a struct or a sync.Pool.

When to leave it: it is made once, at start-up or per connection, and used for long.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.pattern import Pattern, judgement

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="oversized-value",
    title="Too large for the stack",
    fixes=(judgement("split it, or make it once and reuse it"),),
)
_REASONS = frozenset({"too large for stack", "too aligned for stack"})


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value that only its size or alignment keeps off the stack."""
    for escape in context.escapes(evidence):
        if escape.reason in _REASONS:
            yield PATTERN.heap(evidence, escape, escape.reason)
