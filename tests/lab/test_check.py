"""Wants against findings: what holds, what does not, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from whyheap.lab.check import failures, judged, place
from whyheap.model.evidence import Evidence
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site
from whyheap.patterns.pattern import HEADINGS, Pattern

GO = (1, 27)


def pattern(folder: Path, line: str) -> Pattern:
    (folder / "example.go").write_text(f"package example\n\n{line}\n", encoding="utf-8")
    return Pattern("returned-address", "title", (), dict.fromkeys(HEADINGS, "text"), folder=folder)


def evidence(of: Pattern, **changes: object) -> Evidence:
    at = Position(place(of), 3, 2)
    step = FlowStep("&x", "address-of", at.file, 3, 2)
    back = FlowStep("return &x", "return", at.file, 3, 2)
    flow = (Flow("~r0", "&x", (step, back)),)
    fact = CompilerFact(FactKind.HEAP, at, "BadX", "p", "moved to heap: x", "x", at, flow=flow)
    seen = Evidence(Site(at.file, 3, 2, "BadX", "p"), (fact,))
    return replace(seen, **changes)  # type: ignore[arg-type]


def call(name: str, path: CallPath = CallPath.ALWAYS) -> AllocatorCall:
    return AllocatorCall(Site("f", 3), f"runtime.{name}", "", 0, path)


def failed(of: Pattern, seen: Evidence) -> list[str]:
    found = judged(of, [seen], GO)
    return [str(one) for one in failures(of, found, [seen], GO)]


def test_a_want_that_holds_says_nothing(tmp_path: Path) -> None:
    of = pattern(tmp_path, "x // want pattern=returned-address")
    assert failed(of, evidence(of)) == []


def test_a_want_that_does_not_hold_names_file_line_and_both_sides(tmp_path: Path) -> None:
    of = pattern(tmp_path, "x // want pattern=global-store")
    assert failed(of, evidence(of)) == ["example.go:3: want pattern=global-store, got pattern=returned-address"]


def test_a_finding_that_nobody_wants_is_a_failure(tmp_path: Path) -> None:
    of = pattern(tmp_path, "x")
    assert failed(of, evidence(of)) == ["example.go:3: want none, got pattern=returned-address"]


@pytest.mark.parametrize(
    ("want", "names", "got"),
    [
        ("newobject", ["newobject"], []),
        ("mallocgc", ["mallocgcSmallNoScanSC2"], []),
        ("newobject", ["makeslice"], ["example.go:3: want call=newobject, got call=makeslice"]),
        ("newobject", [], ["example.go:3: want call=newobject, got none"]),
        ("none", [], []),
        ("none", ["newobject"], ["example.go:3: want call=none, got call=newobject"]),
    ],
)
def test_calls_are_held_against_machine_code(tmp_path: Path, want: str, names: list[str], got: list[str]) -> None:
    of = pattern(tmp_path, f"x // want pattern=returned-address call={want}")
    seen = evidence(of, calls=tuple(call(name) for name in names))
    assert [one for one in failed(of, seen) if "call=" in one] == got


def test_calls_on_the_way_to_a_panic_do_not_count(tmp_path: Path) -> None:
    of = pattern(tmp_path, "x // want pattern=returned-address call=none")
    assert failed(of, evidence(of, calls=(call("newobject", CallPath.COLD),))) == []


def test_without_machine_code_calls_are_not_checked(tmp_path: Path) -> None:
    of = pattern(tmp_path, "x // want pattern=returned-address call=makeslice")
    assert failed(of, evidence(of)) == []


def test_measured_bytes_count_where_a_want_speaks_of_them_only(tmp_path: Path) -> None:
    measured = Measure(alloc_bytes=64, alloc_objects=1)
    of = pattern(tmp_path, "x // want none")
    assert failed(of, evidence(of, facts=(), direct=measured)) == []
    of = pattern(tmp_path, "x // want pattern=other agreement=allocates-silently")
    assert failed(of, evidence(of, facts=(), direct=measured)) == []
    assert failed(of, evidence(of, facts=())) == ["example.go:3: want pattern=other, got none"]


def test_a_promise_of_no_allocation_is_measured(tmp_path: Path) -> None:
    of = pattern(tmp_path, "x // want pattern=returned-address agreement=never-allocates")
    seen = evidence(of, calls=(), direct=Measure(alloc_bytes=64, alloc_objects=4))
    assert failed(of, seen) == ["example.go:3: want agreement=never-allocates, got 4 objects allocated here"]
    assert failed(of, evidence(of, calls=())) == []
