"""What `whyheap scan` shows: how many sites, of which patterns, in which files; each line on demand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.model.evidence import Agreement
from whyheap.report.ranked_lines import by_place, ranked_lines
from whyheap.report.terminal_roots import root_rows
from whyheap.report.terminal_table import line_rows, where
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    apart,
    cut,
    labelled,
    line,
    pad,
    render,
    short_symbol,
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows, header
from whyheap.units import format_count, format_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.finding import Finding
    from whyheap.model.report import Report

_TOP: Final = 8
_FEW: Final = 25
_WIDEST_NAME: Final = 48
_BAR: Final = 24


def scan_to_terminal(report: Report, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render `whyheap scan`: counts, patterns, the files and functions with most sites, and the lines.

    The lines themselves are listed with `all_rows`, or when they are few. With a profile they are ranked by bytes.
    """
    width = max(width, NARROWEST)
    has_bytes = report.totals.profile is not None
    blocks = [
        header(report, width, note="" if has_bytes else "no bytes known: add a URL or pid"),
        _counts(report, width),
        root_rows(report, width),
        *_tallies(report.findings, width),
        _lines(report, width, all_rows=all_rows),
        gap_rows(report.gaps, width),
    ]
    return render(apart(blocks), width, color=color)


def _counts(report: Report, width: int) -> list[Text]:
    by_agreement = Counter(finding.agreement for finding in report.findings)
    sites = report.totals.heap_sites or len(report.findings)
    parts = [f"{_counted(sites, 'heap site')} in {_counted(report.totals.packages, 'package')}"]
    for agreement, words in (
        (Agreement.ALLOCATES_SILENTLY, ("allocates silently", "allocate silently")),
        (Agreement.MAY_ALLOCATE, ("may allocate", "may allocate")),
        (Agreement.NEVER_ALLOCATES, ("never allocates", "never allocate")),
    ):
        count = by_agreement[agreement]
        if count:
            parts.append(f"{format_count(count)} {words[count != 1]}")
    return labelled("HEAP", [line((part, STYLE_STRONG)) for part in wrap(", ".join(parts), width - LABEL_WIDTH)])


def _tallies(findings: Sequence[Finding], width: int) -> list[list[Text]]:
    """Count by pattern, file and function: what stands at the top is where one change helps most lines."""
    return [
        _tally("WHY", Counter(finding.pattern for finding in findings), width),
        _tally("FILES", Counter(finding.site.file for finding in findings), width),
        _tally("FUNCS", Counter(short_symbol(finding.site.symbol) for finding in findings), width),
    ]


def _tally(label: str, counts: Counter[str], width: int) -> list[Text]:
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    total, largest = counts.total(), ordered[0][1]
    number_width = len(format_count(largest))
    name_room = min(_WIDEST_NAME, width - LABEL_WIDTH - number_width - 12)
    names = [cut(name, name_room) for name, _ in ordered[:_TOP]]
    name_width = max(map(cell_len, names))
    bar_room = min(_BAR, width - LABEL_WIDTH - name_width - number_width - 14)
    rows: list[Text] = []
    for name, (_, count) in zip(names, ordered, strict=False):
        row = line((pad(name, name_width), STYLE_PLACE), f"  {format_count(count):>{number_width}}")
        row.append(f"  {format_share(count / total):>7}", STYLE_QUIET)
        if bar_room >= _TOP and largest >= _TOP:
            row.append(f"  {'#' * max(round(bar_room * count / largest), 1)}", STYLE_QUIET)
        rows.append(row)
    if len(ordered) > _TOP:
        left = sum(count for _, count in ordered[_TOP:])
        rows.append(line((f"... {format_count(len(ordered) - _TOP)} more with {_counted(left, 'site')}", STYLE_QUIET)))
    return labelled(label, rows)


def _lines(report: Report, width: int, *, all_rows: bool) -> list[Text]:
    if report.totals.profile is not None:
        return where(report, ranked_lines(report.findings, report.totals.ranked_by), width, all_rows=all_rows)
    if not report.findings:
        return []
    if all_rows or len(report.findings) <= _FEW:
        return line_rows("WHERE", by_place(report.findings), (), width)
    return labelled(
        "WHERE", [line((f"{_counted(len(report.findings), 'finding')}: list them with --all", STYLE_QUIET))]
    )


def _counted(count: int, noun: str) -> str:
    return f"{format_count(count)} {noun}{'' if count == 1 else 's'}"
