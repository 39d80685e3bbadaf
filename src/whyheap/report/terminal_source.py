"""A line of source with its neighbours, and a caret under each column that matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from whyheap.report.terminal_text import MARGIN, STYLE_ALARM, STYLE_QUIET, cut, line, source_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from whyheap.model.report import Report
    from whyheap.model.site import Site

_CONTEXT_LINES: Final = 1
_CARETS: Final = 4
_LONGEST_LINE: Final = 4000
_LEAST_SUBJECT: Final = 3


@dataclass(frozen=True, slots=True)
class Caret:
    """A 1-based column in bytes (0 = unknown, not drawn) and what stands there."""

    column: int
    subject: str


def source_excerpt(
    report: Report, site: Site, carets: Sequence[Caret], width: int, context: int = _CONTEXT_LINES
) -> list[Text]:
    """Show the site's line, `context` lines around it and the carets; [] where the source is not at hand."""
    text = report.sources.get(site.file)
    if text is None:
        return []
    code = text.split("\n")
    if not 1 <= site.line <= len(code):
        return []
    numbers = range(max(1, site.line - context), min(len(code), site.line + context) + 1)
    shown = {number: code[number - 1].rstrip("\r")[:_LONGEST_LINE] for number in numbers}
    for edge in (max, min):
        while not shown[number := edge(shown)].strip() and number != site.line:
            del shown[number]
    indent = _common_indent(shown.values())
    digits = len(str(numbers[-1]))
    room = width - len(MARGIN) - digits - len(" | ")
    offsets = _offsets(shown[site.line], carets, indent)
    farthest = max((offset for offset, _ in offsets), default=0)
    skipped = max(0, farthest - room * 2 // 3) if farthest >= room - _LEAST_SUBJECT else 0
    rows: list[Text] = []
    for number, raw in shown.items():
        is_line = number == site.line
        margin = line(MARGIN[:-2], (">", STYLE_ALARM), " ") if is_line else line(MARGIN)
        margin.append(f"{number:>{digits}} | ", STYLE_QUIET)
        rows.append(
            margin.append(
                _window(source_text(raw)[indent:], skipped if is_line else 0, room), "" if is_line else STYLE_QUIET
            )
        )
        if is_line:
            gutter = line(MARGIN, (" " * digits + " | ", STYLE_QUIET))
            rows += [gutter.copy().append_text(_caret(offset - skipped, subject, room)) for offset, subject in offsets]
    return rows


def _offsets(raw: str, carets: Sequence[Caret], indent: int) -> list[tuple[int, str]]:
    """Turn columns into cells of the line as shown, leftmost first, each column once."""
    by_column = {caret.column: caret.subject for caret in reversed(carets) if 0 < caret.column <= _LONGEST_LINE}
    return [(max(_cells_before(raw, column) - indent, 0), by_column[column]) for column in sorted(by_column)[:_CARETS]]


def _caret(offset: int, subject: str, room: int) -> Text:
    if offset < 0:
        return line()
    left = room - offset - 2
    named = f"^ {cut(subject, left)}" if left >= _LEAST_SUBJECT else "^"
    return line(" " * min(offset, room - 1), (named.rstrip(), STYLE_ALARM))


def _cells_before(raw: str, column: int) -> int:
    before = raw.encode("utf-8", "surrogatepass")[: column - 1].decode("utf-8", "replace")
    return cell_len(source_text(before))


def _common_indent(lines: Iterable[str]) -> int:
    """Cells of indentation that all non-empty lines have in common."""
    widths = [len(text) - len(text.lstrip(" ")) for raw in lines if (text := source_text(raw)).strip()]
    return min(widths, default=0)


def _window(code: str, skipped: int, room: int) -> str:
    """Cut a long line of source to `room` cells, starting `skipped` cells in."""
    if skipped:
        code = f"\u2026{code[skipped + 1 :]}" if len(code) > skipped else ""
    return code if cell_len(code) <= room else set_cell_size(code, room - 1).rstrip() + "\u2026"
