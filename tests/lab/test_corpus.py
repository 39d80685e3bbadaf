"""What is told of the corpus against what was measured, from recordings of each supported Go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from toolchains import ROOT, versions
from whyheap.lab.allocation_counts import CORPUS, REASONS, RECORDING, Comparison, Count, dump, load, to_markdown
from whyheap.model.machine_code import Allocates

AGREEMENT = 0.97
MOST_UNSURE = 0.35
FEWEST_FUNCTIONS = 150
_REGISTERED = re.compile(r'^\t\{"(\w+)", func\(\)', re.MULTILINE)
_DECLARED = re.compile(r"^func ([A-Z]\w*)\(", re.MULTILINE)


def recording(version: str) -> Comparison:
    return load(ROOT / "tests" / "recorded" / version / RECORDING)


def sources() -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted(CORPUS.glob("*.go"))]


@pytest.mark.parametrize("version", versions())
def test_what_is_told_for_sure_is_what_was_measured(version: str) -> None:
    one = recording(version)
    assert one.go == version
    assert len(one.functions) >= FEWEST_FUNCTIONS
    assert one.agreement >= AGREEMENT
    assert one.unsure_share <= MOST_UNSURE


@pytest.mark.parametrize("version", versions())
def test_each_miss_is_explained(version: str) -> None:
    assert {miss.name for miss in recording(version).misses} <= set(REASONS)


def test_no_explanation_outlives_its_miss() -> None:
    assert set(REASONS) == {miss.name for version in versions() for miss in recording(version).misses}


def test_recordings_are_of_the_corpus_as_it_is() -> None:
    registered = [name for text in sources() for name in _REGISTERED.findall(text)]
    assert len(registered) == len(set(registered))
    for version in versions():
        assert sorted(one.name for one in recording(version).functions) == sorted(registered)


def test_every_exported_function_is_run() -> None:
    registered = {name for text in sources() for name in _REGISTERED.findall(text)}
    assert registered == {name for text in sources() for name in _DECLARED.findall(text)}


def test_every_measured_function_is_kept_out_of_its_caller() -> None:
    for text in sources():
        for name in _DECLARED.findall(text):
            assert f"//go:noinline\nfunc {name}(" in text


def test_the_page_is_what_the_recordings_say() -> None:
    page = (ROOT / "docs" / "allocation-verdicts.md").read_text(encoding="utf-8")
    assert page.endswith(to_markdown(recording(version) for version in versions()))


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = Comparison(
        "1.27.3", (Count("A", Allocates.ALWAYS, 2.0, ("runtime.newobject",)), Count("B", Allocates.MAY, 0))
    )
    (tmp_path / RECORDING).write_bytes(dump(one))
    assert load(tmp_path / RECORDING) == one


def test_may_and_unknown_are_neither_right_nor_wrong() -> None:
    told = (Allocates.ALWAYS, Allocates.ALWAYS, Allocates.NEVER, Allocates.NEVER, Allocates.MAY, Allocates.UNKNOWN)
    one = Comparison("", tuple(Count(str(at), told[at], at % 2) for at in range(len(told))))
    assert (one.sure, one.right, one.agreement) == (4, 2, 0.5)
    assert [miss.name for miss in one.misses] == ["0", "3"]
    assert round(one.unsure_share, 3) == round(2 / 6, 3)
    assert "not explained" in to_markdown([one])
