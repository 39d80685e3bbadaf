"""Loop variable address: the address of a loop's own variable is kept, so every turn needs a new one.

What it is: `for _, v := range xs { keep(&v) }`. Since Go 1.22 (by the go line of go.mod) each turn has a variable of
its own, and where its address or a closure that changes it outlives the turn, each one is an object on the heap. With
an older go line it is one object for all turns, and a bug as a rule: all of them point to the last element.

Why it costs: one runtime.newobject (from Go 1.27 a mallocgcSmall variant) per turn, as large as the element, and a
copy of the element besides.

How to see it: "moved to heap: v" at the place where the loop declares v.

Fix: range over the index and take the address of the element, `&xs[i]`: nothing is copied. Mind that this points into
the slice: writes are seen there, and the whole array stays alive. For a closure, hand the value in as an argument.

When to leave it: a copy is what is wanted, because the slice is changed or reused later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement, mechanical
from whyheap.patterns.route_text import way
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="loop-variable-address",
    title="Address of a loop variable",
    fixes=(judgement("take the address of the element, &xs[i], or hand the value in as an argument"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per variable on the heap that the clause of a for statement declares."""
    for escape in context.escapes(evidence):
        if escape.storage is not Storage.VARIABLE:
            continue
        file = context.innermost(escape)
        at = escape.fact.site
        clause = file.loop_variable(at.line, at.column) if file is not None else None
        if file is not None and clause is not None:
            what = "captured by reference" if escape.route is Route.REFERENCE else f"its address is {way(escape)}"
            yield PATTERN.heap(
                evidence, escape, f"new in each turn of the loop: {what}", fixes=_fixes(escape, file, clause)
            )


def _fixes(escape: Escape, file: GoFile, clause: SgNode) -> tuple[Fix, ...]:
    """Name the element whose address does instead, where the loop ranges over a slice."""
    ranged, names = clause.field("right"), clause.field("left")
    if clause.kind() != "range_clause" or ranged is None or names is None or escape.route is Route.REFERENCE:
        return ()
    name = ranged.text()
    if name.rsplit(".", 1)[-1] not in file.slices or escape.subject != names.text().rpartition(", ")[2]:
        return ()
    index = names.text().partition(", ")[0]
    return (mechanical(f"&{escape.subject} -> &{name}[{'i' if index == '_' else index}]"),)
