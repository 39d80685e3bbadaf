"""A gate's result as text and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from whyheap.model.site import Site
from whyheap.model.violation import GateResult, Violation
from whyheap.report.gate_to_json import gate_to_json
from whyheap.report.gate_to_text import gate_to_text

SITE = Site("my-pkg/a.go", 12, 0, "F", "example.com/shop/my-pkg")
RESULT = GateResult(
    "go1.27.3",
    "linux/amd64",
    (
        Violation("0123456789ab", "noescape", SITE, "moved to heap: x\x1b[2J\nand more", labels={"directive": "//a"}),
        Violation("0123456789ac", "new-site", SITE, "allocates"),
        Violation("0123456789ad", "new-site", SITE, "allocates"),
    ),
    notes=("12 entries are gone",),
    unknown=tuple(f"word {number}" for number in range(12)),
    checked={"packages": 1, "sites": 1200, "directives": 0},
    title="shop",
)


def test_one_line_a_violation_and_a_summary_at_the_end() -> None:
    lines = gate_to_text(RESULT).splitlines()
    assert lines[0] == "my-pkg/a.go:12:1: noescape: moved to heap: x\\x1b[2J and more"
    assert lines[3:5] == ["not understood: word 0", "not understood: word 1"]
    assert lines[13:15] == ["not understood: 2 more lines", "note: 12 entries are gone"]
    assert lines[15] == (
        "shop: 3 violations (2 new-site, 1 noescape); 12 lines not understood (--allow-unknown passes over them); "
        "1 package, 1,200 sites; go1.27.3 linux/amd64"
    )


def test_the_ways_out_stand_at_the_end() -> None:
    promise = "  Keep what the directive in the source promises, or take the directive out"
    new = "  Take new sites off the heap (whyheap explain my-pkg/a.go:12 says why)"
    assert gate_to_text(RESULT).splitlines()[-2:] == [new, promise]
    accepting = gate_to_text(RESULT, accept="whyheap gate --update")
    assert f"{new}, or accept them:  whyheap gate --update\n" in accepting
    assert "--update" not in gate_to_text(RESULT)
    budget = replace(
        RESULT, violations=(Violation("1", "budget", Site("whyheap.toml", 1), "2 sites, and 1 is allowed"),)
    )
    assert gate_to_text(budget, accept="x").splitlines()[-1] == (
        "  Allocate less, or change the budget in whyheap.toml"
    )


def test_nothing_wrong_is_one_line() -> None:
    text = gate_to_text(GateResult("go1.27.3", "linux/amd64", (), checked={"packages": 2}, title="shop"))
    assert text == "shop: no violations; 2 packages; go1.27.3 linux/amd64\n"


STACK = tuple(Site("p/x.go", 10 + number, 0, f"f{number}", "a.test/p") for number in range(14))
START = Site("p/x.go", 4, 2, "Start", "a.test/p")
LEAK = Violation("1", "leak", START, "1 goroutine is left", labels={"stack_bytes_at_least": "2048"}, stack=STACK)


def ran(*violations: Violation, failed: bool) -> GateResult:
    return GateResult("go1.27.3", "linux/amd64", violations, (), (), {"packages": 1, "tests": 2000}, failed, "./...")


def test_a_stack_stands_below_its_violation() -> None:
    lines = gate_to_text(ran(LEAK, failed=False)).splitlines()
    assert lines[0] == "p/x.go:4:2: leak: 1 goroutine is left"
    assert lines[1].split() == ["a.test/p.f0", "p/x.go:10"]
    assert lines[13].strip() == "... 2 more frames (--all)"
    assert lines[14].split() == ["created", "by", "a.test/p.Start", "p/x.go:4:2"]
    assert lines[15].strip() == "holds at least 2 KiB of stack, and what it refers to"
    assert lines[-1] == "./...: 1 violation (1 leak); 1 package, 2,000 tests; go1.27.3 linux/amd64"
    assert len(gate_to_text(ran(LEAK, failed=False), all_rows=True).splitlines()) == len(lines) + 1


def test_ordinary_tests_that_fail_are_said() -> None:
    assert "./...: ordinary tests failed; 1 package" in gate_to_text(ran(failed=True))


def test_where_nothing_was_built_no_test_is_said_to_fail() -> None:
    result = replace(ran(failed=True), checked={"packages": 0, "tests": 0})
    assert "ordinary tests failed" in gate_to_text(result), "a test that ends its process leaves no count"
    notes = ("./nosuch: not checked, its tests do not build",)
    early = (*notes, "p: not checked for leaks, its test binary ended early")
    assert "ordinary tests failed" in gate_to_text(replace(result, notes=early))
    result = replace(result, notes=notes)
    assert "\n./...: nothing could be tested: there is no such package, or it does not build; 0" in gate_to_text(result)


def test_colours_are_ours_alone() -> None:
    text = gate_to_text(ran(Violation("1", "leak", START, "a\x1b[2Jb\nc"), failed=False), color=True)
    assert "\x1b[2J" not in text
    assert "a\\x1b[2Jb c" in text
    assert "\x1b[31mleak\x1b[0m" in text
    assert "\x1b" not in gate_to_text(ran(LEAK, failed=False))


def test_json_holds_all_of_it() -> None:
    found = json.loads(gate_to_json(RESULT))
    assert found["violations"][0]["site"] == {
        "file": "my-pkg/a.go",
        "line": 12,
        "column": 0,
        "function": "F",
        "package": "example.com/shop/my-pkg",
    }
    assert found["violations"][0]["labels"] == {"directive": "//a"}
    assert (len(found["unknown"]), found["checked"]["sites"], found["failed"]) == (12, 1200, False)
