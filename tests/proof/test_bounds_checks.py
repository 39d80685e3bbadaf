"""An edit that is to do away with a bounds check is judged by the checks at its lines, before and after."""

from __future__ import annotations

import pytest

from whyheap.model.edit import Change, Edit
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.finding import Certainty, Finding
from whyheap.model.site import Position, Site
from whyheap.proof.bounds_checks import unchecked
from whyheap.proof.workshop import EditedFile

BEFORE = "package p\n\nfunc f(a *[8]byte, b []byte) {\n\tcopy(a[:len(b)], b)\n\t_ = b[7]\n}\n"
AFTER = BEFORE.replace("package p\n", 'package p\n\nimport "os"\n').replace("a[:len(b)]", "a[:]")
CUT = BEFORE.index("a[:")


def check(line: int, column: int = 8, file: str = "p.go") -> CompilerFact:
    at = Position(file, line, column)
    return CompilerFact(FactKind.BOUNDS, at, "", "p", "isSliceInBounds", "", at)


@pytest.mark.parametrize(
    ("kept", "is_gone"),
    [
        ([], True),
        ([check(6, 7)], False),  # the same line, two lines further down
        ([check(7)], True),  # of another statement
        ([check(4)], True),  # a line that the edit only moved away from
        ([check(6, 7, "q.go")], True),
    ],
)
def test_a_check_is_gone_where_the_edited_lines_have_fewer(kept: list[CompilerFact], *, is_gone: bool) -> None:
    site = Site("p.go", 4, 7)
    text = "copy(a[:len(b)], b)"
    finding = Finding("a", "unguarded-copy", site, text, "", Certainty.STATED, facts=(check(4),))
    edit = Edit("unguarded-copy", "p.go", "", (Change(CUT, CUT + 10, "a[:]"),), ("a",), lines=(4,), unchecks=True)
    file = EditedFile("p.go", "/p.go", BEFORE, AFTER, (edit,))
    assert bool(list(unchecked(edit, file, kept, {"a": finding}))) is is_gone
