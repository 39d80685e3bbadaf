"""What CI systems read: golden files, and what each format demands.

`WHYHEAP_UPDATE_GOLDEN=1 pytest tests/report/test_ci_outputs.py` writes the golden files anew; read the diff before
committing.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from report import sample_gate
from report.sample_report import empty, healthy, hostile, many_findings, oomshop, static_scan
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.report import Report
from whyheap.model.site import Site
from whyheap.model.violation import RULES, GateResult, Violation
from whyheap.report.formats import FORMATS, FormatKind, format_for
from whyheap.report.problems import Level, module_place, problems_of
from whyheap.report.to_github import MOST_OF_A_LEVEL, to_github
from whyheap.report.to_gitlab import to_gitlab
from whyheap.report.to_junit import to_junit
from whyheap.report.to_markdown import MOST_CHARACTERS, to_markdown

GOLDEN = Path(__file__).parent / "golden"
UPDATE = os.environ.get("WHYHEAP_UPDATE_GOLDEN") == "1"
SCHEMAS = Path(__file__).resolve().parents[1] / "recorded" / "schemas"
JUNIT = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")
ENDINGS = {
    "sarif": ".sarif",
    "github": ".github.txt",
    "markdown": ".md",
    "gitlab": ".gitlab.json",
    "junit": ".junit.xml",
}
CI_FORMATS = [form for form in FORMATS if form.name in ENDINGS]
SAMPLES: dict[str, Callable[[], Report | GateResult]] = {
    "ci-why": oomshop,
    "ci-scan": static_scan,
    "ci-empty": empty,
    "ci-gate": sample_gate.broken,
    "ci-gate-clean": sample_gate.clean,
    "ci-gate-unknown": sample_gate.not_understood,
}
ATTACKS: list[Callable[[], Report | GateResult]] = [hostile, sample_gate.hostile]
COMMAND = re.compile(r"::(error|warning|notice) (?:[a-z]+=[^:,\r\n]*,?)+::[^\r\n]*")
HARMFUL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def rendered(name: str, result: Report | GateResult) -> str:
    kind = FormatKind.GATE if isinstance(result, GateResult) else FormatKind.REPORT
    output = format_for(None, name).load(kind)(result)
    return output.decode() if isinstance(output, bytes) else str(output)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", ENDINGS)
def test_golden(name: str, sample: str) -> None:
    path = GOLDEN / f"{sample}{ENDINGS[name]}"
    text = rendered(name, SAMPLES[sample]())
    if name == "sarif":  # the rules are the catalogue, which has its own tests
        log = json.loads(text)
        del log["runs"][0]["tool"]["driver"]["rules"]
        text = json.dumps(log, indent=1, ensure_ascii=False) + "\n"
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", CI_FORMATS, ids=lambda form: form.name)
def test_one_row_serves_reports_and_gates(form: object) -> None:
    assert form in FORMATS
    assert len(CI_FORMATS) == len(ENDINGS)
    for row in CI_FORMATS:
        assert row.takes(FormatKind.REPORT)
        assert row.takes(FormatKind.GATE)
        assert not row.takes(FormatKind.PROFILE)


@pytest.mark.parametrize("make", ATTACKS)
@pytest.mark.parametrize("name", ENDINGS)
def test_nothing_of_a_name_gets_through_as_control_characters(
    name: str, make: Callable[[], Report | GateResult]
) -> None:
    text = rendered(name, make())
    text.encode()
    if name in {"github", "markdown", "junit"}:
        assert HARMFUL.search(text) is None


def findings_of(count: int, level: str) -> Report:
    finding = oomshop().findings[0]
    labels = {"severity": {"error": "error", "warning": "warning", "note": "info"}[level]}
    return replace(
        static_scan(),
        findings=tuple(
            replace(finding, id=str(number), site=replace(finding.site, line=number + 1), labels=labels)
            for number in range(count)
        ),
    )


# GitHub's annotations


@pytest.mark.parametrize("make", [*SAMPLES.values(), *ATTACKS, many_findings])
def test_annotations_are_commands_and_few(make: Callable[[], Report | GateResult]) -> None:
    lines = to_github(make()).splitlines()
    assert [line for line in lines if COMMAND.fullmatch(line) is None] == []
    for command in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{command} ") for line in lines) <= MOST_OF_A_LEVEL


@pytest.mark.parametrize("level", ["error", "warning", "note"])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30])
def test_annotations_count_what_they_leave_out(level: str, count: int) -> None:
    lines = to_github(findings_of(count, level)).splitlines()
    told = re.search(r"(\d+) findings? more", lines[-1])
    assert len(lines) - 1 + (int(told[1]) if told else 0) == count


def test_annotations_escape_as_the_runner_unescapes() -> None:
    violation = Violation("1", "budget", Site("a,b:c%.go", 3, 7), "100% of a: b, c\r\nd")
    result = replace(sample_gate.clean(), violations=(violation,))
    assert to_github(result).splitlines()[0] == (
        "::error file=a%2Cb%3Ac%25.go,line=3,col=7,title=whyheap%3A budget::100%25 of a: b, c d"
    )


def test_the_worst_is_annotated() -> None:
    report = many_findings(500)
    worst = replace(
        report.findings[321],
        agreement=Agreement.ALLOCATES_SILENTLY,
        id="worst",
        measure=report.findings[0].measure or Measure(1, 1, 1, 1),
    )
    report = replace(report, findings=(*report.findings, worst))
    assert f"file={worst.site.file},line={worst.site.line}," in to_github(report).splitlines()[0]
    assert problems_of(report).problems[0].id == "worst"


# GitLab's code quality report


@pytest.mark.parametrize("make", [*SAMPLES.values(), *ATTACKS, lambda: many_findings(2000)])
def test_code_quality_has_the_documented_fields(make: Callable[[], Report | GateResult]) -> None:
    issues = json.loads(to_gitlab(make()))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert all(isinstance(issue[name], str) and issue[name] for name in set(issue) - {"location"})
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert set(issue["location"]) == {"path", "lines"}
        assert issue["location"]["path"]
        assert not issue["location"]["path"].startswith("./")
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


# JUnit


@pytest.mark.parametrize("make", [*SAMPLES.values(), *ATTACKS])
def test_junit_is_valid(make: Callable[[], Report | GateResult]) -> None:
    JUNIT.validate(io.StringIO(to_junit(make())))


@given(text=st.text(), rule=st.text(), line=st.integers(-5, 2**40))
def test_junit_is_valid_whatever_the_names(text: str, rule: str, line: int) -> None:
    result = replace(
        sample_gate.broken(),
        violations=(Violation(text, rule, Site(text, line, line, text, text), text),),
        title=text,
        notes=(text,),
        unknown=(text,),
    )
    JUNIT.validate(io.StringIO(to_junit(result)))


def test_a_clean_gate_passes_a_test_for_each_rule_that_was_checked() -> None:
    text = to_junit(sample_gate.clean())
    assert 'tests="7" failures="0" errors="0"' in text
    assert [rule for rule in RULES if f"{rule} holds" not in text] == ["leak", "limit", "checkptr"]


# Markdown


@pytest.mark.parametrize("make", [*SAMPLES.values(), *ATTACKS, many_findings, healthy])
def test_markdown_fits_into_a_comment(make: Callable[[], Report | GateResult]) -> None:
    text = to_markdown(make())
    assert len(text) <= MOST_CHARACTERS
    assert text.count("<details>") == text.count("</details>")


def test_markdown_counts_what_finds_no_room() -> None:
    text = to_markdown(many_findings())
    shown = len(re.findall(r"^\| `pkg", text, re.MULTILINE))
    told = re.search(r"([\d,]+) more find no room here", text)
    assert told is not None
    assert shown + int(told[1].replace(",", "")) == 30_000


@given(text=st.text(alphabet="`|\\@#<>&*_[]()~$!-\n ab1", min_size=1))
def test_markdown_of_any_name_is_no_markup(text: str) -> None:
    report = static_scan()
    finding = replace(report.findings[0], site=Site(text, 1, 1, text, "p"), message=text, subject=text, pattern=text)
    row = next(
        line for line in to_markdown(replace(report, findings=(finding,))).splitlines() if line.startswith("| `")
    )
    row = row.replace("&#8203;", "\u200b")
    bare = re.sub(r"\\.", "!", re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", row))
    assert bare.count("|") == 4
    assert re.search(r"[<>`*_]|@\w|#\w", bare) is None


# Places and levels


@pytest.mark.parametrize(
    ("file", "package", "folder", "place"),
    [
        ("cache.go", "example.com/shop", "", "cache.go"),
        ("cache.go", "example.com/shop", "svc/shop", "svc/shop/cache.go"),
        ("net/http/server.go", "net/http", "svc", "net/http/server.go"),
        ("example.com/mod@v1.2.3/x.go", "example.com/mod", "svc", "example.com/mod@v1.2.3/x.go"),
        ("/srv/x.go", "x", "svc", "/srv/x.go"),
        ("<autogenerated>", "x", "svc", ""),
        ("", "x", "svc", ""),
    ],
)
def test_files_are_named_from_the_repository_root(file: str, package: str, folder: str, place: str) -> None:
    assert module_place(file, package, folder) == place


def test_levels_follow_the_evidence() -> None:
    finding = oomshop().findings[0]

    def level(changed: Finding) -> Level:
        return problems_of(replace(static_scan(), findings=(changed,))).problems[0].level

    quiet = replace(finding, measure=None)
    assert level(finding) is Level.WARNING
    assert level(replace(quiet, agreement=Agreement.ALLOCATES_SILENTLY)) is Level.WARNING
    assert level(replace(quiet, agreement=Agreement.MAY_ALLOCATE)) is Level.NOTE
    assert level(replace(quiet, labels={"severity": "error"})) is Level.ERROR
    assert {problem.level for problem in problems_of(sample_gate.broken()).problems} == {Level.ERROR}


def test_a_violation_without_a_file_is_shown_at_the_module() -> None:
    result = replace(sample_gate.broken(), in_repository="svc")
    assert [problem.file for problem in problems_of(result).problems] == ["svc/go.mod", "svc/cache.go", "svc/render.go"]
