"""String conversion: []byte(s) and string(b) copy.

What it is: a string is immutable and a []byte is not, so converting one into the other copies the bytes; a conversion
from or to []rune also changes the encoding.

Why it costs: runtime.slicebytetostring, stringtoslicebyte and the rune variants allocate as many bytes as the text
has; only a result of at most 32 bytes that does not escape stays in a buffer on the stack.

How to see it: "string(b) escapes to heap" or "([]byte)(s) escapes to heap". "does not escape" still allocates above
32 bytes. "zero-copy string->[]byte conversion" (Go 1.22 and later) marks a []byte(s) that is never written: it is
free.

Fix: keep one form throughout (io.Writer and strconv.Append* take bytes, strings has the functions of bytes). Look-ups
`m[string(b)]`, comparisons `string(a) == string(b)` and `range []byte(s)` are free without help.

When to leave it: the text crosses an API that wants the other form once, or must be kept while the buffer is reused:
then the copy is what makes the program correct.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.printed import converts

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="string-conversion",
    title="Copy between string and bytes",
    fixes=(judgement("keep one form: bytes or string, up to where the other is needed"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per conversion that escapes, or per conversion on a line that allocates silently."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.CONVERSION:
            yield PATTERN.heap(evidence, escape, _message(escape.subject))
    if context.is_silent(evidence, AllocatorKind.CONVERSION):
        calls = context.silent_calls(evidence, AllocatorKind.CONVERSION)
        told = [fact for fact in evidence.facts if fact.kind is FactKind.STACK and converts(fact.subject)]
        for fact in told:
            yield PATTERN.silent(evidence, fact.subject, _message(fact.subject), facts=(fact,), calls=calls)
        if calls and not told:
            called = calls[0].callee.removeprefix("runtime.")
            subject = "string(b)" if called.endswith("string") else "[]byte(s)"
            yield PATTERN.silent(evidence, subject, _message(subject), calls=calls)


def _message(subject: str) -> str:
    return "copied into a string" if subject.startswith("string(") else "copied out of a string"
