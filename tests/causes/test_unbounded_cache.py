from __future__ import annotations

from dataclasses import replace

import pytest

from causes.kept_series import at, callee, found, grown, rising
from causes.series import MIB, history, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import LineGrowth
from whyheap.model.finding import Certainty, Finding
from whyheap.model.verdict import CauseVerdict

LIMITED = {"container_limit": 512.0 * MIB, "container_usage": 200.0 * MIB}
DECLARED = found(at("shop.go", 5, ""), "map[int]*session{}", ("sessions = map[int]*session{}", "assign"))
PUT = at("shop.go", 20, "visit")
MADE = at("shop.go", 18, "visit")
INTO_MAP = found(PUT, "&session{...}", ("sessions[id] = &session{...}", "assign"), pattern="map-storage")


def causes(findings: tuple[Finding, ...], *lines: LineGrowth) -> list[CauseVerdict]:
    verdict = judge(replace(history(process(rising, more=LIMITED), *lines), findings=findings)).verdict
    return list(verdict.causes) if verdict else []


def names(findings: tuple[Finding, ...], *lines: LineGrowth) -> list[str]:
    return [cause.cause for cause in causes(findings, *lines)]


def test_a_line_that_stores_into_a_package_level_map() -> None:
    (cause,) = causes((DECLARED, INTO_MAP), grown(PUT, 46, objects=10_000))
    assert cause.cause == "unbounded-cache"
    assert cause.certainty is Certainty.MEASURED
    assert cause.summary.startswith("the package-level map sessions holds")
    assert any("it is stored in the package-level map sessions" in statement.text for statement in cause.evidence)
    assert any("bound sessions" in advice for advice in cause.advice)
    assert any("entries of 4.7 KiB fit the limit" in advice for advice in cause.advice)


def test_what_the_same_function_makes_is_inferred_to_be_kept_with_it() -> None:
    (cause,) = causes((DECLARED, INTO_MAP), grown(MADE, 44, objects=10_000), grown(PUT, 1, objects=10_000))
    assert cause.cause == "unbounded-cache"
    assert cause.certainty is Certainty.INFERRED
    assert any("visit, which allocates it, stores into" in statement.text for statement in cause.evidence)


def test_a_slice_that_only_grows() -> None:
    audit = at("audit.go", 9, "record")
    appended = found(at("audit.go", 12, "record"), "append(audit, one)", ("audit = append(audit, one)", "assign"))
    stored = found(audit, "&action{...}", ("append(audit, one)", "call parameter"))
    (cause,) = causes((stored, appended), grown(audit, 46, objects=10_000))
    assert cause.cause == "unbounded-cache"
    assert "the package-level slice audit" in cause.summary


def test_a_map_whose_growth_is_silent() -> None:
    silent = found(PUT, "sessions[id]", pattern="map-storage")
    assert names((DECLARED, silent), grown(PUT, 46)) == ["unbounded-cache"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(grown(PUT, 46, callees={"sync.(*Map).Store": (0.5, 9000)}), id="by the profile"),
        pytest.param(grown(PUT, 46, root=callee("sync.(*HashTrieMap[...]).Swap")), id="by the compiler"),
    ],
)
def test_a_sync_map(line: LineGrowth) -> None:
    (cause,) = causes((), line)
    assert cause.cause == "unbounded-cache"
    assert cause.summary.startswith("a sync.Map holds")


LOCAL = found(PUT, "&session{...}", ("s.sessions[id] = &session{...}", "assign"), pattern="map-storage")
LOADED = grown(PUT, 46, callees={"sync.(*Map).Load": (0.5, 9000)})


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        pytest.param((), grown(PUT, 46), id="no source"),
        pytest.param((LOCAL,), grown(PUT, 46), id="a map in a struct"),
        pytest.param((INTO_MAP,), grown(PUT, 46), id="a map that is not known to be the package's"),
        pytest.param((DECLARED, INTO_MAP), grown(at("x.go", 3, "other"), 46), id="stored by another function"),
        pytest.param((), LOADED, id="read from a sync.Map"),
        pytest.param((DECLARED, INTO_MAP), grown(MADE, 46, root=callee("x.Keep")), id="kept by somebody else"),
    ],
)
def test_without_evidence_it_is_live_heap_growth(findings: tuple[Finding, ...], line: LineGrowth) -> None:
    assert names(findings, line) == ["live-heap-growth"]


def test_a_cache_that_is_full_is_healthy() -> None:
    level = process(lambda _: 80 * MIB, more=LIMITED)
    verdict = judge(replace(history(level, grown(PUT, 2)), findings=(DECLARED, INTO_MAP))).verdict
    assert verdict is not None
    assert verdict.causes == ()
