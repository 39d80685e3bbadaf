"""Hazards take two witnesses, the syntax and a bounds check that the compiler kept, and are in no ranking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pattern_wants import evidence, version, wants
from whyheap.collect.kept_checks import checks_by_line, kept_checks, with_checks
from whyheap.host.toolchains import SUPPORTED
from whyheap.lab.recording import load
from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.site import Position
from whyheap.patterns.catalogue import HAZARDS
from whyheap.patterns.context import Context
from whyheap.patterns.hazard import judge_hazards
from whyheap.patterns.judge import judge

RECORDED = Path(__file__).resolve().parents[1] / "recorded" / SUPPORTED[-1]


def recorded() -> tuple[list[Evidence], Context]:
    (rule,) = HAZARDS
    pattern = rule.PATTERN
    text = (RECORDED / "patterns" / f"{pattern.slug}.txt").read_text(encoding="utf-8")
    go = version(SUPPORTED[-1])
    context = Context(go, {f"{pattern.slug}/example.go": pattern.example})
    return evidence(pattern, text, load(RECORDED, pattern.slug), go), context


def test_a_hazard_needs_the_check_and_the_syntax() -> None:
    seen, context = recorded()
    wanted = {line for line, want in wants(HAZARDS[0].PATTERN.example, (1, 27)).items() if want.patterns}
    assert {one.site.line for one in judge_hazards(seen, context)} == wanted
    assert judge_hazards([replace(one, facts=()) for one in seen], context) == []
    assert judge_hazards(seen, Context((1, 27), {})) == []


def test_a_check_elsewhere_on_the_line_confirms_nothing() -> None:
    seen, context = recorded()
    moved = []
    for one in seen:
        facts = (replace(fact, site=replace(fact.site, column=2)) for fact in one.facts)
        moved.append(replace(one, facts=tuple(facts)))
    assert judge_hazards(moved, context) == []


def test_no_ranking_of_what_allocates_has_a_hazard() -> None:
    seen, context = recorded()
    assert judge(seen, context) == []


def test_hazards_have_ids_that_lines_do_not_change() -> None:
    seen, context = recorded()
    ids = [one.id for one in judge_hazards(seen, context)]
    assert len(set(ids)) == len(ids)
    text = f"\n\n{HAZARDS[0].PATTERN.example}"
    below = []
    for one in seen:
        facts = (replace(fact, site=replace(fact.site, line=fact.site.line + 2)) for fact in one.facts)
        below.append(replace(one, site=replace(one.site, line=one.site.line + 2), facts=tuple(facts)))
    again = judge_hazards(below, Context((1, 27), {seen[0].site.file: text}))
    assert [one.id for one in again] == ids


def test_checks_are_told_by_the_line_that_their_code_stands_on() -> None:
    lines = (
        b'{"kind":"bounds","file":"a.go","line":9,"column":3,"message":"isSliceInBounds","package":"p",'
        b'"site":{"file":"b.go","line":4,"column":10}}\n'
        b'{"kind":"bounds","file":"a.go","line":9,"column":3,"message":"slice bounds check elided","package":"p",'
        b'"site":{"file":"b.go","line":5,"column":10}}\n'
        b'{"kind":"heap","file":"a.go"}\n'
    )
    checks = kept_checks([lines, lines])
    at = Position("b.go", 4, 10)
    assert checks == [
        CompilerFact(FactKind.BOUNDS, Position("a.go", 9, 3), "", "p", "isSliceInBounds", "", at),
    ]
    (line,) = checks_by_line("p", checks)
    assert (line.site.file, line.site.line, line.facts) == ("b.go", 4, tuple(checks))
    known = replace(line, facts=(), profiled=True)
    assert with_checks([known], [line]) == [replace(known, facts=tuple(checks))]
    assert with_checks([], [line]) == [line]
