"""Rules joined with the witnesses."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from whyheap.app.user_rules import kept_bounds
from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind
from whyheap.model.finding import Certainty
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site
from whyheap.rules.matching import Matches, match_rules
from whyheap.rules.rule import UserRules
from whyheap.rules.rule_text import parse_rules

FILE = "svc/a.go"
SOURCE = """package svc

func (s *Svc) Handle(n int) error {
	é, x := fmt.Sprintf("%d", n), fmt.Sprintf("x")
	if s.rows[0] == x { return errors.New("é") }
	return nil
}

func free() { free() }
"""


def fact(line: int, column: int, kind: FactKind = FactKind.HEAP) -> CompilerFact:
    at = Position(FILE, line, column)
    return CompilerFact(kind, at, "(*Svc).Handle", "svc", "n escapes to heap", "n", at)


def evidence(line: int, **changes: object) -> Evidence:
    return Evidence(Site(FILE, line, 0, "(*Svc).Handle", "svc"), **changes)  # type: ignore[arg-type]


def call(path: CallPath) -> AllocatorCall:
    return AllocatorCall(Site(FILE, 4), "runtime.convT64", "", 1, path)


def match(text: str, *known: Evidence, bounds: Sequence[Position] = ()) -> Matches:
    rules, problems = parse_rules(text, "r.yml")
    assert not problems
    return match_rules(UserRules(tuple(rules)), {FILE: "svc"}, {FILE: SOURCE}, known, lambda _: bounds)


def places(found: Matches) -> list[tuple[int, int]]:
    return [(one.site.line, one.site.column) for one in found.findings]


RULE = (
    "id: r\nmessage: 'of $F: $$$A $B'\nfix: write strconv.Itoa($A)\nrule: {pattern: 'fmt.Sprintf($F, $A)'}\nrequires: "
)
ANY = "id: r\nmessage: m\nrule: {pattern: fmt.Sprintf($$$A)}\nrequires: "


def test_syntax_alone_is_a_candidate() -> None:
    found = match(ANY + "none\n")
    assert places(found) == [(4, 11), (4, 33)], "columns are bytes"
    assert {one.certainty for one in found.findings} == {Certainty.INFERRED}
    assert {one.pattern for one in found.findings} == {"rule:r"}
    assert {one.site.symbol for one in found.findings} == {"svc.(*Svc).Handle"}
    assert len({one.id for one in found.findings}) == 2


def test_heap_must_be_said_inside_the_match() -> None:
    at_n = 11 + len('fmt.Sprintf("%d", ')
    found = match(ANY + "heap\n", evidence(4, facts=(fact(4, at_n),)))
    assert places(found) == [(4, 11)]
    assert found.findings[0].facts == (fact(4, at_n),)
    assert found.findings[0].certainty is Certainty.STATED
    assert not match(ANY + "heap\n", evidence(4, facts=(fact(4, at_n, FactKind.STACK),))).findings
    assert not match(ANY + "heap\n", evidence(4, facts=(fact(4, 2),))).findings
    assert len(match(ANY + "heap\n", evidence(4, facts=(fact(4, 0),))).findings) == 2, "no column: the line"


def test_allocates_asks_machine_code_or_profile() -> None:
    assert not match(ANY + "allocates\n", evidence(4, calls=())).findings
    assert not match(ANY + "allocates\n", evidence(4, calls=(call(CallPath.COLD),))).findings
    found = match(ANY + "allocates\n", evidence(4, calls=(call(CallPath.BRANCH),)))
    assert [one.certainty for one in found.findings] == [Certainty.STATED] * 2
    measured = match(ANY + "allocates\n", evidence(4, direct=Measure(8, 1, 8, 1), profiled=True))
    assert measured.findings[0].measure == Measure(8, 1, 8, 1)
    assert measured.findings[0].certainty is Certainty.MEASURED
    unread = match(ANY + "allocates\n", evidence(4, facts=(fact(4, 11),)))
    assert not unread.findings
    assert "neither machine code nor a profile" in unread.gaps[0].reason


def test_bounds_checks_are_asked_for_only_where_syntax_matches() -> None:
    text = "id: r\nmessage: '$I of $A'\nrule: {pattern: '$A[$I]'}\nrequires: bounds-check\n"
    found = match(text, bounds=[Position(FILE, 5, 11)])
    assert [one.message for one in found.findings] == ["0 of s.rows"]
    assert not match(text, bounds=[Position(FILE, 5, 2), Position("b.go", 5, 11)]).findings

    def never(_: str) -> Sequence[Position]:
        raise AssertionError

    rules = UserRules(tuple(parse_rules(text.replace("$A[$I]", "none[$I]"), "r.yml")[0]))
    assert not match_rules(rules, {FILE: "svc"}, {FILE: SOURCE}, (), never).findings


def test_kept_bounds_are_read_from_fact_lines() -> None:
    row = '{"kind":"%s","file":"a.go","line":2,"column":3,"message":"%s","site":{"file":"b.go","line":7,"column":1}}\n'
    lines = (
        row % ("bounds", "isInBounds") + row % ("bounds", "index bounds check elided") + row % ("heap", "x")
    ).encode()
    assert kept_bounds([lines]) == [Position("b.go", 7, 1), Position("a.go", 2, 3)]


def test_templates_take_what_matched() -> None:
    found = match(RULE + "none\n").findings[0]
    assert found.message == 'of "%d": n $B', "a name that the match has not stays"
    assert found.fixes[0].title == "write strconv.Itoa(n)"


def test_files_without_source_are_left_out() -> None:
    rules = UserRules(tuple(parse_rules(RULE + "none\n", "r.yml")[0]))
    assert match_rules(rules, {FILE: "svc"}, {}, (), lambda _: ()) == Matches(())


@pytest.mark.parametrize("regex", ["(a+)+$", "(.*)*b", "(x|x)*y"])
def test_regular_expressions_take_linear_time(regex: str) -> None:
    rules = UserRules(tuple(parse_rules(f"id: r\nmessage: m\nrule: {{kind: comment, regex: '{regex}'}}\n", "r.yml")[0]))
    source = "package p\n//" + "a" * 50_000 + "!\n//" + "x" * 50_000 + "\n"
    assert not match_rules(rules, {FILE: "svc"}, {FILE: source}, (), lambda _: ()).findings
