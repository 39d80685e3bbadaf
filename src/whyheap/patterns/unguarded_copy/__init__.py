"""Unguarded copy: `copy` between slices that are cut to each other's length, with nothing that says that they fit.

What it is: `copy(dst[:len(src)], src)`. copy itself copies what fits; the slice expression panics when the capacity of
dst is smaller than len(src). The same holds for `copy(dst, src[:len(dst)])`.

Why it costs: it allocates nothing. Where lengths come from outside (a packet, a file, a header), a value that is too
long ends the goroutine, and with it the program; the check itself is a compare and a branch.

How to see it: the compiler's own record of bounds checks says that it kept one (isSliceInBounds) at the slice
expression. Syntax alone is never enough: where the compiler could prove that it fits, nothing is found.

Fix: `copy(dst, src)`, where dst has no room behind its length: an array, what make made with a length alone, a string
that is copied from. What does not fit is then left out in place of a panic. Everywhere else a check of the lengths,
with an error for what is too long.

When to leave it: too long a value can only be a programming error, and a panic is the right answer to it; or the room
behind the length of dst is meant to be filled (`buf = buf[:0]`, then `copy(buf[:len(src)], src)`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.model.evidence import Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding, PatternKind
from whyheap.model.site import Site
from whyheap.patterns.context import Context
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="unguarded-copy",
    title="Copy into a slice that may be too short",
    fixes=(judgement("compare the lengths first, or copy(dst, src), which copies what fits"),),
    kind=PatternKind.HAZARD,
)
_ARGUMENTS = 2


@dataclass(frozen=True, slots=True)
class UnguardedCopy:
    """A call `copy(dst[:len(src)], src)` or `copy(dst, src[:len(dst)])`: `cut` is the slice, `other` what it is cut to.

    `is_whole`: it is cut from its beginning to exactly that length.
    """

    call: SgNode
    cut: SgNode
    other: SgNode
    is_whole: bool


def unguarded_copies(file: GoFile, line: int) -> Iterator[UnguardedCopy]:
    """Yield the calls of copy that start on a line and cut one argument to the length of the other, as syntax shows."""
    for call in file.nodes("call_expression", line):
        function, given = call.field("function"), call.field("arguments")
        if function is None or given is None or function.text() != "copy":
            continue
        both = [one for one in given.children() if one.is_named() and one.kind() != "comment"]
        if len(both) != _ARGUMENTS:
            continue
        for cut, other in (both, both[::-1]):
            last = cut.field("end") if cut.kind() == "slice_expression" else None
            length = f"len({other.text()})"
            if last is not None and (last.text() == length or last.text().replace(" ", "").endswith(f"+{length}")):
                first = cut.field("start")
                is_whole = last.text() == length and (first is None or first.text() == "0")
                yield UnguardedCopy(call, cut, other, is_whole and cut.field("capacity") is None)
                break


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per copy whose slice expression has a bounds check that the compiler kept."""
    file = context.file(evidence)
    at = evidence.site
    kept = [fact for fact in evidence.facts if fact.kind is FactKind.BOUNDS and fact.site.line == at.line]
    for one in unguarded_copies(file, at.line) if file is not None and kept else ():
        column = file.column(one.cut) if file is not None else 0
        width = len(one.cut.text().encode())
        facts = tuple(fact for fact in kept if column <= fact.site.column < column + width)
        if facts:
            text = clipped(" ".join(one.call.text().split()))
            message = f"panics when {clipped(one.other.text())} is longer than {_room(one.cut)} has room for"
            yield PATTERN.hazard(Site(at.file, at.line, column, "", at.package), text, message, facts)


def _room(cut: SgNode) -> str:
    operand = cut.field("operand")
    return clipped(operand.text()) if operand is not None else "it"
