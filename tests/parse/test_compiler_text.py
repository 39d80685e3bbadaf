"""The compiler's text is read without loss, in both dialects, whatever stands in the program's strings."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compiler_recording import SHAPES, VERSIONS, at, facts, key, printed, text
from whyheap.model.facts import CompilerFact, FactKind, FlowStep
from whyheap.model.site import Position
from whyheap.parse.compiler_text import Block, ParsedBlock, parse_block, split_blocks

every_version = pytest.mark.parametrize("version", VERSIONS)


def parse(*lines: str) -> ParsedBlock:
    return parse_block(Block("p", "", lines), str)


def only(*lines: str) -> CompilerFact:
    parsed = parse(*lines)
    assert parsed.unknown == ()
    assert len(parsed.facts) == 1
    return parsed.facts[0]


def test_all_versions_are_recorded() -> None:
    assert len(VERSIONS) == 5


@every_version
def test_facts_equal_what_m_1_prints_as_multisets(version: str) -> None:
    wanted = printed(version)
    found = Counter(key(fact) for fact in facts(version))
    assert {place: (found[place], count) for place, count in wanted.items() if found[place] != count} == {}
    more = [fact for fact in facts(version) if key(fact) not in wanted]
    assert {fact.kind for fact in more} <= {FactKind.INLINE, FactKind.BOUNDS, FactKind.OTHER}


@every_version
def test_every_heap_fact_carries_its_explanation(version: str) -> None:
    heap = [fact for fact in facts(version) if fact.kind is FactKind.HEAP]
    assert len(heap) >= 70
    unexplained = [fact.subject for fact in heap if not fact.reasons]
    # up to 1.24 the compiler gives no reason for this one
    assert unexplained in ([], ["new([1048576]int)"])
    assert not [
        fact for fact in facts(version) if fact.kind is FactKind.OTHER and key(fact) in printed(version) and fact.flow
    ]


@every_version
def test_strings_that_look_like_diagnostics_stay_subjects(version: str) -> None:
    (first,) = at(version, "shapes/values.go", 'kept = "flow: {heap}', '"flow')
    assert first.subject == '"flow: {heap} ← &x: and a: b escapes to heap"'
    assert first.reasons == ("spill", "assign")
    (second,) = at(version, "shapes/values.go", 'kept = "x escapes to heap in Evil:"', '"x')
    assert (second.subject, second.function) == ('"x escapes to heap in Evil:"', "Evil")
    joined, boxed = at(version, "shapes/values.go", 'kept = "from x (spill)', '"from')
    assert joined.subject == boxed.subject == '"from x (spill) at shapes/values.go:1:1" + x'
    assert {joined.flow[0].steps[0].expr, boxed.flow[0].steps[0].expr} == {joined.subject}
    assert len(at(version, "shapes/values.go", 'fmt.Println("parameter x leaks', '"')) == 3


@every_version
def test_names_of_many_bytes(version: str) -> None:
    (moved,) = at(version, "shapes/values.go", "func Größe", "moved")
    assert (moved.subject, moved.function) == ("größe", "Größe")
    assert moved.printed_at.column == len("func Größe(".encode()) + 1
    (leak,) = at(version, "shapes/values.go", "func Größe", "leaking")
    assert (leak.subject, leak.reasons) == ("世界", ("interface-converted", "assign"))


@every_version
def test_functions_are_named_whatever_the_dialect(version: str) -> None:
    wanted = {
        ("func Address", "&Point"): "Address",
        ("first int,", "moved"): "TwoLines",
        ("func OneLine", "s escapes"): "OneLine",
        ("func OneLine", "leaking"): "OneLine",
        ("count := 0", "moved"): "Closures",
        ("name := range names", "moved"): "Closures",
        ("defer func() { kept = count }", "count"): "Closures.func2",
        ("fmt.Sprint(p.X", "p.X"): "Point.Name",
        ("func() *Point { return &Point{} },", "&Point"): "init.func2",
        ("var Package", "moved"): "init.func1",
    }
    found = {place: {fact.function for fact in at(version, "shapes/values.go", *place)} for place in wanted}
    if version.startswith("1.22"):
        del wanted["func() *Point { return &Point{} },", "&Point"]
        found["var Package", "moved"] = {name.replace("glob..", "init.") for name in found["var Package", "moved"]}
    assert {place: names for place, names in found.items() if place in wanted} == {
        place: {name} for place, name in wanted.items()
    }


@every_version
def test_the_same_text_twice_at_one_place_is_two_facts(version: str) -> None:
    twice = at(version, "shapes/values.go", "return []int{1, 2, 3}", "[]int")
    assert sorted(fact.reasons[-1] for fact in twice) == ["interface-converted", "return"]


@every_version
def test_instances_of_a_generic_function_are_told_apart(version: str) -> None:
    boxes = at(version, "shapes/generic.go", "func Box", "moved")
    own = [fact for fact in boxes if fact.package == SHAPES and not fact.inlined_at]
    assert {fact.function for fact in own} == {"Box[go.shape.int]", "Box[go.shape.string]"}
    wrappers = [fact for fact in boxes if fact.package == SHAPES and fact.inlined_at]
    assert {fact.function for fact in wrappers} == {"Box[int]", "Box[string]"}
    assert not [fact for fact in facts(version) if fact.function.startswith("Never")]


@pytest.mark.parametrize("version", [one for one in VERSIONS if not one.startswith("1.22")])
def test_range_over_func(version: str) -> None:
    (moved,) = at(version, "shapes/iterators.go", "for i, point", "moved")
    assert moved.function == "Range-range1"
    (deferred,) = at(version, "shapes/iterators.go", "defer func()", "func literal escapes")
    assert deferred.function == "Range-range1"
    yielded = at(version, "shapes/iterators.go", "yield(i, &Point", "&Point")
    assert "Points.func1" in {fact.function for fact in yielded}
    assert {fact.function for fact in at(version, "shapes/iterators.go", "return func(yield", "func literal")} == {
        "Points"
    }


@every_version
def test_line_comments_have_no_column_and_keep_their_file(version: str) -> None:
    parsed = [
        fact for fact in facts(version) if fact.printed_at.file.endswith("grammar.y") and fact.kind is FactKind.HEAP
    ]
    assert [(fact.printed_at.line, fact.printed_at.column, fact.message) for fact in parsed] == [
        (10, 0, "moved to heap: n")
    ]
    assert parsed[0].function == "Parsed"
    (elsewhere,) = [
        fact for fact in facts(version) if fact.printed_at.file == "/elsewhere/other.y" and fact.kind is FactKind.HEAP
    ]
    assert (elsewhere.printed_at.line, elsewhere.function) == (20, "ParsedElsewhere")


@every_version
def test_wrappers_without_source(version: str) -> None:
    wrapped = [fact for fact in facts(version) if fact.printed_at.file == "<autogenerated>"]
    assert {fact.printed_at.line for fact in wrapped} == {1}
    ignoring = [fact for fact in wrapped if "ignoring self-assignment" in fact.message]
    assert {fact.function for fact in ignoring} == {"(*Wrapper).Trim", "Wrapper.Trim"}


@every_version
def test_kinds_that_only_the_text_has(version: str) -> None:
    messages = {fact.message for fact in facts(version) if fact.kind is FactKind.OTHER}
    assert "devirtualizing n.Name to Point" in messages
    assert "zero-copy string->[]byte conversion" in messages
    assert "assuming p is unsafe uintptr" in messages
    assert "marking ps as escaping ...uintptr" in messages
    assert any(message.startswith("Closures capturing by ref: count") for message in messages)
    (leak,) = at(version, "shapes/values.go", "func (l *list) Push", "leaking param: l ")
    assert leak.message == "leaking param: l to result ~r0 level=0"
    assert (leak.subject, leak.reasons) == ("l", ("return",))


@pytest.mark.parametrize(
    ("header", "function", "arrow"), [("x escapes to heap:", "", "="), ("x escapes to heap in (*T).M:", "(*T).M", "←")]
)
def test_both_dialects(header: str, function: str, arrow: str) -> None:
    fact = only(
        f"a.go:3:5: {header}",
        f"a.go:3:5:   flow: y {arrow} &x:",
        "a.go:3:5:     from &x (address-of) at a.go:4:7",
        f"a.go:3:5:   flow: {{heap}} {arrow} *y:",
        "a.go:3:5:     from y.f() (call parameter) at b.go:9",
        "a.go:3:5: moved to heap: x",
    )
    assert (fact.kind, fact.subject, fact.function) == (FactKind.HEAP, "x", function)
    assert [(flow.to, flow.from_) for flow in fact.flow] == [("y", "&x"), ("{heap}", "*y")]
    assert fact.flow[1].steps == (FlowStep("y.f()", "call parameter", "b.go", 9, 0),)


@pytest.mark.parametrize("tail", ["", " for F", " for (*struct { io.Reader }).Read", " for struct { io.Reader }.Read"])
@pytest.mark.parametrize(
    "target",
    ["{heap}", "~r0", "shapes.v", "{storage for func literal}", '{storage for "a for b" + struct { X int }{...}}'],
)
def test_where_a_parameter_leaks_to_may_hold_any_expression(target: str, tail: str) -> None:
    fact = only(
        f"a.go:1:8: parameter p leaks to {target}{tail} with derefs=0:",
        f"a.go:1:8:   flow: {target} ← p:",
        "a.go:1:8:     from p (return) at a.go:1:20",
        f"a.go:1:8: leaking param: p{' to result ~r0 level=0' if target == '~r0' else ''}",
    )
    assert (fact.kind, fact.function) == (FactKind.PARAM_LEAK, tail.removeprefix(" for "))
    assert fact.flow[0].to == target


@pytest.mark.parametrize(
    ("body", "to", "from_"),
    [
        ('{storage for "a ← b" + x} ← &x', '{storage for "a ← b" + x}', "&x"),
        ('{storage for "a = b" + x} = &x', '{storage for "a = b" + x}', "&x"),
        ('x ← &{storage for "} ← &y" + z}', "x", '&{storage for "} ← &y" + z}'),
        ("{storage for struct { io.Reader }{...}} ← **r", "{storage for struct { io.Reader }{...}}", "**r"),
    ],
)
def test_flows_between_expressions_that_hold_the_arrow(body: str, to: str, from_: str) -> None:
    fact = only("a.go:1:8: x escapes to heap:", f"a.go:1:8:   flow: {body}:", "a.go:1:8: x escapes to heap")
    assert [(flow.to, flow.from_) for flow in fact.flow] == [(to, from_)]


def test_a_line_of_an_explanation_that_is_not_understood_is_counted() -> None:
    parsed = parse("a.go:1:8: x escapes to heap:", "a.go:1:8:   flow: nonsense:", "a.go:1:8:     from x at nowhere")
    assert len(parsed.unknown) == 2


def test_unplaced_lines_and_the_words_of_go() -> None:
    parsed = parse(
        "<unknown line number>: x does not escape", "F capturing by value: #defers (addr=false assign=false width=16)"
    )
    assert [(fact.printed_at, fact.function) for fact in parsed.facts] == [
        (Position("", 0), ""),
        (Position("", 0), "F"),
    ]
    assert parse("go: downloading example.com/x v1.0.0") == ParsedBlock((), (), ())
    assert parse("something new").unknown == ("something new",)


def test_blocks_of_packages_and_of_their_variants() -> None:
    lines = ["go: x", "# a/b", "one", "# a/b [a/b.test]", "two", "# not a header at all", "three", "# main [main]"]
    blocks = [(block.package, block.variant, list(block.lines)) for block in split_blocks(lines)]
    assert blocks == [
        ("", "", ["go: x"]),
        ("a/b", "", ["one"]),
        ("a/b", "a/b.test", ["two", "# not a header at all", "three"]),
        ("main", "main", []),
    ]
    assert [block.package for block in split_blocks(lines)] == ["", "a/b", "a/b", "main"], "lines that nobody reads"


def test_spelling_depends_on_the_package_and_not_on_the_folder_of_the_first_compile() -> None:
    """Replayed text keeps the paths of the first compile: the tool compiles at the root, always."""
    fact = parse_block(Block("p", "", ["../a/a.go:1:2: x escapes to heap"]), lambda raw: raw.removeprefix("../")).facts[
        0
    ]
    assert fact.printed_at == Position("a/a.go", 1, 2)


PIECES = st.sampled_from(
    [
        "a.go:1:2: ",
        "b-c/d.go:10: ",
        "<autogenerated>:1: ",
        "<unknown line number>: ",
        "  ",
        "   flow: ",
        "     from ",
        "x",
        "&x",
        " escapes to heap",
        " does not escape",
        "moved to heap: ",
        "leaking param: ",
        "leaking param content: ",
        ":",
        " in F",
        " ← ",
        " = ",
        "{heap}",
        " leaks to ",
        "parameter ",
        " with derefs=",
        "0",
        " (spill) at a.go:1:2",
        " for F",
        "can inline ",
        " with cost 1 as: ",
        "cannot inline ",
        "inlining call to ",
        " capturing by ref: ",
        "warning: ",
        "truncated explanation",
        "# p",
        " [p.test]",
        '"',
        "\t",
        "ü",
        "to result ~r0 level=",
        "append",
        "append(x)",
    ]
)
LINES = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40).map(lambda one: one.replace("\n", " "))


@given(st.lists(LINES, max_size=12))
@example(["a.go:1:2: x escapes to heap:", "a.go:1:2:   flow: :", "a.go:1:2: x escapes to heap"])
def test_nothing_raises_and_nothing_is_silently_dropped(lines: list[str]) -> None:
    for block in split_blocks(lines):
        kept = list(block.lines)
        parsed = parse_block(Block(block.package, "", kept), str)
        steps = sum(len(flow.steps) + 1 for fact in parsed.facts for flow in fact.flow)
        merged = sum(1 for fact in parsed.facts if fact.flow and fact.kind in {FactKind.HEAP, FactKind.PARAM_LEAK})
        accounted = len(parsed.facts) + len(parsed.unknown) + steps + merged
        ignorable = sum(1 for line in kept if "truncated explanation" in line or "go: " in line)
        bare = sum(1 for line in kept if line.endswith(":"))  # a header without a flow, merged into its verdict
        assert accounted + ignorable + bare >= len([line for line in kept if line])


@every_version
def test_every_line_of_a_recording_is_accounted_for_exactly(version: str) -> None:
    for block in split_blocks(text(version)):
        lines = [line for line in block.lines if line]
        parsed = parse_block(Block(block.package, "", lines), str)
        assert parsed.unknown == ()
        header = re.compile(r"(?: escapes to heap(?: in .+)?| with derefs=\d+):$")
        headers = sum(1 for line in lines if header.search(line) and " from " not in line and "   flow:" not in line)
        steps = sum(1 for line in lines if re.search(r":(?:\d+:)?   (?:  from|flow:) ", line))
        left_over = sum(1 for fact in parsed.facts if fact.message.endswith(":"))
        assert len(parsed.facts) - left_over == len(lines) - headers - steps
        assert sum(len(flow.steps) + 1 for fact in parsed.facts for flow in fact.flow) == steps
