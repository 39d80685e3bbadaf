"""Findings and violations as GitHub and GitLab Markdown: a step's summary or a comment of a merge request.

A comment takes 65,536 characters, a step's summary 1 MiB (GitHub's pages on issue comments and on workflow commands,
2026): the text stays below the smaller one. Names of the target stand as code or behind entities, so that they are
neither markup nor mentions nor references.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from whyheap.model.violation import GateResult
from whyheap.report.problems import (
    Problem,
    Problems,
    findings,
    module_place,
    never_allocating,
    problems_of,
    subject_of,
    violations,
)
from whyheap.report.visible_text import cut_middle, one_line
from whyheap.units import format_bytes, format_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from whyheap.model.report import Report
    from whyheap.model.root import Root
    from whyheap.model.verdict import CauseVerdict

MOST_CHARACTERS: Final = 65_000
_FIRST_ROWS: Final = 20
_ROOTS: Final = 5
_CAUSES: Final = 3
_NOTES: Final = 10
_LONGEST_NAME: Final = 100
_LONGEST_WORDS: Final = 240
_ROOM_FOR_END: Final = 400
_TICKS: Final = re.compile(r"`+")
_SPECIAL: Final = re.compile(r"([\\`*_\[\]#|~$])")
_REFERENCE: Final = re.compile(r"([@#]|\bGH-|\bwww)(?=\S)", re.IGNORECASE)


def to_markdown(result: Report | GateResult) -> str:
    """Render the verdict, the worst lines as a table and the rest collapsed, as far as a comment can hold."""
    problems = problems_of(result)
    text = "\n".join(_head(result, problems))
    shown = problems.problems
    has_bytes = _has_bytes(problems)
    rows = [_row(problem, problems, has_bytes=has_bytes) for problem in shown[:_FIRST_ROWS]]
    if rows:
        text += "\n\n" + "\n".join([*_columns(problems), *rows])
    rest = shown[_FIRST_ROWS:]
    if rest:
        text += "\n\n" + _collapsed(problems, rest, MOST_CHARACTERS - len(text) - _ROOM_FOR_END)
    end = _end(problems)
    return text + (f"\n\n{end}" if end else "") + "\n"


def _head(result: Report | GateResult, problems: Problems) -> Iterator[str]:
    name = _words(problems.title)
    yield f"### whyheap{f': {name}' if name else ''}"
    yield ""
    yield f"**{_words(problems.headline)}**" + (f" ({_code(problems.go)})" if problems.go else "")
    if isinstance(result, GateResult):
        if result.unknown:
            yield ""
            yield from (f"- not understood: {_code(line)}" for line in result.unknown[:_NOTES])
            if len(result.unknown) > _NOTES:
                yield f"- {len(result.unknown) - _NOTES:,} more"
        if result.not_judged:
            yield ""
            yield from (f"- not judged: {_code(sentence)}" for sentence in result.not_judged)
        return
    if result.verdict is not None:
        for number, cause in enumerate(result.verdict.causes[:_CAUSES]):
            yield from _cause(cause, is_headline=number == 0)
    elif result.roots:
        yield from _roots(result.roots, result.in_repository)


def _cause(cause: CauseVerdict, *, is_headline: bool) -> Iterator[str]:
    yield ""
    share = f", {format_share(cause.share)}" if cause.share else ""
    size = f" ({format_bytes(cause.bytes)}{share})" if cause.bytes else ""
    summary = "" if is_headline else f": {_words(cause.summary)}"
    yield f"{_code(cause.cause)}{size}{summary} *{cause.certainty.value}*"
    if cause.advice:
        yield ""
        yield from (f"- {_words(advice)}" for advice in cause.advice)


def _roots(roots: Sequence[Root], in_repository: str) -> Iterator[str]:
    worst = [root for root in roots if root.sites > 1][:_ROOTS]
    if not worst:
        return
    yield ""
    yield "| one change here ... | | takes these off the heap, at most |"
    yield "|---|---|---|"
    for root in worst:
        site = root.site
        where = module_place(site.file, site.package, in_repository) if site is not None else ""
        place = _code(f"{where}:{site.line}") if site is not None and where else "each call"
        files = f"in {root.files:,} file{'' if root.files == 1 else 's'}"
        yield f"| {place} | {_code(root.title)} | {root.sites:,} sites {files} |"


def _has_bytes(problems: Problems) -> bool:
    return any(problem.bytes for problem in problems.problems)


def _columns(problems: Problems) -> list[str]:
    if problems.is_gate:
        return ["| line | rule | what is wrong |", "|---|---|---|"]
    if _has_bytes(problems):
        return ["| line | function | bytes | why it is on the heap |", "|---|---|---:|---|"]
    return ["| line | function | why it is on the heap |", "|---|---|---|"]


def _row(problem: Problem, problems: Problems, *, has_bytes: bool) -> str:
    place = _code(f"{problem.file or problem.site.file}:{problem.line}")
    finding = problem.finding
    if problems.is_gate or finding is None:
        return f"| {place} | {_code(problem.rule)} | {_words(problem.message)} |"
    subject = subject_of(finding)
    why = f"{_code(subject)}: {_words(finding.message)}" if subject else _words(finding.message)
    why += f" ({_code(problem.rule)})"
    if finding.fixes:
        why += f"; fix: {_words(finding.fixes[0].title)}"
    size = f" {_size(problem)} |" if has_bytes else ""
    return f"| {place} | {_code(problem.site.function)} |{size} {why} |"


def _size(problem: Problem) -> str:
    """Return the bytes, unbroken; "shared" where other findings of the line carry the same."""
    if not problem.bytes:
        return ""
    shared = " shared" if problem.finding is not None and problem.finding.shared_with else ""
    return f"{format_bytes(problem.bytes)}{shared}".replace(" ", "&nbsp;")


def _collapsed(problems: Problems, rest: Sequence[Problem], room: int) -> str:
    """Return the rest as a table behind a click; what finds no room is counted."""
    what = violations(len(rest)) if problems.is_gate else findings(len(rest))
    lines = [f"<details><summary>{what} more</summary>", "", *_columns(problems)]
    used = sum(len(line) + 1 for line in lines)
    has_bytes = _has_bytes(problems)
    for number, problem in enumerate(rest):
        row = _row(problem, problems, has_bytes=has_bytes)
        used += len(row) + 1
        if used > room:
            lines += ["", f"{len(rest) - number:,} more find no room here."]
            break
        lines.append(row)
    return "\n".join([*lines, "", "</details>"])


def _end(problems: Problems) -> str:
    notes = [*problems.notes[:_NOTES]]
    if len(problems.notes) > _NOTES:
        notes.append(f"{len(problems.notes) - _NOTES:,} more notes")
    if problems.never_allocating:
        notes.append(f"left out: {never_allocating(problems.never_allocating)}")
    return "\n".join(f"- {_words(note)}" for note in notes)


def _code(text: str) -> str:
    """Return a code span that holds any text, also in a table: nothing in it is markup, a mention or a reference."""
    shown = cut_middle(one_line(text), _LONGEST_NAME)
    if not shown:
        return ""
    fence = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown.replace('|', chr(92) + '|')}{pad}{fence}"


def _words(text: str) -> str:
    """Return prose without markup; @name and #1 are cut from their meaning by a zero-width space."""
    shown = cut_middle(one_line(text), _LONGEST_WORDS)
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = _SPECIAL.sub(r"\\\1", shown)
    return _REFERENCE.sub(lambda found: f"{found[0]}&#8203;", shown).replace("://", ":&#8203;//")
