from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.sample_report import HOSTILE_NAMES, SAMPLES, empty, hostile, many_frames, oomshop, static_scan
from whyheap.errors import OutputError
from whyheap.model.gauge import Gauge
from whyheap.model.measure import Measure
from whyheap.model.report import FlameNode, Report
from whyheap.report import page_data as page_data_module
from whyheap.report.page_data import LONGEST_TEXT, MOST_FLAME_NODES, page_data
from whyheap.report.to_html import DATA_MARK, TITLE_MARK, fill, island, page_template, to_html

SMALL_TEMPLATE = f"<!doctype html><title>{TITLE_MARK}</title><script type=application/json>{DATA_MARK}</script><p>end"


class _Page(HTMLParser):
    """Which elements a page has, and the text in its title and scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts[self.tags[-1]] = self.texts.get(self.tags[-1], "") + data


@pytest.mark.parametrize("sample", ["oomshop", "static", "healthy", "empty", "hostile"])
def test_the_island_round_trips(sample: str) -> None:
    report = SAMPLES[sample]()
    page = _Page(fill(SMALL_TEMPLATE, report))
    assert page.tags == ["title", "script", "p"]
    assert json.loads(page.texts["script"]) == page_data(report)


@given(st.text())
def test_no_text_leaves_the_island(text: str) -> None:
    written = island({text: [text]})
    assert written.isascii()
    assert not set(written) & set("<>&")
    assert json.loads(written) == {text: [text]}


@given(st.text(min_size=1, max_size=50))
def test_no_title_leaves_the_title(text: str) -> None:
    page = _Page(fill(SMALL_TEMPLATE, replace(empty(), title=text)))
    assert page.tags == ["title", "script", "p"]
    assert page.texts["title"].endswith(" - whyheap")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page.texts["title"]


def test_marks_of_the_template_in_a_report_are_text() -> None:
    report = replace(oomshop(), title=f"{TITLE_MARK}{DATA_MARK}")
    html = fill(SMALL_TEMPLATE, report)
    assert html.count('{"schema"') == 1
    assert html.endswith("</script><p>end")


def test_the_page_names_nothing_outside_itself() -> None:
    template = page_template()
    assert template.count(TITLE_MARK) == template.count(DATA_MARK) == 1
    assert set(re.findall(r"https?://[^\s\"'`)]+", template)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<link(?![^>]*href=\"data:,\")|<script[^>]*\bsrc=|@import|url\(", template)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', template)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in template


def test_the_whole_page_is_ready_to_be_written() -> None:
    html = to_html(hostile())
    html.encode("utf-8")
    for name in HOSTILE_NAMES:
        if "<" in name:
            assert name not in html


def test_a_template_without_marks_is_refused() -> None:
    with pytest.raises(OutputError, match="older") as caught:
        fill("<p>no marks", oomshop())
    assert "npm run build" in caught.value.hint


def test_lines_are_ranked_as_the_terminal_ranks_them() -> None:
    data = page_data(oomshop())
    lines = data["lines"]
    places = [f"{data['strings'][file]}:{line}" for file, line in zip(lines["file"], lines["line"], strict=True)]
    assert places[:4] == ["cache.go:41", "render.go:88", "orders.go:30", "render.go:61"]
    assert places[lines["ranked"] :] == ["render.go:19"]


def test_bytes_that_findings_share_are_counted_once() -> None:
    report = oomshop()
    data = page_data(report)
    index = data["lines"]["line"].index(88)
    assert len(data["lines"]["findings"][index]) == 2
    shared = next(finding.measure for finding in report.findings if finding.site.line == 88)
    assert shared is not None
    assert data["lines"]["inuse"][index] == shared.inuse_bytes


def test_without_a_profile_there_are_no_bytes() -> None:
    data = page_data(static_scan())
    assert data["verdict"] is None
    assert data["flame"] is None
    assert set(data["lines"]["inuse"]) == {None}
    assert data["totals"]["profile"] is None


def test_findings_with_the_same_id_keep_their_own_lines() -> None:
    report = oomshop()
    data = page_data(replace(report, findings=tuple(replace(finding, id="same") for finding in report.findings)))
    listed = sorted(index for group in data["lines"]["findings"] for index in group)
    assert listed == list(range(len(report.findings)))


def test_sources_are_those_of_files_with_findings() -> None:
    report = oomshop()
    data = page_data(replace(report, sources={**report.sources, "other.go": "package other\n"}))
    assert {data["strings"][file] for file in data["sources"]["files"]} == set(report.sources)
    huge = page_data(replace(report, sources={"cache.go": "x" * 1_000_000}))
    assert huge["sources"] == {"files": [], "texts": [], "leftOut": 1}


def test_what_is_too_long_is_cut_and_says_so() -> None:
    data = page_data(replace(oomshop(), title="x" * (LONGEST_TEXT + 7)))
    assert data["title"].endswith("… 7 more characters")


def test_gauges_become_series_without_what_is_no_number() -> None:
    gauges = tuple(
        Gauge("rss", value, "bytes", f"2026-01-05T03:00:0{second}Z")
        for second, value in enumerate((1.0, float("inf"), 3.0))
    )
    (series,) = page_data(Report((), "", None, (), gauges=gauges))["gauges"]
    assert series["values"] == [1.0, 3.0]
    assert series["seconds"][1] - series["seconds"][0] == 2.0


def test_the_flame_graph_is_in_preorder_widest_first() -> None:
    def node(name: str, inuse: int, *children: FlameNode) -> FlameNode:
        return FlameNode(name, f"{name}.go", 1, "", Measure(inuse_bytes=inuse), children)

    root = node("root", 10, node("small", 3), node("large", 7, node("leaf", 7)))
    data = page_data(Report((), "", None, (), flame=root))
    names = [data["strings"][data["flame"]["frames"]["name"][frame]] for frame in data["flame"]["frame"]]
    assert names == ["root", "large", "leaf", "small"]
    assert data["flame"]["depth"] == [0, 1, 2, 1]


def test_deep_stacks_and_huge_trees_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = FlameNode("leaf", "", 0, "", Measure(1, 1, 1, 1))
    for _ in range(5000):
        deep = FlameNode("frame", "", 0, "", Measure(1, 1, 1, 1), (deep,))
    assert len(page_data(Report((), "", None, (), flame=deep))["flame"]["frame"]) == 5001
    assert MOST_FLAME_NODES >= 100_000
    monkeypatch.setattr(page_data_module, "MOST_FLAME_NODES", 500)
    flame = page_data(many_frames(2000))["flame"]
    assert len(flame["frame"]) <= 500
    assert len(flame["frame"]) + flame["leftOut"] == 2000
    assert flame["frame"][0] == 0
