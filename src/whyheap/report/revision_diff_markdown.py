"""The comparison of two git revisions as a comment for a pull request: what costs first, the rest folded away.

A comment of GitHub holds 65,536 characters (docs.github.com, "issue comments"); less is written, and what was left out
is counted.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from whyheap.model.revision_diff import SiteChange
from whyheap.report.markdown_text import code, plain, table
from whyheap.report.revision_words import (
    benchmark_summary,
    change_text,
    is_worth_showing,
    lines,
    spread_text,
    summary,
    totals,
    value_text,
)
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from whyheap.model.benchmark import BenchmarkSample, Comparison
    from whyheap.model.revision_diff import ChangedSite, RevisionDiff

MOST_CHARACTERS: Final = 60_000
_OPEN_ROWS: Final = 15
_MOST_ROWS: Final = 500
_GAPS: Final = 10
_HEADINGS: Final = 2_000  # characters of the tables' heads, folds and closing words
_COSTS: Final = (SiteChange.ADDED, SiteChange.MORE)
_ARROW: Final = "\u2192"
_SITE_HEADER: Final = ("", "where", "function", "why it is on the heap")
_BENCHMARK_HEADER: Final = ("benchmark", "unit", "before", "after", "change")


def revision_diff_to_markdown(diff: RevisionDiff) -> bytes:
    """Render as Markdown of GitHub and GitLab, in at most `MOST_CHARACTERS`."""
    old, new = (code(revision.title) for revision in diff.revisions)
    head = [
        f"### whyheap: {old} {_ARROW} {new}",
        "",
        f"**{plain(summary(diff))}**",
        "",
        plain(f"{totals(diff)}; {diff.go}"),
        *(f"<br>{plain(note)}" for note in diff.notes),
    ]
    gaps = _gaps(diff)
    budget = _Budget(MOST_CHARACTERS - sum(len(line) + 1 for line in (*head, *gaps)) - _HEADINGS)
    costs = [_site(*row) for row in lines(one for one in diff.changes if one.change in _COSTS)]
    others = [_site(*row) for row in lines(one for one in diff.changes if one.change not in _COSTS)]
    parts = [
        *_open("", _SITE_HEADER, costs[:_OPEN_ROWS], budget),
        *_benchmarks(diff.benchmarks, budget),
        *_folded("more lines that cost more", _SITE_HEADER, costs[_OPEN_ROWS:], budget),
        *_folded(
            "lines that cost less or nothing, or are on the heap for another reason", _SITE_HEADER, others, budget
        ),
        *gaps,
    ]
    return "\n".join([*head, *parts, ""]).encode("utf-8", "replace")


class _Budget:
    """How many characters are left for tables."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def take(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
        """Return a table of the rows that there is room for, and a line that counts those left out."""
        taken: list[Sequence[str]] = []
        for row in rows[:_MOST_ROWS]:
            size = sum(len(cell) + 3 for cell in row) + 2
            if size > self._left:
                break
            self._left -= size
            taken.append(row)
        left_out = len(rows) - len(taken)
        lines = table(header, taken) if taken else []
        return [*lines, "", f"... {format_count(left_out)} more: whyheap diff --all"] if left_out else lines


def _open(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], budget: _Budget) -> list[str]:
    if not rows:
        return []
    return ["", *([title, ""] if title else []), *budget.take(header, rows)]


def _folded(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], budget: _Budget) -> list[str]:
    if not rows:
        return []
    summary_line = f"<details><summary>{format_count(len(rows))} {title}</summary>"
    return ["", summary_line, "", *budget.take(header, rows), "", "</details>"]


def _site(one: ChangedSite, text: str) -> tuple[str, ...]:
    return one.change.value, code(f"{one.site.file}:{one.site.line}"), code(one.site.function), plain(text)


def _benchmarks(comparisons: Sequence[Comparison] | None, budget: _Budget) -> list[str]:
    if not comparisons:
        return []
    groups = [list(rows) for _, rows in groupby(comparisons, key=lambda one: (one.package, one.benchmark))]
    shown = [one for group in groups if is_worth_showing(group) for one in group]
    others = [one for group in groups if not is_worth_showing(group) for one in group]
    return [
        *_open(f"**{plain(benchmark_summary(comparisons))}**", _BENCHMARK_HEADER, _rows(shown), budget),
        *([] if shown else ["", f"**{plain(benchmark_summary(comparisons))}**"]),
        *_folded("numbers of benchmarks with equal memory", _BENCHMARK_HEADER, _rows(others), budget),
    ]


def _rows(comparisons: Iterable[Comparison]) -> list[tuple[str, ...]]:
    return [
        (
            code(one.benchmark),
            plain(one.unit),
            _side(one.before, one.unit),
            _side(one.after, one.unit),
            plain(change_text(one)),
        )
        for one in comparisons
    ]


def _side(sample: BenchmarkSample | None, unit: str) -> str:
    return plain(f"{value_text(sample.median, unit)} {spread_text(sample)}".rstrip()) if sample is not None else ""


def _gaps(diff: RevisionDiff) -> list[str]:
    if not diff.gaps:
        return []
    rows = [f"- {plain(f'{gap.witness}: {gap.reason}. {gap.hint}'.rstrip())}" for gap in diff.gaps[:_GAPS]]
    more = [f"- and {len(diff.gaps) - _GAPS} more"] if len(diff.gaps) > _GAPS else []
    return ["", "Not seen:", "", *rows, *more]
