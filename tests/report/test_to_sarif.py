"""SARIF: valid by the published schema, within code scanning's limits, whatever the names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from report import sample_gate
from report.sample_report import empty, healthy, hostile, many_findings, oomshop, recorded, static_scan
from whyheap.model.evidence import Agreement
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Certainty, Finding
from whyheap.model.measure import Measure
from whyheap.model.report import Report
from whyheap.model.site import Position, Site
from whyheap.model.violation import RULES, GateResult, Violation
from whyheap.patterns.catalogue import PATTERNS, REASONS
from whyheap.report import to_sarif as module
from whyheap.report.sarif_places import uri_of
from whyheap.report.to_sarif import MOST_GZIP_BYTES, MOST_RESULTS, MOST_STEPS, left_out, to_sarif

SCHEMA = Path(__file__).resolve().parents[1] / "recorded" / "schemas" / "sarif-schema-2.1.0.json"
Json = dict[str, Any]


@cache
def validator() -> Callable[[Any], Any]:
    return fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")), use_default=False)


def run_of(result: Report | GateResult) -> Json:
    """Render, validate, and return the one run."""
    log = json.loads(to_sarif(result))
    validator()(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize(
    "make",
    [
        oomshop,
        static_scan,
        healthy,
        recorded,
        empty,
        hostile,
        sample_gate.broken,
        sample_gate.clean,
        sample_gate.not_understood,
        sample_gate.hostile,
    ],
)
def test_it_is_valid(make: Callable[[], Report | GateResult]) -> None:
    run = run_of(make())
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] == region["endLine"] >= 1
        assert result["message"]["text"]
        assert result["partialFingerprints"]["whyheapId/v1"]


def test_the_schema_refuses_what_is_wrong() -> None:
    log = json.loads(to_sarif(oomshop()))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validator()(log)


def test_rules_are_the_whole_catalogue_with_its_documentation() -> None:
    rules = {rule["id"]: rule for rule in run_of(empty())["tool"]["driver"]["rules"]}
    assert list(rules) == [pattern.slug for pattern in (*PATTERNS, *REASONS)]
    for rule in rules.values():
        assert rule["shortDescription"]["text"]
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert "Why it costs" in rule["help"]["text"]
        assert "**Why it costs.**" in rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 10
    assert [rule["id"] for rule in run_of(sample_gate.clean())["tool"]["driver"]["rules"]] == list(RULES)


def test_the_flow_of_the_compiler_is_a_thread_flow() -> None:
    result = run_of(oomshop())["results"][0]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    said = [step["location"]["message"]["text"] for step in steps]
    lines = [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps]
    assert said == ["&Page{...} (spill)", "p := &Page{...} (assign)", "pageCache[key] = p (assign)"]
    assert lines == [41, 41, 43]


def test_a_violation_shows_the_way_to_the_heap() -> None:
    results = run_of(sample_gate.broken())["results"]
    assert [result["level"] for result in results] == ["error"] * 3
    assert ["codeFlows" in result for result in results] == [False, True, True]


def test_what_was_not_understood_makes_the_run_no_success() -> None:
    (call,) = run_of(sample_gate.not_understood())["invocations"]
    assert call["executionSuccessful"] is False
    assert [note["level"] for note in call["toolExecutionNotifications"]] == ["error"] * 3
    assert run_of(sample_gate.broken())["invocations"][0]["executionSuccessful"] is True


def test_columns_are_characters() -> None:
    finding = oomshop().findings[0]
    source = "x\n\tπ, y := &Page{}, 1\n"
    column = len(b"\t\xcf\x80, y := ") + 1
    finding = replace(finding, site=Site("a.go", 2, column, "f", "p"), subject="&Page{}", facts=())
    report = replace(static_scan(), findings=(finding,), sources={"a.go": source})
    region = run_of(report)["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "endLine": 2, "startColumn": 10, "endColumn": 17}


def test_text_is_no_template() -> None:
    finding = replace(oomshop().findings[0], message="m[k](x) and {0}, Page{...}", subject="", fixes=(), measure=None)
    result = run_of(replace(static_scan(), findings=(finding,)))["results"][0]
    assert result["message"]["text"] == r"m\[k](x) and {{0}, Page{...}"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.go", "a/b.go"),
        ("a b/c:d.go", "a%20b/c%3Ad.go"),
        ("100%.go", "100%25.go"),
        ("π.go", "%CF%80.go"),
        ("\udc80.go", "%80.go"),
        ("\ud800.go", "%3F.go"),
        ("/srv/a.go", "file:///srv/a.go"),
        ("example.com/m@v1.2.3/x.go", "example.com/m@v1.2.3/x.go"),
        ("a\nb?#.go", "a%0Ab%3F%23.go"),
    ],
)
def test_paths_become_uris(path: str, uri: str) -> None:
    assert uri_of(path) == uri


# Limits of code scanning


def test_thirty_thousand_findings_stay_within_the_limits_without_the_worst_being_lost() -> None:
    report = many_findings(30_000)
    silent = replace(report.findings[29_000], id="silent", agreement=Agreement.ALLOCATES_SILENTLY)
    hot = replace(report.findings[29_500], id="hot", measure=Measure(5, 1, 5, 1))
    hotter = replace(report.findings[29_700], id="hotter", measure=Measure(6, 1, 6, 1))
    report = replace(
        report,
        findings=(
            *(replace(one, agreement=Agreement.MAY_ALLOCATE) for one in report.findings),
            silent,
            hot,
            hotter,
        ),
    )
    data = to_sarif(report)
    log = json.loads(data)
    run = log["runs"][0]
    assert len(gzip.compress(data)) <= MOST_GZIP_BYTES
    assert len(run["results"]) == MOST_RESULTS
    ids = [result["partialFingerprints"]["whyheapId/v1"] for result in run["results"]]
    assert ids[:3] == ["hotter", "hot", "silent"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("left out: 5,003 findings, the least of 30,003")
    assert left_out(report, data) == note["message"]["text"]


def test_a_file_that_is_too_large_after_gzip_loses_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GZIP_BYTES", 25_000)
    monkeypatch.setattr(module, "_SURELY_SMALL_BYTES", 25_000)
    report = many_findings(2_000)
    data = to_sarif(report)
    assert len(gzip.compress(data)) <= 25_000
    assert "10 MB after gzip" in left_out(report, data)
    assert json.loads(data)["runs"][0]["results"]


def test_a_long_flow_keeps_both_ends() -> None:
    steps = tuple(FlowStep(f"x{number}", "assign", "a.go", number, 1) for number in range(1, 3000))
    finding = oomshop().findings[0]
    fact = replace(finding.facts[0], flow=(Flow("{heap}", "x", steps),))
    result = run_of(replace(static_scan(), findings=(replace(finding, facts=(fact,)),)))["results"][0]
    said = [one["location"]["message"]["text"] for one in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert len(said) == MOST_STEPS
    assert said[0] == "x1 (assign)"
    assert said[-1] == "after 2,000 steps that are left out: x2999 (assign)"


def test_what_never_allocates_or_stands_nowhere_is_counted() -> None:
    finding = oomshop().findings[0]
    report = replace(
        static_scan(),
        findings=(
            finding,
            replace(finding, id="n", agreement=Agreement.NEVER_ALLOCATES),
            replace(finding, id="a", site=Site("<autogenerated>", 1, 0, "f", "p")),
        ),
    )
    data = to_sarif(report)
    assert len(json.loads(data)["runs"][0]["results"]) == 1
    assert left_out(report, data) == (
        "left out: 1 finding that never allocates, and 1 finding in code that the compiler made, which is in no file"
    )
    assert left_out(empty(), to_sarif(empty())) == ""


# Any names

LINES = st.integers(-3, 2**70)
TEXTS = st.text() | st.sampled_from(["", "\n", "<autogenerated>", "\udc80", "\ud800", "{0}", "[a](b)", "/", "//x"])


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    site = Site(draw(TEXTS), draw(LINES), draw(LINES), draw(TEXTS), draw(TEXTS))
    step = FlowStep(draw(TEXTS), draw(TEXTS), draw(TEXTS), draw(LINES), draw(LINES))
    fact = CompilerFact(
        FactKind.HEAP,
        Position(site.file, site.line, site.column),
        site.function,
        site.package,
        draw(TEXTS),
        draw(TEXTS),
        Position(site.file, site.line, site.column),
        (),
        (Flow(draw(TEXTS), draw(TEXTS), (step,)),),
    )
    return Finding(
        draw(TEXTS),
        draw(TEXTS),
        site,
        draw(TEXTS),
        draw(TEXTS),
        draw(st.sampled_from(Certainty)),
        draw(st.sampled_from(Agreement)),
        (fact,),
        measure=draw(st.none() | st.just(Measure(1, 1, 1, 1))),
    )


@given(found=st.lists(findings(), max_size=3), sources=st.dictionaries(TEXTS, TEXTS, max_size=2), folder=TEXTS)
def test_it_is_valid_whatever_the_names(found: list[Finding], sources: dict[str, str], folder: str) -> None:
    for finding in found[:1]:
        sources = sources | {finding.site.file: finding.subject}
    report = replace(static_scan(), findings=tuple(found), sources=sources, title=folder, in_repository=folder)
    run_of(report)
    gate = replace(
        sample_gate.broken(),
        violations=tuple(Violation(one.id, one.pattern, one.site, one.message, one) for one in found),
        sources=sources,
        in_repository=folder,
        unknown=(folder,),
    )
    assert len(run_of(gate)["results"]) == len(found)
