"""The first lines: what was looked at and why it runs out of memory; and the last: what could not be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    STYLE_QUIET,
    STYLE_STRONG,
    cut,
    cut_place,
    labelled,
    line,
    side_by_side,
    two_sided,
    wrap,
    wrap_items,
)
from whyheap.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.text import Text

    from whyheap.model.gauge import Gap
    from whyheap.model.report import Report
    from whyheap.model.verdict import CauseVerdict, Statement

_WIDEST_PLACE: Final = 40
_WIDEST_TITLE: Final = 60
_RUNTIME: Final = "runtime"


def header(report: Report, width: int, *, note: str = "") -> list[Text]:
    """Name the program, its Go and the targets; at the right how long was measured, or `note`."""
    title = report.title or (report.targets[0] if report.targets else "whyheap")
    left = line(" ", (cut(title, min(_WIDEST_TITLE, width - 12)), STYLE_STRONG))
    if report.go and left.cell_len + len(report.go) + 2 <= width:
        left.append(f"  {cut(report.go, 16)}")
    seconds = report.totals.window_seconds
    right = line((note or (f"{format_duration(seconds)} measured" if seconds else ""), STYLE_QUIET))
    targets = [cut(target, width - 2) for target in report.targets if target != title]
    beside = "  ".join(targets)
    if targets and left.cell_len + len(beside) + right.cell_len + 4 <= width:
        return two_sided(left.append(f"  {beside}", STYLE_QUIET), right, width)
    return [
        *two_sided(left, right, width),
        *(line(" ", (text, STYLE_QUIET)) for text in wrap_items(targets, width - 1, "  ")),
    ]


def why(report: Report, width: int) -> list[Text]:
    """Say the verdict: each cause with its evidence and who vouches for it."""
    verdict = report.verdict
    if verdict is None:
        text = "not known: no running process was looked at. Add a service's URL"
        if report.gauges:
            text = f"growth could not be judged from what was seen, see below. {_longer(report)}".rstrip()
        return labelled("WHY", [line(part) for part in wrap(text, width - LABEL_WIDTH)])
    if not verdict.causes:
        text = "nothing that was seen points to running out of memory"
        return labelled("WHY", [line((part, STYLE_STRONG)) for part in wrap(text, width - LABEL_WIDTH)])
    said: set[str] = set()
    rows = [row for cause in verdict.causes for row in _cause(cause, said, "  " if len(verdict.causes) > 1 else "")]
    return labelled("WHY", side_by_side(rows, width - LABEL_WIDTH))


def _longer(report: Report) -> str:
    """Return the way out that the runtime's witness names for a window that was too short."""
    hints = (gap.hint for gap in report.gaps if gap.witness == _RUNTIME)
    return next((hint for hint in hints if "--seconds" in hint or "whyheap record" in hint), "")


def gap_rows(gaps: Iterable[Gap], width: int) -> list[Text]:
    """Name the witnesses that could not speak, with the way out."""
    rows: list[Text] = []
    for gap in gaps:
        reason = gap.reason if gap.reason.endswith((".", "!", "?")) or not gap.hint else f"{gap.reason}."
        text = f"{gap.witness}: {reason} {gap.hint}".rstrip()
        first, *rest = wrap(text, width - LABEL_WIDTH)
        rows += [
            line(first),
            *(line("  ", part) for part in (wrap(" ".join(rest), width - LABEL_WIDTH - 2) if rest else [])),
        ]
    return labelled("UNSEEN", rows) if rows else []


def _cause(cause: CauseVerdict, said: set[str], indent: str) -> Iterator[tuple[Text, str, str, str]]:
    """Yield a cause's summary, then its evidence as far as it was not `said` yet, as rows for `side_by_side`."""
    yield line(), cause.summary, STYLE_STRONG, cause.certainty.value
    for statement in cause.evidence:
        text = _with_place(statement)
        if text not in said:
            yield line(indent), text, "", statement.certainty.value
        said.add(text)


def _with_place(statement: Statement) -> str:
    site = statement.site
    if site is None or f"{site.file.rpartition('/')[2]}:{site.line}" in statement.text:
        return statement.text
    return f"{statement.text} ({cut_place(site.file, site.line, _WIDEST_PLACE)})"
