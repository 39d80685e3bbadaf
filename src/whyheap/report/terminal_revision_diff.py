"""What `whyheap diff REV REV` shows: sites that a change adds, removes or changes, then the benchmarks of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whyheap.model.revision_diff import SiteChange
from whyheap.report.revision_words import lines, summary, totals
from whyheap.report.terminal_benchmarks import benchmark_rows
from whyheap.report.terminal_diff import STYLE_MORE, changed_lines, diff_header, diff_page, sentence
from whyheap.report.terminal_text import NARROWEST, STYLE_QUIET, STYLE_REMEDY, STYLE_STRONG, labelled

if TYPE_CHECKING:
    from rich.text import Text

    from whyheap.model.revision_diff import RevisionDiff

_WIDEST_PLACE: Final = 30
_TITLES: Final = {
    SiteChange.ADDED: ("ADDED", STYLE_MORE),
    SiteChange.MORE: ("MORE", STYLE_MORE),
    SiteChange.OTHER: ("OTHER REASON", STYLE_STRONG),
    SiteChange.LESS: ("LESS", STYLE_REMEDY),
    SiteChange.REMOVED: ("REMOVED", STYLE_REMEDY),
}


def revision_diff_to_terminal(diff: RevisionDiff, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render the comparison. No line is wider than `width` cells (40 at least)."""
    width = max(width, NARROWEST)
    blocks = [
        diff_header(diff.title, [revision.title for revision in diff.revisions], diff.go, width),
        _summary(diff, width),
        *(_section(diff, change, width, all_rows=all_rows) for change in SiteChange),
        benchmark_rows(diff.benchmarks or (), width, all_rows=all_rows),
    ]
    return diff_page(blocks, diff.gaps, width, color=color)


def _summary(diff: RevisionDiff, width: int) -> list[Text]:
    rows = sentence(summary(diff), STYLE_STRONG, width)
    for text in (totals(diff), *diff.notes):
        rows += sentence(text, STYLE_QUIET, width)
    return labelled("DIFF", rows)


def _section(diff: RevisionDiff, change: SiteChange, width: int, *, all_rows: bool) -> list[Text]:
    found = lines(one for one in diff.changes if one.change is change)
    told = [(one.site, f"{one.site.function}: {text}") for one, text in found]
    return changed_lines(*_TITLES[change], told, _WIDEST_PLACE, width, all_rows=all_rows)
