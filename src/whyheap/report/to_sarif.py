"""Findings and violations as SARIF 2.1.0, within what GitHub code scanning takes.

The limits are those of GitHub's page "SARIF results exceed one or more limits" and "SARIF support for code scanning"
(November 2026): a file of 10 MB after gzip, 25,000 results and 25,000 rules a run, 1,000 thread flow locations shown of
a result. What goes beyond is refused whole or dropped by GitHub, so the least bad is left out here, and that is said.

GitHub matches alerts by `primaryLocationLineHash` alone, which its upload action works out from the sources and warns
about when a file brings another: so it is not written. `whyheapId/v1` is the finding's own id, for everything else.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from whyheap.model.violation import GateResult
from whyheap.report.failed_words import failed_words
from whyheap.report.problems import Problem, Problems, findings, is_outside, problems_of, violations
from whyheap.report.sarif_places import ROOT, Places
from whyheap.report.sarif_rules import gate_rules, other_rules, pattern_rules
from whyheap.report.to_json import encode
from whyheap.report.visible_text import cut_middle, one_line
from whyheap.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from whyheap.model.facts import CompilerFact
    from whyheap.model.report import Report

MOST_RESULTS: Final = 25_000
MOST_RULES: Final = 25_000
MOST_STEPS: Final = 1_000
MOST_GZIP_BYTES: Final = 10_000_000
_SURELY_SMALL_BYTES: Final = MOST_GZIP_BYTES
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEFT_OUT: Final = "left-out"
_LONGEST_STEP: Final = 240
_PLACEHOLDER: Final = re.compile(r"\{(?=\d+\})")
_LINK: Final = re.compile(r"\[(?=[^\[\]]*\]\()")

Json = dict[str, Any]


def to_sarif(result: Report | GateResult) -> bytes:
    """Render one SARIF log with one run, a line; equal results give equal bytes."""
    problems = problems_of(result)
    shown = list(problems.placed[:MOST_RESULTS])
    while True:
        data = encode(_log(result, problems, shown)) + b"\n"
        if len(data) <= _SURELY_SMALL_BYTES or not shown or _gzip_bytes(data) <= MOST_GZIP_BYTES:
            return data
        del shown[len(shown) * 3 // 4 :]


def left_out(result: Report | GateResult, output: bytes) -> str:
    """Say what the rendered SARIF leaves out, as its invocation does; "" when nothing."""
    del result
    log = msgspec.json.decode(output, type=_Log)
    notes = [note for run in log.runs for call in run.invocations for note in call.notifications]
    return "; ".join(note.message.text for note in notes if note.descriptor.id == _LEFT_OUT)


def _gzip_bytes(data: bytes) -> int:
    return len(gzip.compress(data, 6, mtime=0))


def _log(result: Report | GateResult, problems: Problems, shown: Sequence[Problem]) -> Json:
    rules = gate_rules() if problems.is_gate else pattern_rules()
    known = {rule["id"] for rule in rules}
    own: dict[str, str] = {}
    for problem in shown:
        if problem.rule not in known:
            own.setdefault(problem.rule, problem.level.value)
    rules += [rule for name, level in own.items() for rule in other_rules((name,), level)]
    if len(rules) > MOST_RULES:
        used = {problem.rule for problem in shown}
        rules = [rule for rule in rules if rule["id"] in used]
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    places = Places(result.sources, result.in_repository)
    run = {
        "tool": {
            "driver": {
                "name": "whyheap",
                "version": VERSION,
                "semanticVersion": VERSION,
                "rules": rules,
            }
        },
        "invocations": [_invocation(result, problems, shown)],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, numbers[problem.rule], places) for problem in shown],
        "properties": {"go": one_line(result.go), "title": one_line(result.title)},
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _invocation(result: Report | GateResult, problems: Problems, shown: Sequence[Problem]) -> Json:
    notes = []
    if problems.left_out:
        notes.append(_notification(_LEFT_OUT, "note", problems.left_out))
    cut = len(problems.placed) - len(shown)
    if cut:
        what = violations(cut) if problems.is_gate else findings(cut)
        limit = f"{MOST_RESULTS:,} results" if len(shown) == MOST_RESULTS else "10 MB after gzip"
        text = f"left out: {what}, the least of {len(problems.placed):,}: code scanning takes {limit}"
        notes.append(_notification(_LEFT_OUT, "warning", text))
    notes += [_notification("gap", "note", note) for note in problems.notes]
    is_whole = True
    if isinstance(result, GateResult):
        notes += [
            _notification("not-understood", "error", f"not understood: {cut_middle(one_line(text), _LONGEST_STEP)}")
            for text in result.unknown
        ]
        notes += [
            _notification("not-judged", "error", f"not judged: {cut_middle(one_line(text), _LONGEST_STEP)}")
            for text in result.not_judged
        ]
        if result.failed:
            notes.append(_notification("tests-failed", "error", failed_words(result)))
        is_whole = not (result.unknown or result.failed or result.not_judged)
    return {"executionSuccessful": is_whole, "toolExecutionNotifications": notes}


def _notification(name: str, level: str, text: str) -> Json:
    return {"descriptor": {"id": name}, "level": level, "message": {"text": _text(text)}}


def _result(problem: Problem, rule: int, places: Places) -> Json:
    site, finding = problem.site, problem.finding
    subject = finding.subject if finding is not None else ""
    outside = is_outside(site.file, site.package)
    place = places.at(problem.file, site.file, site.line, site.column, subject, outside=outside)
    location: Json = {"physicalLocation": place}
    if site.function or site.package:
        kind = "function" if site.function else "module"
        location["logicalLocations"] = [{"fullyQualifiedName": one_line(problem.owner), "kind": kind}]
    result: Json = {
        "ruleId": problem.rule,
        "ruleIndex": rule,
        "level": problem.level.value,
        "message": {"text": _text(problem.message) or "no message"},
        "locations": [location],
        "partialFingerprints": {"whyheapId/v1": problem.id},
    }
    if finding is not None:
        flows = [flow for fact in finding.facts if (flow := _code_flow(fact, places)) is not None]
        if flows:
            result["codeFlows"] = flows
        result["properties"] = {"agreement": finding.agreement.value, "certainty": finding.certainty.value}
        if problem.bytes:
            result["properties"]["bytes"] = problem.bytes
    return result


def _code_flow(fact: CompilerFact, places: Places) -> Json | None:
    """Turn the compiler's flow into one thread flow: a location a step; None when no step stands in a file."""
    steps = []
    for flow in fact.flow:
        for step in flow.steps:
            physical = places.of_site(step.file, fact.package, step.line, step.column, step.expr)
            if physical is not None:
                text = f"{cut_middle(one_line(step.expr), _LONGEST_STEP)} ({one_line(step.reason)})"
                steps.append({"location": {"physicalLocation": physical, "message": {"text": _text(text)}}})
    if not steps:
        return None
    if len(steps) > MOST_STEPS:
        cut = len(steps) - MOST_STEPS + 1
        steps = [*steps[: MOST_STEPS - 1], steps[-1]]
        last = steps[-1]["location"]["message"]
        last["text"] = f"after {cut:,} steps that are left out: {last['text']}"
    return {
        "message": {"text": _text(cut_middle(one_line(fact.message), _LONGEST_STEP)) or "the compiler's flow"},
        "threadFlows": [{"locations": steps}],
    }


def _text(text: str) -> str:
    """Let a text be no template: SARIF fills {0} in, and shows [a](b) as a link (2.1.0, 3.11.5 and 3.11.6)."""
    return _LINK.sub(r"\\[", _PLACEHOLDER.sub("{{", text))


@dataclass(frozen=True, slots=True)
class _Message:
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Descriptor:
    id: str = ""


@dataclass(frozen=True, slots=True)
class _Notification:
    message: _Message
    descriptor: _Descriptor


class _Invocation(msgspec.Struct, rename={"notifications": "toolExecutionNotifications"}):
    notifications: list[_Notification] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Run:
    invocations: list[_Invocation]


@dataclass(frozen=True, slots=True)
class _Log:
    runs: list[_Run]
