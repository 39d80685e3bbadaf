"""A gate's result as text and JSON."""

from __future__ import annotations

import json

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
    assert lines[-1] == (
        "shop: 3 violations (2 new-site, 1 noescape); 12 lines not understood (--allow-unknown passes over them); "
        "1 package, 1,200 sites; go1.27.3 linux/amd64"
    )


def test_nothing_wrong_is_one_line() -> None:
    text = gate_to_text(GateResult("go1.27.3", "linux/amd64", (), checked={"packages": 2}, title="shop"))
    assert text == "shop: no violations; 2 packages; go1.27.3 linux/amd64\n"


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
