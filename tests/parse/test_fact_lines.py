"""Facts as JSON lines: the contract's shape, nothing lost on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_recording import VERSIONS, facts
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.site import Position
from whyheap.parse.fact_lines import encode_facts
from whyheap.parse.go_symbol import function_name, split_symbol

KEYS = ["kind", "file", "line", "column", "function", "package", "message", "subject", "flow", "site", "inlined_at"]
# surrogates cannot come: the compiler's output is decoded with replacement
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.integers(0, 1 << 31)
POSITIONS = st.builds(Position, TEXT, NUMBER, NUMBER)
STEPS = st.builds(FlowStep, TEXT, TEXT, TEXT, NUMBER, NUMBER)
FLOWS = st.builds(Flow, TEXT, TEXT, st.lists(STEPS, max_size=2).map(tuple))
FACTS = st.builds(
    CompilerFact,
    kind=st.sampled_from(FactKind),
    printed_at=POSITIONS,
    function=TEXT.filter(lambda name: name == function_name(name)),
    package=TEXT,
    message=TEXT,
    subject=TEXT,
    site=POSITIONS,
    inlined_at=st.lists(POSITIONS, max_size=2).map(tuple),
    flow=st.lists(FLOWS, max_size=2).map(tuple),
)


def position(row: dict[str, Any]) -> Position:
    return Position(row["file"], row["line"], row["column"])


def decoded(row: dict[str, Any]) -> CompilerFact:
    assert list(row) == KEYS
    flow = tuple(Flow(one["to"], one["from"], tuple(FlowStep(**step) for step in one["steps"])) for one in row["flow"])
    assert row["inlined_at"] is None or row["inlined_at"]
    return CompilerFact(
        FactKind(row["kind"]),
        position(row),
        row["function"],
        row["package"],
        row["message"],
        row["subject"],
        position(row["site"]),
        tuple(map(position, row["inlined_at"] or ())),
        flow,
    )


@given(st.lists(FACTS, max_size=5), st.lists(TEXT, max_size=3))
def test_round_trip(before: list[CompilerFact], unknown: list[str]) -> None:
    lines = encode_facts(before, unknown).splitlines()
    rows = [json.loads(line) for line in lines]
    assert [decoded(row) for row in rows[: len(before)]] == before
    assert rows[len(before) :] == [{"kind": "unknown", "text": text} for text in unknown]


@pytest.mark.parametrize("version", VERSIONS)
def test_functions_are_spelled_as_in_a_stack_trace(version: str) -> None:
    rows = [json.loads(line) for line in encode_facts(facts(version), ()).splitlines()]
    functions = {row["function"] for row in rows}
    assert {"Box[...]", "(*Stack[...]).Push", "Map[...]", "(*list).Push", "UseGenerics.func1"} <= functions
    assert not [
        name for name in functions if "go.shape" in name or "#" in name or name.startswith(("slices.", "atomic."))
    ]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("F", "F"),
        ("(*T).M.func1", "(*T).M.func1"),
        ("Map[go.shape.string,go.shape.*uint8]", "Map[...]"),
        ("(*Stack[a/b.T[int]]).Push-fm", "(*Stack[...]).Push-fm"),
        ("Map[int].func1", "Map[...].func1"),
        ("Points.func1#FzM7FbSlr9E=#", "Points.func1"),
        ("]odd[", "]odd["),
        ("", ""),
        ("(*T[go.shape.string]).M[go.shape.[]int].func1", "(*T[...]).M[...].func1"),
        ("T[map[string]int].M[[]int]", "T[...].M[...]"),
        ("F[struct { a [2]int; b T[int] }].func1", "F[...].func1"),
    ],
)
def test_function_name(name: str, wanted: str) -> None:
    assert function_name(name) == wanted
    assert function_name(wanted) == wanted


@pytest.mark.parametrize(
    ("symbol", "package", "function"),
    [
        ("main.main", "main", "main"),
        ("example.com/a/b.(*T).M", "example.com/a/b", "(*T).M"),
        ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3", "Unmarshal"),
        ("main.Box[example.com/x/y.T]", "main", "Box[example.com/x/y.T]"),
        ("example.com/a.(*S[go.shape.struct { x/y.F }]).M", "example.com/a", "(*S[go.shape.struct { x/y.F }]).M"),
        ("a/b.glob..func1", "a/b", "glob..func1"),
        ("memhash", "", "memhash"),
    ],
)
def test_split_symbol(symbol: str, package: str, function: str) -> None:
    assert split_symbol(symbol) == (package, function)
