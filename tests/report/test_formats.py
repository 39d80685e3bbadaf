"""Which format an output gets."""

from __future__ import annotations

import pytest

from whyheap.errors import UsageError
from whyheap.report.formats import FORMATS, FormatKind, format_for


@pytest.mark.parametrize(
    ("path", "requested", "name"),
    [
        (None, None, "text"),
        ("-", None, "text"),
        ("-", "json", "json"),
        ("out/report.HTML", None, "html"),
        ("a.json", None, "json"),
        ("a.speedscope.json", None, "speedscope"),
        ("heap.pb.gz", None, "pprof"),
        ("x.whyheap", None, "whyheap"),
        ("report", "html", "html"),
        ("a.json", "terminal", "text"),
        (None, "capture", "whyheap"),
        ("out/whyheap.sarif", None, "sarif"),
        ("whyheap.sarif.json", None, "sarif"),
        ("summary.md", None, "markdown"),
        ("gl-code-quality-report.json", None, "gitlab"),
        ("a.gitlab.json", None, "gitlab"),
        ("heap.junit.xml", None, "junit"),
        ("TEST-heap.xml", None, "junit"),
        ("notes.github.txt", None, "github"),
        ("notes.txt", None, "text"),
        (None, "codeclimate", "gitlab"),
        (None, "md", "markdown"),
    ],
)
def test_the_suffix_or_the_option_decides(path: str | None, requested: str | None, name: str) -> None:
    assert format_for(path, requested).name == name


def test_an_unknown_format_lists_all_and_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="text, json, jsonl, html") as caught:
        format_for(None, "jsn")
    assert caught.value.hint == "Did you mean --format json?"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("report.htlm", "Did you mean .html?"),
        ("report", "Add such an ending, or give --format."),
    ],
)
def test_an_unknown_suffix_says_what_is_possible(path: str, hint: str) -> None:
    with pytest.raises(UsageError, match="does not say its format") as caught:
        format_for(path)
    assert caught.value.hint == hint


@pytest.mark.parametrize("of_gate", [False, True])
def test_names_and_suffixes_are_unique(*, of_gate: bool) -> None:
    rows = [row for row in FORMATS if (row.kind is FormatKind.GATE) is of_gate]
    names = [name for row in rows for name in (row.name, *row.aliases)]
    suffixes = [suffix for row in rows for suffix in row.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)


@pytest.mark.parametrize(
    "row",
    [row for row in FORMATS if row.name in {"text", "json", "jsonl"}],
    ids=lambda row: row.name,
)
def test_renderers_of_reports_load(row: object) -> None:
    assert row in FORMATS
    for known in FORMATS:
        if known is row:
            assert callable(known.load())
            assert known.kind is FormatKind.REPORT


@pytest.mark.parametrize(
    ("path", "requested", "name"),
    [(None, None, "text"), ("gate.json", None, "json"), (None, "json", "json"), ("gate.sarif", None, "sarif")],
)
def test_a_gate_is_written_by_renderers_of_its_own(path: str | None, requested: str | None, name: str) -> None:
    found = format_for(path, requested, of_gate=True)
    assert found.name == name
    assert callable(found.load(FormatKind.GATE))


def test_a_gate_is_no_page() -> None:
    with pytest.raises(UsageError, match="there are text"):
        format_for(None, "html", of_gate=True)


def test_only_what_is_near_is_suggested() -> None:
    with pytest.raises(UsageError, match="there are text, json") as caught:
        format_for(None, "yaml")
    assert caught.value.hint == "Take one of these, or leave --format out for text."
    with pytest.raises(UsageError, match="does not say its format") as caught:
        format_for("t.html", of_gate=True)
    assert caught.value.hint == "Add such an ending, or give --format."
