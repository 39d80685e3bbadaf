"""Baselines are read as they were written, merged by line, and refused when they are no whole ones."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.errors import UsageError
from whyheap.model.baseline import Baseline, BaselineEntry
from whyheap.parse.baseline_text import baseline_text, parse_baseline

_TEXTS = st.text(max_size=200)
_IDS = st.text("0123456789abcdef", min_size=12, max_size=12)
_ENTRIES = st.builds(BaselineEntry, _IDS, _TEXTS, _TEXTS, _TEXTS, _TEXTS)


def entry(number: int, package: str = "p") -> BaselineEntry:
    return BaselineEntry(f"{number:012x}", "interface-boxing", f"example.com/{package}", f"F{number}", f"x{number}")


def baseline(*entries: BaselineEntry) -> Baseline:
    return Baseline("go1.27.3", "linux/amd64", "a,b", "-l=4", tests=True, entries={one.id: one for one in entries})


@given(st.lists(_ENTRIES))
def test_whatever_the_names_are_ids_come_back_and_equal_baselines_are_equal_texts(entries: list[BaselineEntry]) -> None:
    known = baseline(*entries)
    text = baseline_text(known)
    read = parse_baseline(text.encode(), "b")
    assert read.entries.keys() == known.entries.keys()
    assert (read.go, read.platform, read.tags, read.gcflags, read.tests) == (
        "go1.27.3",
        "linux/amd64",
        "a,b",
        "-l=4",
        True,
    )
    assert baseline_text(read) == text
    shuffled = random.Random(1).sample(entries, len(entries))  # noqa: S311 - a fixed series
    assert len(text.splitlines()) == 7 + len(known.entries)
    if len({one.id for one in entries}) == len(entries):
        assert baseline_text(baseline(*shuffled)) == text


@given(st.binary(max_size=400))
def test_other_bytes_are_one_sentence(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^b[: ]"):
        parse_baseline(data, "b")


@given(st.integers(0, 10_000))
def test_no_part_passes_for_a_whole(length: int) -> None:
    text = baseline_text(baseline(*(entry(number) for number in range(40)))).encode()
    part = text[: length % (len(text) - 1)]
    with pytest.raises(UsageError):
        parse_baseline(part, "b")


def test_lines_of_windows_and_a_mark_of_byte_order() -> None:
    text = baseline_text(baseline(entry(1), entry(2)))
    read = parse_baseline(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), "b")
    assert read.entries == {one.id: one for one in (entry(1), entry(2))}


def test_a_conflict_is_named_by_its_line() -> None:
    text = baseline_text(baseline(entry(1))).replace("end of", "<<<<<<< HEAD\nend of")
    with pytest.raises(UsageError, match="b:8: a merge conflict is not resolved"):
        parse_baseline(text.encode(), "b")


def test_headers_that_differ_after_a_merge() -> None:
    text = baseline_text(baseline(entry(1)))
    assert parse_baseline(text.replace("tests: yes", "tests: yes\ntests: yes").encode(), "b").tests
    with pytest.raises(UsageError, match="b:3: go is told twice, and differently"):
        parse_baseline(text.replace("go: go1.27.3", "go: go1.27.3\ngo: go1.26.6").encode(), "b")
    with pytest.raises(UsageError, match="does not say its platform"):
        parse_baseline(text.replace("platform: linux/amd64\n", "").encode(), "b")


def test_branches_that_add_to_different_packages_merge(tmp_path: Path) -> None:
    names = ("base", "ours", "theirs")
    base = [entry(number, f"p{number % 7}") for number in range(60)]
    ours, theirs = [*base, entry(100, "p1")], [*base, entry(200, "p5")][1:]
    for name, entries in zip(names, (base, ours, theirs), strict=True):
        (tmp_path / name).write_text(baseline_text(baseline(*entries)))
    merged = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    assert merged.decode() == baseline_text(baseline(*base[1:], entry(100, "p1"), entry(200, "p5")))
