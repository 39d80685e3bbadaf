"""What edits bring onto the heap is told from what is only printed otherwise, and blamed on the edit that did it."""

from __future__ import annotations

from dataclasses import replace

from whyheap.model.edit import Change, Edit
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.scan import ScannedPackage
from whyheap.model.site import Position
from whyheap.proof.brought import brought
from whyheap.proof.workshop import EditedFile

BEFORE = """package p

func name(n int) string {
\treturn fmt.Sprint(n)
}

func use(n int) {
\tkeep(name(n))
}

func other(n int) string {
\treturn fmt.Sprint(n)
}
"""
AFTER = BEFORE.replace("\treturn fmt.Sprint(n)\n", "\ttext := strconv.Itoa(n)\n\treturn text\n")
CALL, NEW_CALL = Position("p.go", 8, 11), Position("p.go", 9, 11)


def heap(at: Position, subject: str, function: str, flow: tuple[Flow, ...] = ()) -> CompilerFact:
    return CompilerFact(FactKind.HEAP, at, function, "p", f"{subject} escapes to heap", subject, at, flow=flow)


def edit(line: int) -> Edit:
    start = BEFORE.index("fmt.Sprint") if line == 4 else BEFORE.rindex("fmt.Sprint")
    return Edit("variadic-any", "p.go", "title", (Change(start, start + 3, "x"),), (), lines=(line,))


NAME, OTHER = edit(4), edit(12)


def told(old: list[CompilerFact], new: list[CompilerFact], *edits: Edit) -> dict[Edit, str]:
    before, after = (ScannedPackage("p", "/p", ("p.go",), facts=tuple(facts)) for facts in (old, new))
    files = [EditedFile("p.go", "/p/p.go", BEFORE, AFTER, edits or (NAME, OTHER))]
    return brought(before, after, files, files, {})


def test_a_call_that_can_be_inlined_now_is_the_same_value() -> None:
    assert told([heap(CALL, "name(n)", "use")], [heap(NEW_CALL, "~r0", "use")]) == {}


def test_a_second_value_at_the_same_place_is_new() -> None:
    new = [heap(NEW_CALL, "~r0", "use"), heap(NEW_CALL, "text", "use")]
    assert set(told([heap(CALL, "name(n)", "use")], new)) == {NAME, OTHER}


def test_a_value_where_none_was_is_new_and_without_a_clue_every_edit_is_suspected() -> None:
    assert set(told([], [heap(NEW_CALL, "~r0", "use")])) == {NAME, OTHER}


def test_the_way_to_the_heap_names_the_edit() -> None:
    flow = (Flow("{heap}", "&text", (FlowStep("text", "spill", "p.go", 4, 2),)),)
    problems = told([], [heap(NEW_CALL, "~r0", "use", flow)])
    assert problems == {NAME: "brings a new value on the heap: ~r0 in use"}


def test_a_value_in_a_line_that_was_edited_is_new() -> None:
    problems = told([heap(Position("p.go", 4, 9), "n", "name")], [heap(Position("p.go", 5, 9), "text", "name")])
    assert set(problems) == {NAME}


def test_an_edit_of_a_package_that_is_inlined_here_is_judged_by_what_it_announced() -> None:
    before, after = ScannedPackage("p", "/p", ("p.go",)), heap(Position("p.go", 9, 11), "make([]int, 0, n)", "use")
    inlined = replace(after, site=Position("q.go", 4, 9), inlined_at=(Position("p.go", 9, 11),))
    now = replace(before, facts=(inlined,))
    other = replace(NAME, file="q.go")
    here = EditedFile("p.go", "/p/p.go", BEFORE, AFTER, (OTHER,))

    def blamed(edit: Edit) -> set[Edit]:
        return set(brought(before, now, [here], [here, EditedFile("q.go", "/q/q.go", BEFORE, AFTER, (edit,))], {}))

    assert blamed(other) == {other}
    assert blamed(replace(other, brings=(r"^make\(\[\]int, 0, ",))) == set()
