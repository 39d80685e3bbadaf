"""What is said of two revisions: on a terminal, as JSON, and as a comment that no name from the source can break."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from whyheap.model.benchmark import BenchmarkSample, Comparison
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Certainty, Finding
from whyheap.model.gauge import Gap
from whyheap.model.revision_diff import ChangedSite, Revision, RevisionDiff, SiteChange
from whyheap.model.site import Site
from whyheap.report.markdown_text import code, plain
from whyheap.report.revision_diff_json import revision_diff_to_json
from whyheap.report.revision_diff_markdown import MOST_CHARACTERS, revision_diff_to_markdown
from whyheap.report.revision_words import change_text, value_text
from whyheap.report.terminal_revision_diff import revision_diff_to_terminal
from whyheap.stats import mann_whitney, median_interval


def finding(line: int, message: str, agreement: Agreement = Agreement.AGREE, file: str = "store.go") -> Finding:
    site = Site(f"internal/cache/{file}", line, 2, "(*Cache).Get", "shop/internal/cache")
    return Finding(f"id{line}", "interface-boxing", site, "x", message, Certainty.STATED, agreement)


def sample(values: list[float]) -> BenchmarkSample:
    found = median_interval(values)
    return BenchmarkSample(tuple(values), found.median, found.low, found.high)


def compared(name: str, unit: str, before: list[float] | None, after: list[float] | None) -> Comparison:
    old, new = (sample(values) if values else None for values in (before, after))
    p = mann_whitney(before, after) if before and after else None
    return Comparison("shop/internal/cache", name, unit, old, new, p)


BOXED = "boxed into ...any for fmt.Sprintf"
CHANGES = (
    ChangedSite(SiteChange.ADDED, None, finding(41, BOXED), 'fmt.Sprintf("%d", n)', (0, 1)),
    ChangedSite(SiteChange.ADDED, None, finding(41, "strings joined by +"), 'fmt.Sprintf("%d", n)', (0, 1)),
    ChangedSite(SiteChange.MORE, finding(50, BOXED), finding(52, BOXED), "f(x)", (1, 2)),
    ChangedSite(SiteChange.LESS, finding(60, BOXED), finding(61, BOXED, Agreement.MAY_ALLOCATE), "g(x)", (1, 1)),
    ChangedSite(SiteChange.OTHER, finding(70, BOXED), finding(71, "stored in a map"), "h(x)", (1, 1)),
    ChangedSite(SiteChange.REMOVED, finding(80, "closure returned"), None, "return func() {}", (1, 0)),
)
BENCHMARKS = (
    compared("BenchmarkGet-2", "allocs/op", [3.0] * 8, [2.0] * 8),
    compared("BenchmarkGet-2", "B/op", [1520.0] * 8, [1521.0, 1522.0] * 4),
    compared("BenchmarkGet-2", "ns/op", [100.0 + n for n in range(8)], [100.5 + n for n in range(8)]),
    compared("BenchmarkSame-2", "allocs/op", [0.0] * 8, [0.0] * 8),
    compared("BenchmarkNew-2", "allocs/op", None, [1.0] * 8),
)
DIFF = RevisionDiff(
    (Revision("main", "0123456789" * 4), Revision("working tree", "")),
    "shop",
    "go1.27.3",
    (3, 3),
    (10, 11),
    (20, 22),
    CHANGES,
    moved=2,
    benchmarks=BENCHMARKS,
    notes=("the working tree differs from HEAD in 2 files",),
    gaps=(Gap("git", "third/x is a submodule and left out", "Nothing in there is compared."),),
)


def test_the_terminal_groups_lines_and_says_what_differs() -> None:
    text = revision_diff_to_terminal(DIFF, width=80, color=False)
    said = " ".join(text.split())
    assert "main (01234567) -> working tree" in said
    assert "2 sites added, 1 allocates more, 1 for another reason, 1 allocates less, 1 site removed" in said
    assert "10 -> 11 heap sites, 20 -> 22 allocator calls, in 3 packages; 2 only moved" in said
    assert f"store.go:41 (*Cache).Get: {BOXED}, strings joined by +" in said
    assert "1 allocator call -> 2 allocator calls" in said
    assert "each time -> at times" in said
    assert f"{BOXED} -> stored in a map" in said
    assert "allocs/op 3 -> 2 -33.3 % (p < 0.001)" in said
    assert "BenchmarkSame" not in said
    assert "BenchmarkSame" in revision_diff_to_terminal(DIFF, width=80, color=False, all_rows=True)
    assert "UNSEEN git: third/x is a submodule" in said


@pytest.mark.parametrize("width", [10, 40, 60, 80, 200])
def test_no_line_is_too_wide(width: int) -> None:
    for diff in (
        DIFF,
        replace(DIFF, title="x" * 300, changes=CHANGES * 30, revisions=(Revision("r" * 99, "0" * 40),) * 2),
    ):
        text = revision_diff_to_terminal(diff, width=width, color=False, all_rows=True)
        assert max(map(cell_len, text.splitlines())) <= max(width, 40)


def test_json_has_everything() -> None:
    data = json.loads(revision_diff_to_json(DIFF))
    assert data["revisions"] == [{"name": "main", "commit": "0123456789" * 4}, {"name": "working tree", "commit": None}]
    assert [one["change"] for one in data["changes"]] == ["added", "added", "more", "less", "other", "removed"]
    assert data["changes"][0]["before"] is None
    assert data["changes"][2]["after"]["site"]["line"] == 52
    assert data["totals"]["heap_sites"] == [10, 11]
    assert data["totals"]["added_sites"] == 2
    first = data["benchmarks"][0]
    assert (first["change"], first["before"]["median"], first["ratio"]) == ("less", 3.0, pytest.approx(-1 / 3))
    few = replace(DIFF, benchmarks=(compared("B", "B/op", [1.0, 2.0], [3.0]),))
    assert json.loads(revision_diff_to_json(few))["benchmarks"][0]["before"]["low"] is None
    assert json.loads(revision_diff_to_json(replace(DIFF, benchmarks=None)))["benchmarks"] is None


def test_the_comment_shows_what_costs_and_folds_the_rest() -> None:
    text = revision_diff_to_markdown(DIFF).decode()
    shown, folded = text.split("<details>", 1)
    assert "`internal/cache/store.go:41`" in shown
    assert "closure returned" not in shown
    assert "closure returned" in folded
    assert "| `BenchmarkGet-2` | allocs/op | 3 | 2 | -33.3 % (p &#60; 0.001) |" in text
    assert text.count("<details>") == text.count("</details>") == 2


def test_a_large_comment_is_cut_and_counts_what_is_left_out() -> None:
    many = tuple(
        replace(one, after=finding(number, BOXED, file=f"{'long' * 40}{number}.go"))
        for number in range(3_000)
        for one in CHANGES[:1]
    )
    gaps = (Gap("*" * 999, "*" * 999, "*" * 999),) * 20
    for told in (DIFF.gaps * 500, gaps):
        text = revision_diff_to_markdown(
            replace(DIFF, changes=many, gaps=told, benchmarks=BENCHMARKS * 300, notes=("*" * 999,))
        ).decode()
        assert len(text) <= MOST_CHARACTERS
    text = revision_diff_to_markdown(replace(DIFF, changes=many, gaps=DIFF.gaps * 500)).decode()
    assert re.search(r"\.\.\. [\d,]+ more: whyheap diff --all", text)
    assert "and 490 more" in text


HOSTILE = "a|b`c<img src=x>@everyone #1 [x](http://evil) *b* _i_ \n\n# h\n\x1b[31m$$ ~~s~~ www.evil.com &lt;"


def test_names_of_the_source_break_no_comment() -> None:
    bad = Finding("id", "p", Site(f"{HOSTILE}.go", 1, 1, HOSTILE, HOSTILE), HOSTILE, HOSTILE, Certainty.STATED)
    diff = replace(
        DIFF,
        revisions=(Revision(HOSTILE, ""), Revision("`", "")),
        changes=(ChangedSite(SiteChange.ADDED, None, bad, HOSTILE, (0, 1)),),
        benchmarks=(compared(HOSTILE, HOSTILE, [1.0], [2.0]),),
        notes=(HOSTILE,),
        gaps=(Gap(HOSTILE, HOSTILE, HOSTILE),),
    )
    text = revision_diff_to_markdown(diff).decode()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5, 6}  # four cells, and five of benchmarks
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    for markup in ("<img", "@everyone", "](http", "http://", "www.evil", "*b*", " _i_", "\x1b", "#1 "):
        assert markup not in outside, markup


@given(st.text(max_size=60))
def test_plain_text_and_code_stay_in_their_cell(text: str) -> None:
    for cell in (plain(text), code(text)):
        assert "\n" not in cell
        assert re.search(r"(?<!\\)\|", cell) is None
    assert not set("<`[]*~@$#") & set(re.sub(r"&#\d+;", "", plain(text)))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.0, "allocs/op", "3"),
        (2.5, "allocs/op", "2.5"),
        (12160.5, "B/op", "12,160.5 B"),
        (0.0, "B/op", "0 B"),
        (34.15, "ns/op", "34.15 ns"),
        (5114.0, "ns/op", "5.114 us"),
        (2.5e9, "ns/op", "2.5 s"),
        (1e18, "odd", "1e+18"),
    ],
)
def test_values_are_printed_as_people_read_them(value: float, unit: str, text: str) -> None:
    assert value_text(value, unit) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([1.0] * 8, [1.0] * 8, "equal"),
        ([0.0] * 8, [1.0] * 8, "from 0 (p < 0.001)"),
        ([1.0] * 8, [1.0] * 7 + [2.0], "~ (p 1.000)"),
        ([1.0], None, "only before"),
        (None, [1.0], "only after"),
    ],
)
def test_changes_are_told(before: list[float] | None, after: list[float] | None, text: str) -> None:
    assert change_text(compared("B", "allocs/op", before, after)) == text
