"""Variable-size make: the length of a slice is known only at run time.

What it is: `make([]T, n)` for a slice that stays in its function. A stack frame has a fixed size, so an array whose
length is not a constant has no place in it.

Why it costs: runtime.makeslice allocates n elements each time. From Go 1.25 the compiler keeps a 32-byte buffer on the
stack for such a make and uses it when the array happens to fit; anything longer is allocated as before.

How to see it: up to Go 1.24 "make([]T, n) escapes to heap" with the reason "non-constant size". From 1.25 "make([]T,
n) does not escape", which speaks of up to 32 bytes only: the call of runtime.makeslice stays in the machine code and
profiles show its bytes. A slice that leaves its function as well is told under the way it takes. Elements of size
zero ("zero-sized element") allocate nothing, whatever n is.

Fix: a constant capacity that usually suffices, `buf := make([]T, 0, 64)`; let the caller hand in a buffer that is used
again; keep one in the struct whose method this is.

When to leave it: the slice is large and lives long, or n is rarely above zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.syntax import GoFile

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="variable-size-make",
    title="Length is not a constant",
    fixes=(judgement("use a constant capacity, or a buffer of the caller"),),
)
_REASONS = {
    "non-constant size": "its length is known only at run time",
    "zero-sized element": "its elements have no size, so nothing is allocated",
}
_CONSTANT = re.compile(r"make\(.*, \d+\)$", re.DOTALL)
_UNTOLD = "its length is known only at run time"


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per make whose length is not a constant, or for a line that makes such a slice silently."""
    for escape in context.escapes(evidence):
        if escape.reason in _REASONS:
            yield PATTERN.heap(evidence, escape, _REASONS[escape.reason])
    if context.is_silent(evidence, AllocatorKind.SLICE):
        yield from _silent(evidence, context)


def _silent(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per make that the compiler says stays on the stack, else one for what the source shows."""
    calls = context.silent_calls(evidence, AllocatorKind.SLICE)
    told = [fact for fact in evidence.facts if _is_variable(fact)]
    for fact in {fact.subject: fact for fact in told}.values():
        message = f"does not escape, but {_UNTOLD}"
        yield PATTERN.silent(evidence, fact.subject, message, facts=(fact,), calls=calls)
    file = context.file(evidence)
    written = _written(file, evidence.site.line) if file is not None else ""
    if not told and (written or calls):
        yield PATTERN.silent(evidence, written or "make", _UNTOLD, calls=calls)


def _is_variable(fact: CompilerFact) -> bool:
    """Whether a "does not escape" speaks of a slice without a constant length."""
    subject = fact.subject
    is_slice = fact.kind is FactKind.STACK and subject.startswith("make(") and ", " in subject
    return is_slice and not subject.startswith(("make(map[", "make(chan ")) and not _CONSTANT.match(subject)


def _written(file: GoFile, line: int) -> str:
    """Return the first make of a slice on a line."""
    calls = (call.text() for call in file.nodes("call_expression", line))
    kinds = ("make(map[", "make(chan", "make(<-chan")
    return next((text for text in calls if text.startswith("make(") and "," in text and not text.startswith(kinds)), "")
