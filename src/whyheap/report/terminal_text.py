"""Lines of styled text that never exceed the width: measuring, cutting, wrapping, and the final rendering."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from whyheap.report.visible_text import cut_middle, one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NARROWEST: Final = 40
"""Below this many columns the report keeps this width."""

LABEL_WIDTH: Final = 8
"""Columns of the left margin that hold WHY, WHERE, FIX and the ranks."""

MARGIN: Final = " " * 4
"""Indentation of what stands below a heading."""

STYLE_LABEL: Final = "bold"
STYLE_STRONG: Final = "bold"
STYLE_QUIET: Final = "dim"
STYLE_PLACE: Final = "cyan"
STYLE_ALARM: Final = "bold red"
STYLE_REMEDY: Final = "green"

_LONGEST_PROSE: Final = 1500
_READABLE: Final = 30
_ELLIPSIS: Final = "\u2026"
_UNITS: Final = "%|B(?:/s)?|[KMGTPE]iB(?:/s)?|[MG]|ns|ms|s|min|h|objects(?:/s)?|sites?|times|lines?|more|requests?"
_GLUED: Final = re.compile(
    rf"(?<=\d) (?=(?:{_UNITS})(?:[\s,.;:)]|$))|(?<=^[<>]) (?=\d)|(?<=\s[<>]) (?=\d)| (?=\(\+\d)|(?<=\d h) (?=\d+ min)"
)
_GLUE: Final = "\0"  # never in visible text


def cut(text: str, width: int) -> str:
    """Make a target's text visible on one line, cut in the middle to `width` cells."""
    shown = one_line(text)
    if cell_len(shown) <= width:
        return shown
    if width <= 1:
        return _ELLIPSIS[: max(width, 0)]
    tail_width = (width - 1) // 2
    head = set_cell_size(shown, width - 1 - tail_width).rstrip()
    tail = _last_cells(shown, tail_width)
    return f"{head}{_ELLIPSIS}{tail}"


def cut_place(file: str, line: int, width: int, column: int = 0) -> str:
    """Print file:line[:column] in `width` cells: folders go first, then the middle of the name, never the number."""
    number = f":{line}:{column}" if column else f":{line}"
    shown, room = one_line(file), max(width - len(number), 1)
    if cell_len(shown) > room:
        parts = shown.split("/")
        kept = parts.pop()
        while parts and cell_len(parts[-1]) + cell_len(kept) + 3 <= room:
            kept = f"{parts.pop()}/{kept}"
        shown = f"{_ELLIPSIS}/{kept}" if cell_len(kept) + 2 <= room else cut(kept, room)
    return f"{shown}{number}"


def pad(text: str, width: int) -> str:
    """Fill up to `width` cells on the right."""
    return text + " " * (width - cell_len(text))


def wrap(text: str, width: int) -> list[str]:
    """Wrap at spaces, but never between a number and its unit; longer words are cut in the middle."""
    glued = _GLUED.sub(_GLUE, one_line(cut_middle(text, _LONGEST_PROSE)))
    lines: list[str] = []
    current = ""
    for raw in glued.split(" "):
        word = cut(raw.replace(_GLUE, " "), width)
        joined = f"{current} {word}" if current else word
        if current and cell_len(joined) > width:
            lines.append(current)
            current = word
        else:
            current = joined
    return [*lines, current]


def wrap_items(items: Iterable[str], width: int, separator: str = ", ") -> list[str]:
    """Lay items side by side, breaking between them only."""
    mark = separator.rstrip()
    room = width - len(mark)
    lines: list[str] = []
    current = ""
    for item in items:
        joined = f"{current}{separator}{item}" if current else item
        if current and cell_len(joined) > room:
            lines.append(current + mark)
            joined = item
        current = joined if cell_len(joined) <= room else cut(joined, room)
    return [*lines, current] if current else lines


def line(*parts: str | tuple[str, str]) -> Text:
    """Build one line of (text, style) parts; no markup is read."""
    text = Text()
    for part in parts:
        if isinstance(part, tuple):
            text.append(*part)
        else:
            text.append(part)
    return text


def labelled(label: str, rows: Sequence[Text]) -> list[Text]:
    """Put a label into the left margin of the first row."""
    margins = [(pad(f" {label}", LABEL_WIDTH), STYLE_LABEL)] + [(" " * LABEL_WIDTH, "")] * (len(rows) - 1)
    return [line(margin).append_text(row) for margin, row in zip(margins, rows, strict=True)]


def side_by_side(rows: Sequence[tuple[Text, str, str, str]], width: int) -> list[Text]:
    """Lay out (prefix, text, style, right) rows: texts wrap in one column, `right` stands just beside the longest.

    Where too little room is left, `right` follows the text in parentheses instead.
    """
    if not rows:
        return []
    room = width - max(cell_len(right) + 2 for _, _, _, right in rows)
    if room - max(prefix.cell_len for prefix, _, _, _ in rows) < _READABLE:
        return [text for row in rows for text in _stacked(*row, width)]
    wrapped = [wrap(text, room - prefix.cell_len) for prefix, text, _, _ in rows]
    right_at = 2 + max(
        row[0].cell_len + cell_len(part) for row, parts in zip(rows, wrapped, strict=True) for part in parts
    )
    lines: list[Text] = []
    for (prefix, _, style, right), (first, *rest) in zip(rows, wrapped, strict=True):
        padded = pad(first, right_at - prefix.cell_len)
        lines.append(line().append_text(prefix).append(padded, style).append(right, STYLE_QUIET))
        lines += [line(" " * prefix.cell_len, (part, style)) for part in rest]
    return lines


def _stacked(prefix: Text, text: str, style: str, right: str, width: int) -> list[Text]:
    """Lay out one row of `side_by_side` on a narrow terminal: below its prefix when that leaves too little room."""
    said = f"{text} ({right})" if right else text
    is_beside = width - prefix.cell_len >= _READABLE
    indent = prefix.cell_len if is_beside else 2
    parts = [line(" " * indent, (part, style)) for part in wrap(said, width - indent)]
    if is_beside:
        parts[0] = line().append_text(prefix).append(parts[0].plain[indent:], style)
        return parts
    return [prefix, *parts] if prefix.plain.strip() else parts


def short_symbol(symbol: str) -> str:
    """Drop the path of a symbol's package: `example.com/shop/cache.(*Cache).Get` is `cache.(*Cache).Get`."""
    head, bracket, types = symbol.partition("[")
    return symbol if " " in head else head.rpartition("/")[2] + bracket + types


def two_sided(left: Text, right: Text, width: int) -> list[Text]:
    """Put `right` at the right edge of the line, or on a line of its own where it does not fit."""
    room = width - left.cell_len - right.cell_len
    if not right.plain:
        return [left]
    if room >= 2:  # noqa: PLR2004  two spaces keep them apart
        return [line().append_text(left).append(" " * room).append_text(right)]
    return [left, line(" ").append_text(right)]


def source_text(code: str) -> str:
    """Make one line of source visible, with tabs as four spaces."""
    return visible(code.replace("\t", "    "))


def apart(blocks: Sequence[list[Text]]) -> list[Text]:
    """Put an empty line between blocks that are not empty."""
    rows: list[Text] = []
    for block in blocks:
        if block:
            rows += [line(), *block] if rows else block
    return rows


def render(lines: Iterable[Text], width: int, *, color: bool) -> str:
    """Turn lines into a string; without `color` there is no escape sequence in it."""
    width = max(width, NARROWEST)
    if not color:
        return "".join(f"{set_cell_size(text.plain, min(text.cell_len, width)).rstrip()}\n" for text in lines)
    out = io.StringIO()
    console = Console(
        file=out,
        width=width + 1,
        force_terminal=True,
        color_system="standard",
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for text in lines:
        text.rstrip()
        text.truncate(width)
        console.print(text, no_wrap=True, crop=False, overflow="ignore", soft_wrap=True)
    return out.getvalue()


def _last_cells(text: str, width: int) -> str:
    kept = text[-width:] if width else ""
    while cell_len(kept) > width:
        kept = kept[1:]
    return kept.lstrip()
