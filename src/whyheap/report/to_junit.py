"""Violations as JUnit XML, which most CI systems list as tests: a failure each, and a passed test per rule that held.

The elements and attributes are those of the Jenkins xUnit plugin's schema (junit-10.xsd), which GitLab reads too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from whyheap.model.violation import RULES, GateResult
from whyheap.report.failed_words import failed_words
from whyheap.report.plain_words import chain
from whyheap.report.problems import Problem, Problems, by_rule, problems_of
from whyheap.report.visible_text import cut_middle, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyheap.model.report import Report

_MOST_LINES: Final = 100
_LONGEST_NAME: Final = 200
_LOOKED_AT: Final = {
    "new-site": "sites",
    "budget": "packages",
    "noescape": "directives",
    "noalloc": "directives",
    "inline": "directives",
    "bce": "directives",
    "directive": "directives",
    "leak": "tests",
    "limit": "tests",
    "checkptr": "tests",
}
"""What a gate must have looked at for a rule to have been checked; the names are those of `GateResult.checked`."""


def to_junit(result: Report | GateResult) -> str:
    """Render one suite: of a gate a test per rule and per violation, of a report a passed test per pattern.

    Findings are no failures: `scan` and `why` end with 0, too.
    """
    problems = problems_of(result)
    cases = list(_gate_cases(result, problems) if isinstance(result, GateResult) else _report_cases(problems))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
    }
    suites = ET.Element("testsuites", {"name": "whyheap", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": one_line(f"whyheap {problems.title}"), **counts})
    suite.extend(cases)
    said = [problems.headline, *problems.notes]
    _text(suite, "system-out", "\n".join(said))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _gate_cases(result: GateResult, problems: Problems) -> Iterator[ET.Element]:
    groups = by_rule(problems.problems)
    is_whole = not result.unknown and not result.not_judged
    for rule in RULES:
        if rule not in groups and result.checked.get(_LOOKED_AT.get(rule, ""), 0) and is_whole:
            yield _case(rule, f"{rule} holds")
    for rule, broken in groups.items():
        for problem in broken:
            case = _case(rule, f"{problem.owner} [{problem.id}]")
            failure = _text(case, "failure", "\n".join(_explained(problem)))
            failure.attrib |= {"type": one_line(rule), "message": problem.message}
            yield case
    if result.unknown:
        case = _case("compiler", "all of the compiler's output is understood")
        error = _text(case, "error", "\n".join(one_line(line) for line in result.unknown[:_MOST_LINES]))
        error.attrib |= {"type": "not-understood", "message": f"{len(result.unknown):,} lines were not understood"}
        yield case
    for sentence in result.not_judged:
        case = _case("gate", "all packages are judged")
        error = _text(case, "error", "")
        error.attrib |= {"type": "not-judged", "message": one_line(sentence)}
        yield case
    if result.failed:
        case = _case("tests", "go test")
        error = _text(case, "error", "")
        error.attrib |= {"type": "tests-failed", "message": failed_words(result)}
        yield case


def _report_cases(problems: Problems) -> Iterator[ET.Element]:
    for pattern, found in by_rule(problems.problems).items():
        case = _case(pattern, f"{len(found):,} of {pattern}")
        lines = [f"{_place(problem)}: {problem.message}" for problem in found[:_MOST_LINES]]
        if len(found) > _MOST_LINES:
            lines.append(f"... {len(found) - _MOST_LINES:,} more")
        _text(case, "system-out", "\n".join(lines))
        yield case


def _case(rule: str, name: str) -> ET.Element:
    name = cut_middle(one_line(name), _LONGEST_NAME)
    return ET.Element("testcase", {"classname": f"whyheap.{one_line(rule)}", "name": name})


def _explained(problem: Problem) -> Iterator[str]:
    yield f"{_place(problem)}: {one_line(problem.rule)}: {problem.message}"
    if problem.finding is not None:
        for fact in problem.finding.facts:
            for step in chain(fact, problem.finding.pattern):
                yield f"  {one_line(str(step.at))}: {one_line(step.text)}"


def _place(problem: Problem) -> str:
    column = f":{problem.site.column}" if problem.site.column > 0 else ""
    return one_line(f"{problem.file or problem.site.file}:{problem.line}{column}")


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    """Add an element whose lines of text are visible already: XML takes no control characters, not even escaped."""
    element = ET.SubElement(parent, tag)
    element.text = text
    return element
