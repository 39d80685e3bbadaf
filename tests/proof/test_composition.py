"""Edits come into a text whole, and its imports follow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whyheap.model.edit import Change, Edit
from whyheap.model.go_types import CheckedFile, GoImport
from whyheap.patterns.edit_source import EditSource
from whyheap.proof.composition import compose, merged
from whyheap.proof.imports import mended
from whyheap.proof.line_map import moved_lines
from whyheap.proof.prove import unified
from whyheap.proof.workshop import EditedFile

TEXT = """package p

import (
\t"fmt"
\t"os"

\t"example.com/x"
)

func f(n int) string { return fmt.Sprint(n) }
"""


def source(text: str = TEXT) -> EditSource:
    use = text.find("fmt.Sprint")
    imports = (GoImport("fmt", "fmt", 0, 0), GoImport("os", "os", 0, 0))
    return EditSource("p.go", text, CheckedFile(imports, (), (), (), (), "go1.22", {"fmt": (use,), "os": (0,)}))


def edit(*changes: Change, findings: tuple[str, ...] = ("a",), imports: frozenset[str] = frozenset()) -> Edit:
    return Edit("variadic-any", "p.go", "title", changes, findings, imports)


def test_an_import_that_nothing_needs_goes_and_a_new_one_comes() -> None:
    start = TEXT.index("fmt.Sprint")
    change = Change(start, start + len("fmt.Sprint"), "strconv.Itoa")
    text = compose(source(), [edit(change, imports=frozenset({"strconv"}))]).text
    assert 'import (\n\t"os"\n\t"strconv"\n\n\t"example.com/x"\n)' in text
    assert "return strconv.Itoa(n)" in text


def test_an_import_stays_while_new_text_uses_it() -> None:
    start = TEXT.index("fmt.Sprint(n)")
    text = compose(source(), [edit(Change(start, start + len("fmt.Sprint(n)"), "fmt.Sprint(n + 1)"))]).text
    assert '"fmt"' in text


def test_edits_of_one_call_are_one() -> None:
    change = Change(5, 6, "x")
    (both,) = merged([edit(change), edit(change, findings=("b",))])
    assert both.findings == ("a", "b")


def test_an_edit_inside_of_another_is_left_for_the_next_time() -> None:
    outer, inner = edit(Change(10, 20, "x")), edit(Change(12, 14, "y"))
    composed = compose(source(), [outer, inner])
    assert (composed.edits, composed.clashing) == ((outer,), (inner,))


def test_statements_may_be_inserted_at_one_place_and_parts_may_not() -> None:
    whole = [edit(Change(10, 10, "a\n\t")), edit(Change(10, 10, "b\n\t"))]
    assert not compose(source(), whole).clashing
    assert len(compose(source(), [edit(Change(10, 10, "(")), edit(Change(10, 10, "["))]).clashing) == 1


def test_imports_of_every_shape() -> None:
    assert mended("package p\n\nfunc f() {}\n", ["cmp"], []) == 'package p\n\nimport "cmp"\n\nfunc f() {}\n'
    single = 'package p\n\nimport "fmt"\n\nfunc f() {}\n'
    assert mended(single, ["slices"], []) == 'package p\n\nimport (\n\t"fmt"\n\t"slices"\n)\n\nfunc f() {}\n'
    assert mended(single, [], ["fmt"]) == "package p\n\nfunc f() {}\n"
    foreign = 'package p\n\nimport (\n\t"example.com/x"\n)\n'
    assert mended(foreign, ["cmp"], []) == 'package p\n\nimport (\n\t"cmp"\n\n\t"example.com/x"\n)\n'
    named = 'package p\n\nimport (\n\tf "fmt" // why\n\t"os"\n)\n'
    assert mended(named, ["cmp"], ["fmt"]) == 'package p\n\nimport (\n\t"cmp"\n\t"os"\n)\n'


LINES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12)


@given(LINES, st.integers(0, 12), LINES)
def test_lines_around_an_insertion_are_found_again(lines: list[str], at: int, new: list[str]) -> None:
    at = min(at, len(lines))
    numbered = [f"{text}{number}" for number, text in enumerate(lines)]
    after = [*numbered[:at], *(f"new {text}" for text in new), *numbered[at:]]
    for number in range(1, len(numbered) + 1):
        _, moved = moved_lines("\n".join(numbered), "\n".join(after), [number])
        assert number + (len(new) if number > at else 0) in moved


@given(st.lists(st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, 5), st.text("xyz", max_size=3)), max_size=6))
def test_no_edit_is_half_done(changes: list[tuple[int, int, str]]) -> None:
    """Every edit is taken whole or named as clashing."""
    first = TEXT.index("func f")
    edits = [edit(Change(first, first, ""), Change(at, min(at + size, len(TEXT)), new)) for at, size, new in changes]
    edits = list(dict.fromkeys(one for one in edits if all(first <= change.start for change in one.changes)))
    composed = compose(source(), edits)
    assert sorted([*composed.edits, *composed.clashing], key=str) == sorted(edits, key=str)
    kept = {change for one in composed.edits for change in one.changes}
    for one in kept:
        assert not any(one.start < other.end and other.start < one.end for other in kept if other != one)


def test_a_diff_has_a_line_for_each_newline_alone() -> None:
    before = "a\x0cb\n\u2028c\nd"
    shown = unified(EditedFile("p.go", "/p/p.go", before, before.replace("c", "e"), ()))
    assert shown.splitlines(keepends=False)[:3] == ["--- a/p.go", "+++ b/p.go", "@@ -1,3 +1,3 @@"]
    assert shown.endswith("\n-\u2028c\n+\u2028e\n d\n\\ No newline at end of file\n")
