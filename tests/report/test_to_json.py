"""The JSON that CONTRACT.md promises."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from report.sample_report import empty, healthy, hostile, oomshop, static_scan
from whyheap.model.report import Report
from whyheap.report.to_json import to_json, to_jsonl

REPORT_KEYS = {"schema", "tool", "targets", "go", "verdict", "findings", "entry_points", "gauges", "gaps", "totals"}
FINDING_KEYS = {"id", "pattern", "root", "site", "message", "witnesses", "agreement", "certainty", "fixes"}
TOTALS_KEYS = {
    "heap_sites",
    "profile_bytes",
    "explained_bytes",
    "unexplained_bytes",
    "rss_bytes",
    "rss_explained_bytes",
}


def _read(report: Report) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(to_json(report))
    return read


@pytest.mark.parametrize("make", [oomshop, static_scan, healthy, empty, hostile])
def test_every_key_of_the_contract_is_there(make: Any) -> None:
    read = _read(make())
    assert read.keys() >= REPORT_KEYS
    assert read["totals"].keys() >= TOTALS_KEYS
    assert read["schema"] == 1
    assert read["tool"].keys() == {"name", "version"}
    for finding in read["findings"]:
        assert finding.keys() >= FINDING_KEYS
        assert finding["site"].keys() == {"file", "line", "column", "function", "package"}
        assert finding["witnesses"].keys() == {"compiler", "machine_code", "profile"}


def test_equal_reports_give_equal_bytes_and_end_with_a_newline() -> None:
    assert to_json(oomshop()) == to_json(oomshop())
    assert to_json(oomshop()).endswith(b"}\n")


def test_a_finding_with_all_witnesses() -> None:
    finding = next(finding for finding in _read(oomshop())["findings"] if finding["pattern"] == "variadic-any")
    compiler = finding["witnesses"]["compiler"][0]
    assert compiler["verdict"] == "heap"
    assert compiler["subject"] == "n"
    assert compiler["message"] == "n escapes to heap"
    assert compiler["flow"][0] == {
        "to": "{storage for ... argument}",
        "from": "&{storage for n}",
        "steps": [
            {"expr": "n", "reason": "spill", "file": "render.go", "line": 88, "column": 37},
            {"expr": "... argument", "reason": "slice-literal-element", "file": "render.go", "line": 88, "column": 30},
        ],
    }
    assert finding["witnesses"]["machine_code"]["calls"][0] == {
        "callee": "runtime.convT64",
        "type": "int",
        "address": 0x5A4011,
        "path": "unknown",
        "symbol": "",
    }
    profile = finding["witnesses"]["profile"]
    assert profile["inuse_bytes"] == 18 << 20
    assert profile["share"] == pytest.approx(18 / 283)
    assert profile["shared_with"] == ["77b0de12"]
    assert profile["callees"][0].keys() == {"callee", "leaf", "inuse_bytes", "alloc_bytes"}
    assert finding["fixes"][0] == {
        "title": 'fmt.Sprintf("%d", n) -> strconv.Itoa(n)',
        "kind": "mechanical",
        "proof": None,
    }


def test_totals_refer_to_the_column_that_ranks() -> None:
    report = oomshop()
    by_inuse = _read(report)["totals"]
    by_alloc = _read(replace(report, totals=replace(report.totals, ranked_by="alloc")))["totals"]
    assert by_inuse["unexplained_bytes"] == 7 << 20
    assert by_alloc["profile_bytes"] == by_inuse["alloc"]["profile_bytes"] == (105 * 30) << 20
    assert by_inuse["inuse"] == by_alloc["inuse"]


def test_without_a_profile_bytes_are_null() -> None:
    read = _read(static_scan())
    assert read["verdict"] is None
    assert read["totals"]["heap_sites"] == 214
    assert read["totals"]["profile_bytes"] is None
    assert read["totals"]["unexplained_bytes"] is None
    assert all(finding["witnesses"]["profile"] is None for finding in read["findings"])


def test_a_healthy_service_has_a_verdict_without_causes() -> None:
    assert _read(healthy())["verdict"] == {"causes": []}


def test_causes_carry_evidence_with_who_vouches_for_it() -> None:
    cause = _read(oomshop())["verdict"]["causes"][0]
    assert cause.keys() == {"cause", "certainty", "bytes", "share", "summary", "evidence", "advice"}
    assert cause["evidence"][0].keys() == {"text", "certainty", "site"}


def test_jsonl_has_one_finding_a_line() -> None:
    report = oomshop()
    lines = to_jsonl(report).splitlines()
    assert [json.loads(line) for line in lines] == _read(report)["findings"]


def test_names_that_are_no_utf8_and_numbers_that_are_none_stay_valid_json() -> None:
    text = to_json(hostile()).decode("utf-8")
    assert "lone\N{REPLACEMENT CHARACTER}surrogate" in text
    assert "NaN" not in text
