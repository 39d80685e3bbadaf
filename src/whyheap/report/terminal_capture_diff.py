"""What `whyheap diff A B` shows of two captures: what grew, by kind of memory, by line, by goroutine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.report.terminal_diff import SHOWN, STYLE_MORE, diff_header, diff_page, left_out, sentence
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_REMEDY,
    STYLE_STRONG,
    cut,
    cut_place,
    labelled,
    line,
    pad,
    wrap,
)
from whyheap.units import format_bytes, format_count, format_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.capture_diff import CaptureDiff, Difference, GoroutineDifference, LineDifference

_WIDEST_PLACE: Final = 34
_WIDEST_TITLE: Final = 32
_TIME: Final = slice(0, 19)


def capture_diff_to_terminal(diff: CaptureDiff, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render the comparison. No line is wider than `width` cells (40 at least)."""
    width = max(width, NARROWEST)
    old, new = (moment[_TIME].replace("T", " ") for moment in diff.moments)
    moments = f"{old} -> {new}" if old and new else ""
    blocks = [
        diff_header(diff.title or "whyheap diff", diff.targets, moments, width),
        _summary(diff, width),
        _block("TOTALS", [row for one in diff.numbers if (row := _difference(one, width)) is not None]),
        _block("MEMORY", _parts(diff.parts, width)),
        _block("LINES", _lines(diff.lines, width, all_rows=all_rows)),
        _block("WAITING", _goroutines(diff.goroutines, width, all_rows=all_rows)),
    ]
    return diff_page(blocks, diff.gaps, width, color=color)


def _block(label: str, rows: Sequence[Text]) -> list[Text]:
    return labelled(label, rows) if rows else []


def _summary(diff: CaptureDiff, width: int) -> list[Text]:
    old, new = diff.profile
    if old is None or new is None:
        return []
    grown = new.inuse_bytes - old.inuse_bytes
    text = f"the heap profile holds {format_bytes(new.inuse_bytes)}, {_signed(grown)} since the first"
    top = next((one for one in diff.lines if one.grown_bytes > 0), None)
    if top is not None and grown > 0:
        share = min(top.grown_bytes / grown, 1.0)
        text += f"; {cut_place(top.site.file, top.site.line, _WIDEST_PLACE)} made {format_share(share)} of it"
    label = "GREW" if grown > 0 else "SHRANK" if grown < 0 else "LEVEL"
    return labelled(label, sentence(text, STYLE_STRONG, width))


def _parts(parts: Sequence[Difference], width: int) -> list[Text]:
    ordered = sorted(parts, key=lambda part: -abs((part.after or 0.0) - (part.before or 0.0)))
    return [row for part in ordered if (row := _difference(part, width)) is not None]


def _difference(one: Difference, width: int) -> Text | None:
    """Show a number before, after and the difference; None where nothing is told."""
    old, new = (_spell(value, one.unit) for value in (one.before, one.after))
    title_width = min(_WIDEST_TITLE, width - LABEL_WIDTH - 32)
    row = line(pad(cut(one.title, title_width), title_width), f"  {old:>9} -> {new:>9}")
    if one.before is not None and one.after is not None and one.after != one.before:
        change = one.after - one.before
        row.append(f"  {_signed_of(change, one.unit):>10}", STYLE_MORE if change > 0 else STYLE_REMEDY)
    return row


def _lines(lines: Sequence[LineDifference], width: int, *, all_rows: bool) -> list[Text]:
    changed = [one for one in lines if one.grown_bytes]
    by_change = sorted(changed, key=lambda one: (-abs(one.grown_bytes), one.site))
    shown = changed if all_rows else by_change[:SHOWN]
    rows = []
    for one in shown:
        place = cut_place(one.site.file, one.site.line, _WIDEST_PLACE)
        size = f"{_signed(one.grown_bytes):>10}"
        head = line(
            (size, STYLE_MORE if one.grown_bytes > 0 else STYLE_REMEDY),
            f" to {format_bytes(one.after.inuse_bytes):>8}  ",
        )
        head.append(place, STYLE_PLACE)
        told = f"  {one.site.function}" + (f": {one.reason}" if one.reason else "")
        room = width - LABEL_WIDTH - head.cell_len
        if cell_len(told) <= room:
            rows.append(head.append(told, STYLE_QUIET))
            continue
        rows.append(head)
        rows += [line(" " * 24, (part, STYLE_QUIET)) for part in wrap(told.strip(), width - LABEL_WIDTH - 24)]
    return [*rows, *left_out(len(changed) - len(shown), "more lines changed")]


def _goroutines(groups: Sequence[GoroutineDifference], width: int, *, all_rows: bool) -> list[Text]:
    changed = [one for one in groups if one.after != one.before]
    shown = changed if all_rows else [one for one in changed if one.after > one.before][:SHOWN]
    return [
        line(
            (f"{one.after - one.before:>+10,}", STYLE_MORE if one.after > one.before else STYLE_REMEDY),
            f" to {format_count(one.after):>8}  ",
            (
                cut(f"{cut_place(one.site.file, one.site.line, _WIDEST_PLACE)}  {one.state}", width - LABEL_WIDTH - 24),
                STYLE_PLACE,
            ),
        )
        for one in shown
    ]


def _spell(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "bytes":
        return format_bytes(value)
    return format_share(value) if unit == "share" else format_count(value)


def _signed(size: float) -> str:
    return _signed_of(size, "bytes")


def _signed_of(value: float, unit: str) -> str:
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return f"{sign}{_spell(abs(value), unit)}"
