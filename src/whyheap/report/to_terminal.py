"""The report as a terminal shows it: the answer, then the proof, then what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.model.finding import FixKind
from whyheap.report.ranked_lines import RankedLine, ranked_lines
from whyheap.report.terminal_explain import explain_to_terminal
from whyheap.report.terminal_finding import CERTAINTY_OF_FIX, finding_block
from whyheap.report.terminal_memory import event_rows, memory_rows
from whyheap.report.terminal_roots import root_rows, roots_to_terminal
from whyheap.report.terminal_scan import scan_to_terminal
from whyheap.report.terminal_table import where
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_REMEDY,
    apart,
    cut,
    cut_place,
    labelled,
    line,
    pad,
    render,
    side_by_side,
)
from whyheap.report.terminal_verdict import gap_rows, header, why
from whyheap.report.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.report import Report
    from whyheap.model.site import Site
    from whyheap.model.verdict import CauseVerdict

__all__ = ["explain_to_terminal", "roots_to_terminal", "scan_to_terminal", "to_terminal"]

_PROVEN: Final = 3
_FIXES: Final = 5
_WIDEST_FIX_PLACE: Final = 24
_SAID_ONCE: Final = "name the packages"
"""The way out of all lines whose source was not read, not of one."""


def to_terminal(report: Report, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render `whyheap why`: verdict, ranked lines, fixes, the proof of the top three lines, and what was not seen.

    No line is wider than `width` cells (40 at least). Without `color` the result has no escape sequence.
    """
    width = max(width, NARROWEST)
    lines = ranked_lines(report.findings, report.totals.ranked_by)
    blocks = [
        header(report, width),
        why(report, width),
        event_rows(report.events, width, all_rows=all_rows),
        memory_rows(report.account, width, all_rows=all_rows),
        where(report, lines, width, all_rows=all_rows) if _lines_are_known(report) else [],
        root_rows(report, width),
        _fixes(report, lines, width),
        *(finding_block(report, row.lead, rank, width) for rank, row in enumerate(lines[:_PROVEN], 1)),
        gap_rows(report.gaps, width),
    ]
    return render(apart(blocks), width, color=color)


def _lines_are_known(report: Report) -> bool:
    """Whether anybody spoke of lines: the compiler, or a profile."""
    return bool(report.findings or report.go) or report.totals.profile is not None


def _fixes(report: Report, lines: Sequence[RankedLine], width: int) -> list[Text]:
    """List the first cause's advice, the first alternative of each top line, then what else causes advise."""
    first, *others = [_advice(cause) for cause in (report.verdict.causes if report.verdict else ())] or [[]]
    fixes = [(row.site, row.lead.fixes[0]) for row in lines if row.lead.fixes]
    known = {fix.title for _, fix in fixes[:_FIXES]}
    rows = [row for row in first if row[2] not in known]
    for site, fix in fixes[:_FIXES]:
        if fix.title.startswith(_SAID_ONCE) and any(row[2] == fix.title for row in rows):
            continue
        place = cut_place(site.file, site.line, _WIDEST_FIX_PLACE)
        rows.append((place, STYLE_PLACE, fix.title, STYLE_REMEDY, CERTAINTY_OF_FIX[fix.kind]))
    rows += [row for advice in others for row in advice if row[2] not in known]
    if not rows:
        return []
    place_width = max(cell_len(place) for place, *_ in rows) + 2
    laid_out = [
        (line((pad(place, place_width), style)), text, text_style, right)
        for place, style, text, text_style, right in rows
    ]
    provable = [site for site, fix in fixes[:_FIXES] if fix.kind is FixKind.MECHANICAL and report.go]
    steps = [*_prove_step(provable, width), *_next_step(lines, width)]
    return [*labelled("FIX", side_by_side(laid_out, width - LABEL_WIDTH)), *steps]


def _advice(cause: CauseVerdict) -> list[tuple[str, str, str, str, str]]:
    """Return rows of a cause's advice; its name stands beside the first."""
    labels = [cut(cause.cause, _WIDEST_FIX_PLACE), *[""] * len(cause.advice)]
    return [
        (label, STYLE_QUIET, text, "", "") for label, text in zip(labels, dict.fromkeys(cause.advice), strict=False)
    ]


def _prove_step(sites: Sequence[Site], width: int) -> list[Text]:
    """Name the command that proves edits of these lines, as many as find room."""
    words = list(dict.fromkeys(f"{site.file}:{site.line}" for site in sites))
    while words:
        intro, command = "prove an edit:  ", visible(f"whyheap fix {' '.join(words)}")
        if cell_len(intro) + cell_len(command) <= width - LABEL_WIDTH:
            return [line(" " * LABEL_WIDTH, (intro, STYLE_QUIET), command)]
        words.pop()
    return []


def _next_step(lines: Sequence[RankedLine], width: int) -> list[Text]:
    """Name the command that tells all about the first line that the compiler speaks of."""
    site = next((row.site for row in lines if row.lead.facts), None)
    if site is None:
        return []
    name = site.file.rpartition("/")[2]
    for intro, file in (("all about a line:  ", site.file), ("all about a line:  ", name), ("", name)):
        command = visible(f"whyheap explain {file}:{site.line}")  # a cut path could not be typed
        if cell_len(command) + len(intro) <= width - LABEL_WIDTH:
            return [line(" " * LABEL_WIDTH, (intro, STYLE_QUIET), command)]
    return []
