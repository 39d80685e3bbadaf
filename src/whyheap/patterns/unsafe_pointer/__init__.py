"""Unsafe pointer: a value's address is passed on as unsafe.Pointer or uintptr, where escape analysis cannot follow.

What it is: an address that becomes a number in a call of a function marked `//go:uintptrescapes` (system calls), one
that is stored in a reflect.SliceHeader or StringHeader, or, in builds with -race or -d=checkptr, any conversion to
unsafe.Pointer.

Why it costs: the compiler must assume that the number is used as an address later, so the value has to stay where it
is: it moves to the heap, one runtime.newobject per call.

How to see it: "moved to heap" with the reason "//go:uintptrescapes", "conversion to unsafe.Pointer" or
"reflect.Header.Data" at the end of the flow.

Fix: keep the typed pointer; unsafe.Slice and unsafe.String instead of header structs; hand in a buffer that is on the
heap already and is used again.

When to leave it: the call goes to the kernel or to C, which costs far more than the allocation, or the reason stems
from a build with -race.
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
    slug="unsafe-pointer",
    title="Passed on as unsafe.Pointer or uintptr",
    fixes=(judgement("keep the typed pointer, or hand in a buffer that is used again"),),
)
_REASONS = {
    "conversion to unsafe.Pointer": "converted to unsafe.Pointer in a build that checks pointers",
    "//go:uintptrescapes": "its address is passed on as a uintptr",
    "reflect.Header.Data": "its address is stored in a slice or string header",
}


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value whose flow ends in one of the compiler's reasons for unsafe code (escape/call.go)."""
    for escape in context.escapes(evidence):
        if escape.reason in _REASONS:
            yield PATTERN.heap(evidence, escape, _REASONS[escape.reason])
