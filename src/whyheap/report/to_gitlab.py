"""Findings and violations as GitLab's code quality report, which merge requests show.

The fields are those of GitLab's page "Code Quality", section "Code Quality report format" (2026): description,
check_name, fingerprint, severity, location.path, location.lines.begin. Paths begin at the repository's root.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from whyheap.report.problems import Level, Problem, problems_of
from whyheap.report.to_json import plain
from whyheap.report.visible_text import one_line

if TYPE_CHECKING:
    from whyheap.model.report import Report
    from whyheap.model.violation import GateResult

Json = dict[str, Any]
_SEVERITIES: Final = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}


def to_gitlab(result: Report | GateResult) -> bytes:
    """Render an array, the worst first; [] when all is well. GitLab wants each fingerprint once."""
    seen: dict[str, int] = {}
    issues = []
    for problem in problems_of(result).placed:
        number = seen[problem.id] = seen.get(problem.id, 0) + 1
        issues.append(_issue(problem, number))
    return msgspec.json.format(msgspec.json.encode(plain(issues)), indent=2) + b"\n"


def left_out(result: Report | GateResult, output: bytes) -> str:
    """Say what the report leaves out, as it has no place for such a note; "" when nothing."""
    del output
    return problems_of(result).left_out


def _issue(problem: Problem, number: int) -> Json:
    return {
        "description": problem.message or problem.rule,
        "check_name": one_line(problem.rule),
        "fingerprint": _fingerprint(problem.id, number),
        "severity": _SEVERITIES[problem.level],
        "location": {"path": problem.file, "lines": {"begin": problem.line}},
    }


def _fingerprint(problem: str, number: int) -> str:
    """Hash the finding's id, which is stable across runs; `number` tells equal ids apart."""
    name = problem if number == 1 else f"{problem} {number}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
