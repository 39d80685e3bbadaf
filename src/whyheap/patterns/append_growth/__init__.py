"""Append growth: a slice grows step by step, and each step copies it into a bigger array.

What it is: `append` finds no room behind the slice and moves everything into a new, larger backing array on the heap.
A slice that is filled in a loop from nothing is moved about log2(n) times.

Why it costs: the runtime calls growslice, which allocates the next size (double, later 1.25 times), copies the old
elements and leaves the old array to the garbage collector. Filling 100 ints from nothing allocates 2040 bytes in 8
steps up to Go 1.24 and 1984 in 5 steps later, for 800 bytes of data.

How to see it: since Go 1.25 the compiler prints "append escapes to heap" or "append does not escape". Neither speaks
of growth: a local slice that outgrows its 32 bytes of stack allocates although it "does not escape". Up to Go 1.24
the compiler says nothing at all. Machine code calls runtime.growslice or growsliceBuf; profiles show the bytes on the
line.

Fix: make the slice with its final capacity, `make([]T, 0, n)`, before the loop; n is often the length of what the
loop ranges over. Where the length is not known, a good guess still removes most steps, and slices.Grow helps with one
batch.

When to leave it: the slice usually stays empty or tiny, the loop is bounded by a small constant, or most of the
elements are filtered out so that the full capacity would be kept for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from whyheap.goruntime.allocators import AllocatorKind, kind_of
from whyheap.model.evidence import Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Storage
from whyheap.patterns.pattern import Pattern, judgement, mechanical
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="append-growth",
    title="Slice grows by append",
    fixes=(judgement("make the slice with its final capacity: make([]T, 0, n)"),),
)
_COPY = re.compile(r"append\((?:[^,]*\{\}|[^,]*\(nil\)|[^,]*\[:0:0\]), [^,]*\.\.\.\)$")
"""An append to an empty slice of no capacity: `append([]T(nil), s...)`, and slices.Clone inlined."""
_WITH_CAPACITY = re.compile(r"make\(\[\][^,]*, 0, .+\)$", re.DOTALL)
_ENOUGH = judgement("make the capacity large enough for all elements, if it is not")
_COPIED = judgement("copy only where the copy is changed or kept")
_KINDS = (AllocatorKind.GROWTH, AllocatorKind.SLICE_MOVE)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per append that escapes, or per append on a line that allocates silently."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.APPEND:
            if _COPY.match(escape.subject):
                yield PATTERN.heap(evidence, escape, "slice copied by append", fixes=(_COPIED,))
                continue
            slice_name = _grown(escape.subject)
            yield PATTERN.heap(
                evidence, escape, _message(evidence, context, slice_name), fixes=_fixes(evidence, context, slice_name)
            )
    if context.is_silent(evidence, *_KINDS):
        yield from _silent(evidence, context)


def _silent(evidence: Evidence, context: Context) -> Iterator[Finding]:
    told = [fact for fact in evidence.facts if fact.kind is FactKind.STACK and fact.message == "append does not escape"]
    file = context.file(evidence)
    written = file is not None and "append" in file.calls(evidence.site.line)
    calls = context.silent_calls(evidence, *_KINDS)
    if told or written or calls:
        if calls and all(kind_of(call.callee) is AllocatorKind.SLICE_MOVE for call in calls):
            message = "slice built by append on the stack moves to the heap"
            yield PATTERN.silent(evidence, "append", message, facts=tuple(told[:1]), calls=calls)
            return
        slice_name = _written_slice(file, evidence.site.line) if file is not None else ""
        fixes = _fixes(evidence, context, slice_name)
        subject = slice_name or "append"
        yield PATTERN.silent(
            evidence, subject, _message(evidence, context, slice_name), facts=tuple(told[:1]), fixes=fixes, calls=calls
        )


def _message(evidence: Evidence, context: Context, slice_name: str) -> str:
    file = context.file(evidence)
    if file is not None and _has_capacity(file, evidence.site.line, slice_name):
        return "append to a slice made with a capacity: allocates only beyond it"
    loop = file.loop(evidence.site.line) if file is not None else None
    if loop is not None and not _begins_anew(loop, slice_name):
        return "slice grows by append in a loop"
    return "slice grows by append"


def _begins_anew(loop: SgNode, name: str) -> bool:
    """Whether a loop declares a slice, or assigns it something else than what is appended to it."""
    if not name.isidentifier() or f"{name} == nil" in loop.text():
        return False
    anew = re.compile(rf"^\s*(?:var {name} |{name} :?= (?!.*\b{name}\b))", re.MULTILINE)
    return anew.search(loop.text().partition("{")[2]) is not None


def _has_capacity(file: GoFile, line: int, slice_name: str) -> bool:
    """Whether the function declares the slice once, made empty with a capacity."""
    if not slice_name.isidentifier():
        return False
    for function in file.functions(line)[:1]:
        declared = [
            (node.field("right"), node.field("left")) for node in function.find_all(kind="short_var_declaration")
        ]
        values = [right.text() for right, left in declared if right and left and left.text() == slice_name]
        return len(values) == 1 and bool(_WITH_CAPACITY.match(values[0]))
    return False


def _grown(subject: str) -> str:
    """Return the slice of a printed `append(s, ...)`."""
    return subject.removeprefix("append(").partition(",")[0].rstrip(")") if subject.startswith("append(") else ""


def _written_slice(file: GoFile, line: int) -> str:
    for call in file.nodes("call_expression", line):
        function, arguments = call.field("function"), call.field("arguments")
        if function is not None and function.text() == "append" and arguments is not None:
            named = [child for child in arguments.children() if child.is_named()]
            return named[0].text() if named else ""
    return ""


def _fixes(evidence: Evidence, context: Context, slice_name: str) -> tuple[Fix, ...]:
    """Name the declaration and the capacity, where the loop tells how many elements come."""
    file = context.file(evidence)
    if file is not None and _has_capacity(file, evidence.site.line, slice_name):
        return (_ENOUGH,)
    loop = file.loop(evidence.site.line) if file is not None else None
    if file is None or loop is None or not slice_name.isidentifier() or _begins_anew(loop, slice_name):
        return ()
    element = ""
    for function in file.functions(evidence.site.line)[:1]:
        for spec in function.find_all(kind="var_spec"):
            declared = spec.field("type")
            names = [child.text() for child in spec.field_children("name")]
            if names == [slice_name] and declared is not None and spec.field("value") is None:
                element = declared.text()
    count = _count(file, loop.text().partition("{")[0])
    if not element.startswith("[]") or not count:
        return ()
    return (mechanical(f"var {slice_name} {element} -> {slice_name} := make({element}, 0, {count})"),)


def _count(file: GoFile, head: str) -> str:
    """Return how often a loop runs, as an expression, from its first line; "" if the head does not tell."""
    ranged = head.partition(" range ")[2].strip()
    if ranged.isidentifier():
        kind = next((t for t in (_type_of(file, ranged),) if t), "")
        return ranged if kind == "int" or ranged.isdigit() else f"len({ranged})" if kind != "chan" else ""
    if ranged.isdigit():
        return ranged
    if ranged.replace(".", "").isidentifier():
        return f"len({ranged})"
    parts = [part.strip() for part in head.removeprefix("for ").split(";")]
    if len(parts) == 3 and parts[0].endswith(":= 0") and parts[2].endswith("++"):  # noqa: PLR2004 - init, test, post
        bound = parts[1].partition(" < ")[2].strip()
        return bound if bound.isidentifier() or bound.isdigit() or bound.startswith("len(") else ""
    return ""


def _type_of(file: GoFile, name: str) -> str:
    for kind in ("parameter_declaration", "var_spec"):
        for node in file.all(kind):
            declared = node.field("type")
            if declared is not None and name in (child.text() for child in node.field_children("name")):
                text = declared.text()
                return "chan" if "chan" in text.split("]")[0] or text.startswith("func") else text
    return ""
