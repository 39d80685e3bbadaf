"""Findings and violations as GitHub's workflow commands: annotations beside the lines of a pull request.

GitHub shows at most 10 errors, 10 warnings and 10 notices of a step (GitHub's page "Usage limits" and the runner's own
limit, 2026): the worst are written, the rest is counted in one notice. Escapes are those of actions/toolkit's
packages/core/src/command.ts: % CR LF in a message, : and , besides in a property.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whyheap.model.violation import GateResult
from whyheap.report.problems import (
    LEVELS,
    LONGEST_MESSAGE,
    Level,
    Problem,
    Problems,
    findings,
    problems_of,
    violations,
)
from whyheap.report.visible_text import cut_middle, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyheap.model.report import Report

MOST_OF_A_LEVEL: Final = 10
_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def to_github(result: Report | GateResult) -> str:
    """Render one command a line: the annotations, then one notice with the verdict and what is not shown."""
    return "".join(f"{line}\n" for line in _lines(problems_of(result), result))


def _lines(problems: Problems, result: Report | GateResult) -> Iterator[str]:
    shown = 0
    unknown = result.unknown if isinstance(result, GateResult) else ()
    if unknown:
        said = one_line(f"{len(unknown):,} lines were not understood, such as: {unknown[0]}")
        yield f"::error title=whyheap::{_data(cut_middle(said, LONGEST_MESSAGE))}"
    not_judged = result.not_judged if isinstance(result, GateResult) else ()
    for sentence in not_judged:
        yield f"::error title=whyheap::{_data(cut_middle(one_line(f'not judged: {sentence}'), LONGEST_MESSAGE))}"
    taken = {Level.ERROR: int(bool(unknown)) + len(not_judged), Level.NOTE: 1}  # the last notice is the count
    for level in LEVELS:
        most = MOST_OF_A_LEVEL - taken.get(level, 0)
        for problem in [one for one in problems.placed if one.level is level][:most]:
            shown += 1
            yield _annotation(problem)
    rest = len(problems.problems) - shown
    said = problems.headline
    if rest:
        what = violations(rest) if problems.is_gate else findings(rest)
        said += f". {what[:1].upper()}{what[1:]} more: GitHub shows {MOST_OF_A_LEVEL} of each kind"
    yield f"::notice title=whyheap::{_data(said)}"


def _annotation(problem: Problem) -> str:
    places = [("file", problem.file), ("line", str(problem.line))]
    if problem.site.column > 0:
        places.append(("col", str(problem.site.column)))
    places.append(("title", f"whyheap: {problem.rule}"))
    properties = ",".join(f"{name}={_property(one_line(value))}" for name, value in places)
    return f"::{_COMMANDS[problem.level]} {properties}::{_data(problem.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
