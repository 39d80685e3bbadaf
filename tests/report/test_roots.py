"""Roots in every form of the report: the table, the JSON, the page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rich.cells import cell_len

from report.sample_report import HOSTILE_NAMES, oomshop, static_scan
from whyheap.model.measure import Measure
from whyheap.model.report import Report
from whyheap.model.root import Root, RootKind
from whyheap.model.site import Site
from whyheap.report import page_data as page_data_module
from whyheap.report.page_data import page_data
from whyheap.report.terminal_roots import root_rows, roots_to_terminal
from whyheap.report.to_json import to_json
from whyheap.report.to_terminal import scan_to_terminal

RENDER = Root(
    "r1", RootKind.PARAMETER, Site("render.go", 80, 16, "renderRow", "example.com/oomshop"), "renderRow(vals ...any)",
    "vals", "variadic-any", ("a", "b"), sites=46, files=7,
)  # fmt: skip
OUTSIDE = Root("r2", RootKind.CALLEE, None, "fmt.Sprintf", "", "variadic-any", ("c",), sites=1, files=1)
NEVER = Root("r3", RootKind.PANIC, None, "panic(...)", "panic", "compiler-reason", ("d",))


def report(*roots: Root, base: Report | None = None) -> Report:
    first, *rest = (base or static_scan()).findings
    return replace(base or static_scan(), roots=roots, findings=(replace(first, root="r1"), *rest))


def test_the_table_says_what_one_change_frees() -> None:
    text = roots_to_terminal(report(RENDER, OUTSIDE, NEVER), width=120, color=False)
    lines = text.splitlines()
    (row,) = [line for line in lines if "renderRow" in line]
    assert row.split()[0] == "1"
    assert "render.go:80" in row
    assert "46 sites in 7 files" in row
    assert row.endswith("variadic-any")
    assert any("each call" in line and "1 site in 1 file" in line for line in lines)
    assert not any("panic(" in line for line in lines)
    assert "patterns: " in text
    assert "second way" in text


def test_a_plain_scan_shows_the_first_three() -> None:
    many = [replace(RENDER, id=f"r{number}", title=f"f{number}(x any)") for number in range(9)]
    text = scan_to_terminal(report(*many), width=80, color=False)
    assert [f"f{number}(x any)" in text for number in range(4)] == [True, True, True, False]
    assert scan_to_terminal(static_scan(), width=80, color=False).find("ROOTS") < 0
    assert root_rows(static_scan(), 80) == []


def test_bytes_come_first_where_they_are_known() -> None:
    measured = replace(RENDER, measure=Measure(3 << 20, 1, 5 << 20, 2))
    assert "3 MiB, 46 sites" in roots_to_terminal(report(measured, base=oomshop()), width=120, color=False)


@pytest.mark.parametrize("width", [40, 52, 64, 80, 98, 140])
@pytest.mark.parametrize("color", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, color: bool) -> None:  # noqa: FBT001
    hostile = [replace(RENDER, title=name, site=Site(name, 10**6)) for name in HOSTILE_NAMES]
    text = roots_to_terminal(report(*hostile, RENDER, OUTSIDE), width=width, color=False)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    if color:
        assert "\x1b[" in roots_to_terminal(report(RENDER), width=width, color=True)


def test_json_holds_each_root_and_findings_name_theirs() -> None:
    written = json.loads(to_json(report(RENDER, OUTSIDE)))
    assert written["findings"][0]["root"] == "r1"
    first, second = written["roots"]
    assert (first["id"], first["kind"], first["sites"], first["files"]) == ("r1", "parameter", 46, 7)
    assert first["site"]["line"] == 80
    assert first["inuse_bytes"] is None
    assert first["findings"] == ["a", "b"]
    assert second["site"] is None


def test_the_page_holds_the_first_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data_module, "MOST_ROOTS", 1)
    data = page_data(report(RENDER, OUTSIDE))
    texts = data["strings"]
    (row,) = data["roots"]["rows"]
    assert data["roots"]["leftOut"] == 1
    assert (row[0], row[1], texts[row[2]], texts[row[3]], row[4], row[6], row[7]) == (
        "r1", "parameter", "renderRow(vals ...any)", "render.go", 80, 46, 7,
    )  # fmt: skip
    assert data["findings"][0]["root"] == 0
    assert "root" not in data["findings"][1]
