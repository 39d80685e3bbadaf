"""What `whyheap diff REV REV` shows: sites that a change adds, removes or changes, then the benchmarks of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whyheap.model.revision_diff import SiteChange
from whyheap.report.revision_words import lines, summary, totals
from whyheap.report.terminal_benchmarks import benchmark_rows
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_REMEDY,
    STYLE_STRONG,
    apart,
    cut,
    cut_place,
    labelled,
    line,
    pad,
    render,
    two_sided,
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows
from whyheap.units import format_count

if TYPE_CHECKING:
    from rich.text import Text

    from whyheap.model.revision_diff import RevisionDiff

_SHOWN: Final = 10
_WIDEST_PLACE: Final = 30
_TITLES: Final = {
    SiteChange.ADDED: ("ADDED", "red"),
    SiteChange.MORE: ("MORE", "red"),
    SiteChange.OTHER: ("OTHER REASON", STYLE_STRONG),
    SiteChange.LESS: ("LESS", STYLE_REMEDY),
    SiteChange.REMOVED: ("REMOVED", STYLE_REMEDY),
}


def revision_diff_to_terminal(diff: RevisionDiff, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render the comparison. No line is wider than `width` cells (40 at least)."""
    width = max(width, NARROWEST)
    blocks = [
        _header(diff, width),
        _summary(diff, width),
        *(_section(diff, change, width, all_rows=all_rows) for change in SiteChange),
        benchmark_rows(diff.benchmarks or (), width, all_rows=all_rows),
        gap_rows(diff.gaps, width),
    ]
    return render(apart(blocks), width, color=color)


def _header(diff: RevisionDiff, width: int) -> list[Text]:
    old, new = (cut(revision.title, 32) for revision in diff.revisions)
    left = line(" ", (cut(diff.title, 30), STYLE_STRONG), f"  {old} -> {new}")
    return two_sided(left, line((diff.go, STYLE_QUIET)), width)


def _summary(diff: RevisionDiff, width: int) -> list[Text]:
    rows = [line((part, STYLE_STRONG)) for part in wrap(summary(diff), width - LABEL_WIDTH)]
    for text in (totals(diff), *diff.notes):
        rows += [line((part, STYLE_QUIET)) for part in wrap(text, width - LABEL_WIDTH)]
    return labelled("DIFF", rows)


def _section(diff: RevisionDiff, change: SiteChange, width: int, *, all_rows: bool) -> list[Text]:
    found = lines(one for one in diff.changes if one.change is change)
    if not found:
        return []
    shown = found if all_rows else found[:_SHOWN]
    places = [cut_place(one.site.file, one.site.line, _WIDEST_PLACE) for one, _ in shown]
    place_width = max(map(len, places))
    rows = []
    for place, (one, text) in zip(places, shown, strict=True):
        first, *rest = wrap(f"{one.site.function}: {text}", width - LABEL_WIDTH - place_width - 2)
        rows.append(line((pad(place, place_width), STYLE_PLACE), "  ", first))
        rows += [line(" " * (place_width + 2), part) for part in rest]
    if len(found) > len(shown):
        rows.append(line((f"... {format_count(len(found) - len(shown))} more lines (--all)", STYLE_QUIET)))
    title, style = _TITLES[change]
    return [line((f" {title}", style)), *(line(" " * LABEL_WIDTH).append_text(row) for row in rows)]
