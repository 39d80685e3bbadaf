"""WHERE: the lines that hold or allocate most, one reason each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.model.evidence import Agreement
from whyheap.model.measure import Measure
from whyheap.report.plain_words import headline
from whyheap.report.ranked_lines import RankedLine, bytes_of
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    STYLE_LABEL,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    cut,
    cut_place,
    labelled,
    line,
    pad,
    short_symbol,
    wrap,
    wrap_items,
)
from whyheap.units import format_bytes, format_count, format_rate, format_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.report import Report, Totals

SHOWN_LINES: Final = 10
"""Rows without --all."""

_ENTRY_POINTS: Final = 6
_GAP: Final = 3
_NARROW_GAP: Final = 2
_NARROW: Final = 64
_WIDE: Final = 100
_WIDEST_PLACE: Final = 36
_WIDEST_FUNCTION: Final = 28
_SHORT_FUNCTION: Final = 16
_READABLE_REASON: Final = 36
_READABLE_FUNCTION: Final = 8
_REASON_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class _Column:
    """One bytes column: `cells` hold (bytes, share) per row."""

    title: str
    cells: tuple[tuple[str, str], ...]
    is_ranked: bool

    @property
    def bytes_width(self) -> int:
        return max((len(size) for size, _ in self.cells), default=0)

    @property
    def share_width(self) -> int:
        return max((len(share) for _, share in self.cells), default=0)

    @property
    def width(self) -> int:
        return max(self.bytes_width + 1 + self.share_width, len(self.title))

    def cell(self, row: int) -> Text:
        size, share = self.cells[row]
        spare = " " * (self.width - self.bytes_width - 1 - self.share_width)
        size_style = STYLE_STRONG if self.is_ranked else ""
        return line(
            spare, (size.rjust(self.bytes_width), size_style), " ", (share.rjust(self.share_width), STYLE_QUIET)
        )


def where(report: Report, lines: Sequence[RankedLine], width: int, *, all_rows: bool) -> list[Text]:
    """Draw the ranked table, what it leaves out, and the entry points."""
    if not lines:
        return labelled("WHERE", [line(text) for text in wrap(_no_lines(report), width - LABEL_WIDTH)])
    shown = lines if all_rows else lines[:SHOWN_LINES]
    columns = _columns(report.totals, shown, width)
    rows = line_rows("WHERE", shown, columns, width)
    for text in (*_remainder(report, lines, len(shown)), *_never(report)):
        rows += [line(" " * LABEL_WIDTH, (part, STYLE_QUIET)) for part in wrap(text, width - LABEL_WIDTH)]
    return [*rows, *_entry_points(report, width)]


def amount(measure_bytes: int, column: str, totals: Totals) -> str:
    """Print bytes of a column: allocation as a rate where the window is known, ">=" where that is the least it is."""
    seconds = totals.rate_seconds if column == "alloc" else None
    if seconds and totals.profile is not None and not totals.profile.alloc_bytes:
        return "unseen"  # no collection has shown what was allocated: that is not nothing
    if not measure_bytes:
        return "-"
    if seconds:
        return f"{'>=' if totals.is_rate_least else ''}{format_rate(measure_bytes / seconds)}"
    return format_bytes(measure_bytes)


def share_of(measure: Measure, totals: Totals, column: str) -> str:
    """Print the share of all profiled bytes of that column; "" where there are none."""
    whole = bytes_of(totals.profile or Measure(), column)
    part = bytes_of(measure, column)
    return format_share(min(part / whole, 1)) if whole and part else ""


def column_title(column: str, window_seconds: float | None) -> str:
    """Name a bytes column."""
    if column == "inuse":
        return "inuse now"
    return "alloc rate" if window_seconds else "allocated"


def unexplained(totals: Totals) -> str:
    """Say how many bytes no line accounts for: always stated, also when there are none."""
    if totals.profile is None:
        return ""
    whole = bytes_of(totals.profile, totals.ranked_by)
    rest = whole - bytes_of(totals.explained or Measure(), totals.ranked_by)
    word = "allocated" if totals.ranked_by == "alloc" else "in use"
    if rest <= 0:
        return f"no byte {word} is unexplained"
    return f"{format_share(rest / whole)} unexplained ({format_bytes(rest)} {word})"


def _columns(totals: Totals, shown: Sequence[RankedLine], width: int) -> list[_Column]:
    if totals.profile is None:
        return []
    names = ["alloc", "inuse"] if totals.ranked_by == "alloc" else ["inuse", "alloc"]
    return [
        _Column(
            column_title(name, totals.window_seconds),
            tuple(
                (
                    amount(bytes_of(row.measure, name), name, totals),
                    share_of(row.measure, totals, name),
                )
                for row in shown
            ),
            is_ranked=name == names[0],
        )
        for name in names[: 1 if width < _NARROW else 2]
    ]


def line_rows(label: str, shown: Sequence[RankedLine], columns: Sequence[_Column], width: int) -> list[Text]:
    """Draw a header and one numbered row a line: bytes columns, place, function, reason."""
    gap = _GAP if width >= _WIDE else _NARROW_GAP
    start = LABEL_WIDTH + sum(column.width + gap for column in columns)
    room = width - start
    places = [cut_place(row.site.file, row.site.line, min(_WIDEST_PLACE, room)) for row in shown]
    functions = [cut(row.site.function, _WIDEST_FUNCTION) for row in shown]
    reasons = [reason_of(row) for row in shown]
    place_width = max(map(cell_len, places))
    longest = max(map(cell_len, reasons))
    function_width = max(map(cell_len, functions))
    function_width = min(function_width, max(room - place_width - longest - 4, _SHORT_FUNCTION))
    functions = [cut(function, function_width) for function in functions] if width >= _WIDE else functions
    reason_room = room - place_width - function_width - 4
    if reason_room >= min(_READABLE_REASON, longest):
        beside = place_width + function_width + 4
        titles = f"{pad('line', beside)}why it is on the heap"
    else:
        beside = 0
        titles = "line, and why it is on the heap"
    rows = [_header(label, columns, titles if beside or len(titles) <= room else "line and reason", gap)]
    for index, (row_place, function, reason) in enumerate(zip(places, functions, reasons, strict=True)):
        body = (
            _stacked(row_place, function, reason, room)
            if not beside
            else _flat(pad(row_place, place_width), pad(function, function_width), reason, reason_room)
        )
        prefix = line((f"{index + 1:>4}".ljust(LABEL_WIDTH), STYLE_QUIET))
        for column in columns:
            prefix.append_text(column.cell(index)).append(" " * gap)
        rows.append(prefix.append_text(body[0]))
        rows += [line(" " * start).append_text(part) for part in body[1:]]
    return rows


def _header(label: str, columns: Sequence[_Column], titles: str, gap: int) -> Text:
    header = line((pad(f" {label}", LABEL_WIDTH), STYLE_LABEL))
    for column in columns:
        header.append(pad(column.title.rjust(column.bytes_width), column.width) + " " * gap, STYLE_QUIET)
    return header.append(titles, STYLE_QUIET)


def _flat(place: str, function: str, reason: str, reason_room: int) -> list[Text]:
    parts = _short_reason(reason, reason_room)
    indent = " " * (cell_len(place) + cell_len(function) + 4)
    return [
        line((place, STYLE_PLACE), "  ", function, "  ", parts[0]),
        *(line(indent, part) for part in parts[1:]),
    ]


def _stacked(place: str, function: str, reason: str, room: int) -> list[Text]:
    function_room = room - cell_len(place) - 2
    first = line((place, STYLE_PLACE))
    if function_room >= min(_READABLE_FUNCTION, cell_len(function)):
        first.append(f"  {cut(function, function_room)}")
    return [first, *(line(part) for part in _short_reason(reason, room))]


def _short_reason(reason: str, room: int) -> list[str]:
    parts = wrap(reason, room)
    if len(parts) <= _REASON_ROWS:
        return parts
    return [*parts[: _REASON_ROWS - 1], cut(" ".join(parts[_REASON_ROWS - 1 :]), room)]


def reason_of(row: RankedLine) -> str:
    """Give the reason of a line's heaviest finding, and how many other patterns or how often the same one."""
    reason = headline(row.lead)
    others = {finding.pattern for finding in row.findings} - {row.lead.pattern}
    if others:
        return f"{reason} (+{len(others)})"
    same = sum(headline(finding) == reason for finding in row.findings)
    return f"{reason} ({same} times)" if same > 1 else reason


def _remainder(report: Report, lines: Sequence[RankedLine], shown: int) -> list[str]:
    totals = report.totals
    left_out = unexplained(totals)
    hidden = lines[shown:]
    if not hidden:
        return [left_out] if left_out else []
    rest = sum((row.measure for row in hidden), Measure())
    share = share_of(rest, totals, totals.ranked_by)
    of_bytes = f", {share} of bytes" if share else ""
    more = f"... {format_count(len(hidden))} more line{'s' if len(hidden) > 1 else ''}{of_bytes}"
    return [f"{more}; {left_out} (--all)" if left_out else f"{more} (--all)"]


def _never(report: Report) -> list[str]:
    """Count what is not ranked because it costs nothing."""
    count = sum(finding.agreement is Agreement.NEVER_ALLOCATES for finding in report.findings)
    if not count:
        return []
    sites = (
        "1 site that escapes, but never allocates"
        if count == 1
        else (f"{format_count(count)} sites that escape, but never allocate")
    )
    return [f"not ranked: {sites}"]


def _entry_points(report: Report, width: int) -> list[Text]:
    totals = report.totals
    column = totals.ranked_by
    entries = sorted(report.entry_points, key=lambda entry: bytes_of(entry.measure, column), reverse=True)
    items = [
        f"{cut(short_symbol(entry.function), 40)}{_kind(entry.kind)} {share}"
        for entry in entries[:_ENTRY_POINTS]
        if (share := share_of(entry.measure, totals, column))
    ]
    if not items:
        return []
    what = "allocated" if column == "alloc" else "in use"
    items[0] = f"{what} by entry point: {items[0]}"
    first, *rest = wrap_items(items, width - LABEL_WIDTH - 2)
    margin = " " * LABEL_WIDTH
    return [line(margin, (first, STYLE_QUIET)), *(line(margin, "  ", (part, STYLE_QUIET)) for part in rest)]


def _kind(kind: str) -> str:
    return f" ({kind})" if kind in {"goroutine", "init"} else ""


def _no_lines(report: Report) -> str:
    base = "no line of this program allocates on the heap, as far as the witnesses can see"
    left_out = unexplained(report.totals)
    return f"{base}; {left_out}" if left_out else base
