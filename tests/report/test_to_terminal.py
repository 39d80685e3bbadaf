"""The terminal report: golden files, widths, hostile text.

`WHYHEAP_UPDATE_GOLDEN=1 pytest tests/report/test_to_terminal.py` writes the golden files anew; read the diff before
committing.
A golden file's name carries the command, the sample and the width.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from report.sample_report import empty, healthy, hostile, many_findings, oomshop, recorded, static_scan
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.measure import Measure
from whyheap.model.report import Report, Totals
from whyheap.model.site import Site
from whyheap.report.ranked_lines import ranked_lines
from whyheap.report.terminal_source import Caret, source_excerpt
from whyheap.report.terminal_text import cut, cut_place, wrap
from whyheap.report.to_terminal import explain_to_terminal, scan_to_terminal, to_terminal

GOLDEN = Path(__file__).parent / "golden"
UPDATE = os.environ.get("WHYHEAP_UPDATE_GOLDEN") == "1"
WIDTHS = (40, 52, 64, 72, 80, 100, 120, 140, 200)
HARMFUL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _why(report: Report, width: int, *, color: bool = False) -> str:
    return to_terminal(report, width=width, color=color)


def _scan(report: Report, width: int, *, color: bool = False) -> str:
    return scan_to_terminal(report, width=width, color=color)


def _explain(report: Report, width: int, *, color: bool = False) -> str:
    return explain_to_terminal(report, "render.go", 88, width=width, color=color)


def _explain_nothing(report: Report, width: int) -> str:
    return explain_to_terminal(report, "render.go", 87, width=width, color=False)


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize(
    ("name", "render", "make"),
    [
        ("why-oomshop", _why, oomshop),
        ("why-recorded", _why, recorded),
        ("why-healthy", _why, healthy),
        ("why-empty", _why, empty),
        ("scan-static", _scan, static_scan),
        ("explain-render-88", _explain, oomshop),
        ("explain-render-87", _explain_nothing, oomshop),
    ],
)
def test_golden(name: str, width: int, render: Callable[[Report, int], str], make: Callable[[], Report]) -> None:
    path = GOLDEN / f"{name}.width{width}.txt"
    text = render(make(), width)
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("make", [oomshop, recorded, static_scan, healthy, empty, hostile])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_nothing_moves_the_cursor(
    width: int, make: Callable[[], Report]
) -> None:
    report = make()
    texts = [
        to_terminal(report, width=width, color=False, all_rows=True),
        scan_to_terminal(report, width=width, color=False, all_rows=True),
        *(
            explain_to_terminal(report, finding.site.file, finding.site.line, width=width, color=False)
            for finding in report.findings
        ),
    ]
    for text in texts:
        assert not HARMFUL.search(text)
        assert max(cell_len(line) for line in text.split("\n")) <= width


@pytest.mark.parametrize("render", [_why, _scan, _explain])
def test_colour_adds_colour_only(render: Callable[..., str]) -> None:
    for report in (oomshop(), hostile()):
        plain = render(report, 80)
        coloured = render(report, 80, color=True)
        assert "\x1b" not in plain
        assert "\x1b[" in coloured
        assert COLOUR.sub("", coloured) == plain


def test_markup_of_a_target_is_text() -> None:
    finding = replace(oomshop().findings[0], message="[bold red]x[/] :boom: [link=http://x]y[/link]")
    text = _why(replace(oomshop(), findings=(finding,)), 140)
    assert "[bold red]x[/] :boom: [link=http://x]y[/link]" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_a_number_stays_with_its_unit(width: int) -> None:
    text = _why(oomshop(), width)
    units = {"MiB", "KiB", "MiB/s", "KiB/s", "%", "B"}
    assert not [line for line in text.split("\n") if line.split()[:1] and line.split()[0].strip(",;()") in units]


def test_unexplained_bytes_are_always_stated() -> None:
    report = oomshop()
    assert "2.5 % unexplained (7 MiB in use)" in _why(report, 80)
    assert "no byte in use is unexplained" in _why(
        replace(report, totals=replace(report.totals, explained=report.totals.profile)), 80
    )
    assert "unexplained" in _why(replace(report, findings=()), 80)


def test_hidden_lines_are_counted_and_all_shows_them() -> None:
    report = many_findings(500)
    measured = replace(
        report,
        findings=tuple(replace(finding, measure=Measure(1 << 20, 1, 1 << 20, 1)) for finding in report.findings),
        totals=Totals(heap_sites=500, packages=90, profile=Measure(600 << 20), explained=Measure(500 << 20)),
    )
    short = to_terminal(measured, width=80, color=False)
    assert re.search(r"\.\.\. 490 more lines, 82 % of bytes; 17 % unexplained \(100 MiB in use\)\s+\(--all\)", short)
    assert "more lines" not in to_terminal(measured, width=80, color=False, all_rows=True)


def test_findings_of_one_line_are_one_row_and_shared_bytes_count_once() -> None:
    report = oomshop()
    line = next(line for line in ranked_lines(report.findings, "inuse") if line.site.line == 88)
    assert len(line.findings) == 2
    assert line.measure == report.findings[1].measure
    apart = tuple(replace(finding, shared_with=()) for finding in line.findings)
    (summed,) = ranked_lines(apart, "inuse")
    assert summed.measure.inuse_bytes == 36 << 20


def test_ranking_follows_the_column() -> None:
    report = oomshop()
    by_alloc = replace(report, totals=replace(report.totals, ranked_by="alloc"))
    assert [line.site.file for line in ranked_lines(report.findings, "inuse")][:2] == ["cache.go", "render.go"]
    text = to_terminal(by_alloc, width=80, color=False)
    assert re.search(r"WHERE\s+alloc rate\s+inuse now", text)
    assert re.search(r"1\s+61.0 MiB/s\s+58 %", text)


def _rates(seconds: float | None, profile: Measure | None = None) -> str:
    report = oomshop()
    totals = replace(report.totals, alloc_window_seconds=seconds, profile=profile or report.totals.profile)
    return to_terminal(replace(report, totals=totals), width=100, color=False)


def test_rates_are_of_the_time_that_the_profiles_show() -> None:
    assert re.search(r"1\s+201 MiB +71 % +1.9 MiB/s", _rates(30.0))
    assert re.search(r"1\s+201 MiB +71 % +3.8 MiB/s", _rates(15.0))
    text = _rates(None)
    assert re.search(r"1\s+201 MiB +71 % +>=1.9 MiB/s", text)
    assert ">=38,000" in text
    assert "30 s measured" in text
    unseen = _rates(0.0, Measure(283 << 20))
    assert re.search(r"1\s+201 MiB +71 % +unseen", unseen)


def test_the_way_out_of_a_short_window_stands_beside_the_verdict() -> None:
    gap = Gap("runtime", "only 2 collections could be compared within 10 s", "Sample longer:  --seconds 50")
    told = Gap("runtime", "GOGC is not told", "Serve /metrics")
    text = to_terminal(replace(oomshop(), verdict=None, gaps=(told, gap)), width=120, color=False)
    [row] = [row for row in text.split("\n") if row.startswith(" WHY")]
    assert row.endswith("see below. Sample longer: --seconds 50")


def test_a_scan_of_many_findings_counts_and_lists_on_demand() -> None:
    report = many_findings(400)
    short = scan_to_terminal(report, width=80, color=False)
    assert "400 findings: list them with --all" in short
    assert len(short.split("\n")) < 50
    assert len(scan_to_terminal(report, width=80, color=False, all_rows=True).split("\n")) > 400


def test_explain_finds_a_file_by_the_end_of_its_path() -> None:
    finding = oomshop().findings[0]
    deep = replace(finding, site=replace(finding.site, file="internal/web/cache.go"))
    report = replace(oomshop(), findings=(deep,))
    assert "stored in a package-level map" in explain_to_terminal(report, "web/cache.go", 41, width=80, color=False)
    assert "no witness knows" in explain_to_terminal(report, "eb/cache.go", 41, width=80, color=False)


@pytest.mark.parametrize(
    ("source", "column", "expected"),
    [
        ("\tx := f(y)", 9, "x := f(y)|       ^ y"),
        ('\t\tx := "\N{LATIN SMALL LETTER E WITH ACUTE}" + y', 15, 'x := "é" + y|           ^ y'),
        ('x := "\u65e5\u672c" + y', 17, 'x := "日本" + y|              ^ y'),
    ],
)
def test_the_caret_stands_under_the_column_in_bytes(source: str, column: int, expected: str) -> None:
    report = Report((), "", None, (), sources={"a.go": source})
    rows = source_excerpt(report, Site("a.go", 1), [Caret(column, "y")], 80)
    assert "|".join(row.plain.partition(" | ")[2] for row in rows) == expected


def test_the_caret_of_a_very_long_line_is_in_sight() -> None:
    source = "x := " + "a + " * 900 + "y"
    report = Report((), "", None, (), sources={"a.go": source})
    rows = source_excerpt(report, Site("a.go", 1), [Caret(len(source), "y")], 80)
    code, caret = (row.plain for row in rows)
    assert max(cell_len(code), cell_len(caret)) <= 80
    assert code[caret.index("^")] == "y"


def test_a_line_beyond_the_source_shows_no_excerpt() -> None:
    report = Report((), "", None, (), sources={"a.go": "package a\n"})
    assert source_excerpt(report, Site("a.go", 99), [], 80) == []
    assert source_excerpt(report, Site("b.go", 1), [], 80) == []


def test_long_paths_lose_folders_first_and_never_the_line() -> None:
    assert cut_place("github.com/someone/project/internal/store/cache.go", 41, 24, 7) == "…/store/cache.go:41:7"
    assert cut_place("averyveryverylongfilename_generated.go", 1234, 20) == "averyve…ated.go:1234"


@given(st.text(max_size=200), st.integers(2, 60))
def test_cut_text_fits_and_is_harmless(text: str, width: int) -> None:
    shown = cut(text, width)
    assert cell_len(shown) <= width
    assert not HARMFUL.search(shown)


@given(st.text(max_size=400), st.integers(4, 60))
def test_wrapped_text_fits_and_is_harmless(text: str, width: int) -> None:
    for part in wrap(text, width):
        assert cell_len(part) <= width
        assert not HARMFUL.search(part)


def test_findings_without_bytes_keep_the_given_order() -> None:
    def finding(name: str, inuse: int) -> Finding:
        return replace(
            oomshop().findings[0], id=name, site=Site(f"{name}.go", 1), measure=Measure(inuse), shared_with=()
        )

    lines = ranked_lines([finding("c", 0), finding("b", 5), finding("a", 0)], "inuse")
    assert [line.site.file for line in lines] == ["b.go", "c.go", "a.go"]


def test_evidence_that_causes_share_is_said_once() -> None:
    report = oomshop()
    assert report.verdict is not None
    first = report.verdict.causes[0]
    again = replace(first, cause="other-cause", summary="another summary", advice=())
    text = to_terminal(replace(report, verdict=replace(report.verdict, causes=(first, again))), width=140, color=False)
    assert "another summary" in text
    assert text.count(first.evidence[0].text) == 1
