"""The registry: no pattern without its documentation, its positive and negative lines, and a recording per version."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.errors import FormatError, TargetError
from whyheap.host.toolchains import SUPPORTED
from whyheap.lab.functions import functions
from whyheap.lab.matrix import cell
from whyheap.lab.recording import Numbers, Recording, load, save
from whyheap.lab.wants import version, wants
from whyheap.patterns.catalogue import PATTERNS, get
from whyheap.patterns.pattern import HEADINGS, Pattern

RECORDED = Path(__file__).resolve().parents[1] / "recorded"


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_no_pattern_without_its_five_headings_and_both_kinds_of_lines(pattern: Pattern) -> None:
    assert tuple(pattern.doc) == HEADINGS
    for go in SUPPORTED:
        demanded = wants(pattern.example, version(go)).values()
        assert any(not want.patterns for want in demanded), go
    newest = wants(pattern.example, version(SUPPORTED[-1])).values()
    assert any(pattern.slug in want.patterns for want in newest)
    kinds = {one.kind for one in functions(pattern.example)}
    assert {"Bad", "Good"} <= kinds


@pytest.mark.parametrize("go", SUPPORTED)
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_no_pattern_without_a_recording_per_version(pattern: Pattern, go: str) -> None:
    recording = load(RECORDED / go, pattern.slug)
    assert (recording.pattern, recording.go, recording.failures) == (pattern.slug, go, ())
    assert (RECORDED / go / "patterns" / f"{pattern.slug}.txt").stat().st_size > 0
    assert [one.name for one in recording.functions] == [one.name for one in functions(pattern.example)]
    calls = any(one.calls is not None for one in recording.lines)
    assert calls or pattern.kind == "hazard", "no machine code was read"
    of = cell(pattern, recording)
    assert of.bad is not None
    assert of.good is not None


def test_no_recording_of_a_pattern_that_is_gone() -> None:
    slugs = {pattern.slug for pattern in PATTERNS}
    for go in SUPPORTED:
        assert {path.stem for path in (RECORDED / go / "patterns").iterdir()} == slugs, go


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.slug)
def test_every_bad_function_that_can_be_run_was_measured(pattern: Pattern) -> None:
    recording = load(RECORDED / SUPPORTED[-1], pattern.slug)
    measured = [one for one in recording.functions if one.name.startswith("Bad") and not one.unmeasured]
    assert measured
    assert all(one.runs > 0 for one in measured)
    assert any(one.allocs_per_op > 0 for one in measured) or pattern.kind != "allocates"


def test_a_recording_comes_back_as_it_was(tmp_path: Path) -> None:
    recording = Recording("interface-boxing", "1.27.3", "linux/amd64", "2026-11-22", (Numbers("BadBox", 1.0, 8),))
    save(tmp_path, recording, "text")
    assert load(tmp_path, "interface-boxing") == recording
    assert (tmp_path / "patterns" / "interface-boxing.txt").read_text() == "text"


def test_a_missing_or_damaged_recording_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"interface-boxing\.json"):
        load(tmp_path, "interface-boxing")
    (tmp_path / "patterns").mkdir()
    (tmp_path / "patterns" / "interface-boxing.json").write_text("{")
    with pytest.raises(FormatError, match="is no recording"):
        load(tmp_path, "interface-boxing")


def test_a_cell_sums_up_the_first_bad_and_the_first_good_function() -> None:
    numbers = (Numbers("BadNumber", 1.0), Numbers("BadStruct", 2.0), Numbers("GoodConstant", 0.0))
    of = cell(get("interface-boxing"), Recording("interface-boxing", "1.27.3", functions=numbers))
    assert (of.verdict, of.call, of.allocations) == ("", "", "1 -> 0")
    assert cell(get("interface-boxing"), Recording("interface-boxing", "1.27.3")).allocations == "- -> -"
