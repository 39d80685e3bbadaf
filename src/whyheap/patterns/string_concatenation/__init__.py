"""String concatenation: + on strings makes a new string each time.

What it is: strings are immutable, so `a + b` copies both into a new one. In a loop, `s += x` copies everything
gathered so far once per iteration: the bytes grow with the square of the length.

Why it costs: runtime.concatstrings allocates the sum of all operands (one call for a whole `a + b + c`); only a
result of at most 32 bytes that does not escape stays in a buffer on the stack.

How to see it: "a + b escapes to heap" for an expression; "does not escape" above 32 bytes and `s += x` allocate
without a word from the compiler. Machine code calls runtime.concatstring2 to concatstrings; the profile shows the
line.

Fix: collect in a strings.Builder (with Grow where the size is known), use strings.Join, or append to one []byte and
convert it once. 19 allocations become 1 for 20 short pieces.

When to leave it: one short expression outside of hot code, error texts, and what is concatenated from constants,
which the compiler does itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Storage
from whyheap.patterns.pattern import Pattern, judgement, mechanical
from whyheap.patterns.printed import concatenates
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="string-concatenation",
    title="Strings joined by +",
    fixes=(
        judgement("in a loop: append to a strings.Builder or []byte, or strings.Join once"),
        judgement("where it is hot: append the parts to a []byte that is used again"),
    ),
)
_LOOP = (judgement("append to a strings.Builder or []byte, or strings.Join once"),)
_GATHERED = (judgement("join all parts in one expression: a + b + c makes one string"),)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per concatenation that escapes, or per `+` on strings on a line that allocates silently."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.CONCATENATION:
            fixes = _of_sum(context.file(evidence), escape.fact.site.line)
            yield PATTERN.heap(evidence, escape, "strings joined by +", fixes=fixes, inferred=escape.inferred)
    if context.is_silent(evidence, AllocatorKind.CONCATENATION):
        yield from _silent(evidence, context)


def _of_sum(file: GoFile | None, line: int) -> tuple[Fix, ...]:
    """Tell what to do about one sum: a Builder gathers nothing where nothing is repeated."""
    return _LOOP if file is not None and file.loop(line) is not None else PATTERN.fixes[1:]


def _silent(evidence: Evidence, context: Context) -> Iterator[Finding]:
    file = context.file(evidence)
    calls = context.silent_calls(evidence, AllocatorKind.CONCATENATION)
    grown = _grown(evidence, context, file) if file is not None else None
    if file is not None and grown is not None:
        looped = file.loop(evidence.site.line) is not None
        way_out = (mechanical(f"write {grown} with a strings.Builder"),) if looped else _GATHERED
        yield PATTERN.silent(
            evidence, grown, "+= on a string in a loop" if looped else "+= on a string", fixes=way_out, calls=calls
        )
        return
    fixes = _of_sum(file, evidence.site.line)
    told = [fact for fact in evidence.facts if fact.kind is FactKind.STACK and concatenates(fact.subject)]
    for fact in told:
        yield PATTERN.silent(evidence, fact.subject, "strings joined by +", facts=(fact,), fixes=fixes, calls=calls)
    if calls and not told:
        yield PATTERN.silent(evidence, "a + b", "strings joined by +", fixes=fixes, calls=calls)


def _grown(evidence: Evidence, context: Context, file: GoFile) -> str | None:
    """Return what `s += x` or `s = s + x` grows, if it is a string as far as the package's source tells."""
    for node in file.nodes("assignment_statement", evidence.site.line):
        left, right, operator = node.field("left"), node.field("right"), node.field("operator")
        if left is None or right is None or operator is None:
            continue
        name = left.text()
        adds = operator.text() == "+=" or (operator.text() == "=" and right.text().startswith(f"{name} + "))
        if adds and (
            _has_string(right) or any(name.rsplit(".", 1)[-1] in one.strings for one in context.package(evidence))
        ):
            return name
    return None


def _has_string(node: SgNode) -> bool:
    return any(node.find(kind=kind) for kind in ("interpreted_string_literal", "raw_string_literal"))
