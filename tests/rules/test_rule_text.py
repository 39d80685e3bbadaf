"""Rule files: what is read, and what is wrong with the rest, by line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.rules.rule import Requires, Severity
from whyheap.rules.rule_text import MOST_ALIASES, MOST_EVENTS, parse_rules

GOOD = "id: one\nmessage: m\nrule: {pattern: errors.New($X)}\n"


def reasons(text: str) -> list[str]:
    return [str(problem) for problem in parse_rules(text, "r.yml")[1]]


def test_all_keys_and_their_defaults() -> None:
    text = """
id: no-sprintf
message: "slow: $$$ARGS"
note: why
severity: error
language: Go
requires: bounds-check
rule: {pattern: '$A[$I]'}
constraints:
  I: {kind: int_literal}
fix: use $A
url: https://example.com
metadata: {team: x}
---
- {id: two, message: m, rule: {kind: block}}
- {id: 3, message: m, rule: {kind: block}}
"""
    rules, problems = parse_rules(text, "r.yml")
    assert not problems
    assert [rule.slug for rule in rules] == ["rule:no-sprintf", "rule:two", "rule:3"]
    first, second = rules[:2]
    assert (first.severity, first.requires, first.fix, first.line) == (
        Severity.ERROR,
        Requires.BOUNDS_CHECK,
        "use $A",
        2,
    )
    assert first.config == {"rule": {"pattern": "$A[$I]"}, "constraints": {"I": {"kind": "int_literal"}}}
    assert (second.severity, second.requires, second.fix) == (Severity.WARNING, Requires.NONE, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "r.yml: there is no rule in it"),
        ("17", "r.yml:1: a rule is a mapping"),
        ("id: a\nmessage: m\n", "r.yml:1: the rule has no rule"),
        ("id: a\nmessage: m\nrul: {kind: block}\n", "r.yml:3: unknown key 'rul' (did you mean rule?)"),
        (GOOD + "id: two\n", "r.yml:4: id stands twice"),
        (GOOD + "severity: fatal\n", "r.yml:4: severity 'fatal' is none of info, warning, error"),
        (GOOD + "requires: stack\n", "r.yml:4: requires 'stack' is none of none, heap, allocates, bounds-check"),
        (GOOD + "language: rust\n", "r.yml:4: language rust is not go"),
        (GOOD + "fix: [a]\n", "r.yml:4: fix is not text"),
        ("id: a b\nmessage: m\nrule: {kind: block}\n", "r.yml:1: id takes up to 64"),
        ("id: a\nmessage: m\nrule:\n  kind: nope\n", "r.yml:4: ast-grep does not take it: Invalid Kind: Kind `nope`"),
        ("id: a\nmessage: m\nrule: {regex: '('}\n", "r.yml:3: ast-grep does not take it: Parsing text matcher fails"),
        ("id: a\nmessage: m\nrule: {}\n", "r.yml:3: ast-grep does not take it: the rule is empty"),
        ("id: a\nmessage: m\nrule:\n  any:\n    - knd: x\n", "r.yml:5: ast-grep does not take it: unknown field `knd`"),
        ("id: a\nmessage: m\nrule: {matches: other}\n", "Rule `other` is not defined"),
        ("id: a\n\tmessage: m\n", "r.yml:2: not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]\n", "r.yml:1: unknown key 'a'"),
        ("id: a\nmessage: m\nrule: {kind: block, kind: block}\n", "r.yml:3: kind stands twice"),
    ],
)
def test_what_is_wrong_and_where(text: str, words: str) -> None:
    found = reasons(text)
    assert len(found) == 1
    assert words in found[0]


def test_the_other_rules_of_a_file_are_kept() -> None:
    rules, problems = parse_rules(f"{GOOD}---\nid: two\nmessage: m\nrule: {{kind: nope}}\n---\n{GOOD}", "r.yml")
    assert [rule.id for rule in rules] == ["one", "one"]
    assert [problem.line for problem in problems] == [7]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [x]\nb: &b [*a,*a]\n" + "c: [" + "*b," * (MOST_ALIASES + 1) + "]\n", "aliases"),
        ("id: a\nmessage: m\nrule: " + "[" * 5000, "nested deeper"),
        ("- a\n" * (MOST_EVENTS + 1), "YAML values in one file"),
        (
            "id: a\nmessage: m\nutils:\n  a0: &a0 {all: [{kind: block}]}\n"
            + "".join(f"  a{n}: &a{n} {{all: [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 15))
            + "rule: {matches: a1}\n",
            "expand to too much",
        ),
        ("id: a\nmessage: m\nrule: &r {all: [*r]}\n", "r.yml:3"),
    ],
)
def test_bombs_end_soon(text: str, words: str) -> None:
    before = time.process_time()
    assert words in reasons(text)[0]
    assert time.process_time() - before < 5  # far from what they would take


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    rules, problems = parse_rules(text, "r.yml")
    assert rules or problems or not text.strip() or text.strip()[0] in "#%-.[]{}\ufeff"


def test_a_call_with_one_argument_means_a_call() -> None:
    rule = parse_rules(GOOD, "r.yml")[0][0]
    assert rule.config["rule"] == {"pattern": {"context": "func _() { errors.New($X) }", "selector": "call_expression"}}
