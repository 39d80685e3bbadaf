from __future__ import annotations

from dataclasses import replace

import pytest

from causes.kept_series import at, found, grown, rising
from causes.series import history, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import LineGrowth
from whyheap.model.finding import Certainty, Finding
from whyheap.model.verdict import CauseVerdict

PAGE = at("crawl.go", 28, "(*Crawler).visit")
BIG = grown(PAGE, 46, objects=736)  # 64 KiB each
SMALL = grown(PAGE, 46, objects=736_000)


def causes(finding: Finding, line: LineGrowth) -> list[CauseVerdict]:
    verdict = judge(replace(history(process(rising), line), findings=(finding,))).verdict
    return list(verdict.causes) if verdict else []


def sliced(text: str, subject: str = "make([]byte, 65536)") -> Finding:
    return found(PAGE, subject, (text, "slice"), (f"append(c.heads, {text})", "call parameter"))


def pointed(text: str) -> Finding:
    return found(PAGE, "make([]row, 512)", (text, "address-of"), (f"l.newest[n] = {text}", "assign"))


@pytest.mark.parametrize(
    ("finding", "part"),
    [
        pytest.param(sliced("page[:64]"), "64 elements", id="the head of a buffer"),
        pytest.param(sliced("page[8:72]"), "64 elements", id="the middle"),
        pytest.param(sliced("message[len(message) - 16:]"), "16 elements", id="the tail"),
        pytest.param(sliced("page[i:j]"), "a part", id="between two variables"),
        pytest.param(sliced("text[5:17]", "string(chunk)"), "12 bytes", id="a substring"),
        pytest.param(sliced("text[:i]", "string(chunk)"), "a part", id="a substring up to a variable"),
        pytest.param(pointed("&rows[len(rows) - 1]"), "one element", id="a pointer to the last element"),
        pytest.param(pointed("&rows[0].name"), "one element", id="a pointer into the first element"),
    ],
)
def test_a_small_part_of_a_large_array(finding: Finding, part: str) -> None:
    (cause,) = causes(finding, BIG)
    assert cause.cause == "subslice-retention"
    assert cause.certainty is Certainty.INFERRED
    assert any(statement.text.startswith(part) for statement in cause.evidence)
    assert any(advice.startswith("crawl.go:28: keep ") for advice in cause.advice)


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        pytest.param(sliced("buffer[:n]"), BIG, id="a buffer cut to what was read"),
        pytest.param(sliced("buffer[2:]"), BIG, id="all but a header"),
        pytest.param(sliced("page[:32768]"), BIG, id="a large part"),
        pytest.param(sliced("page[:64]"), SMALL, id="small arrays"),
        pytest.param(pointed("&rows[i]"), BIG, id="pointers to each element"),
        pytest.param(found(PAGE, "make([]byte, n)", ("c.pages[n] = page", "assign")), BIG, id="all of it"),
    ],
)
def test_what_is_wanted_as_a_whole_is_live_heap_growth(finding: Finding, line: LineGrowth) -> None:
    assert [cause.cause for cause in causes(finding, line)] == ["live-heap-growth"]
