"""Text from a target made harmless in Markdown: no markup, link, mention or HTML is made of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from whyheap.report.visible_text import cut_middle, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKUP: Final = re.compile(r"[\\`*\[\]<|~#@&$]|\b_|_\b|:(?=//)|(?<=www)\.", re.IGNORECASE)
_TICKS: Final = re.compile(r"`+")
_LONGEST: Final = 300


def plain(text: str) -> str:
    """Escape a text so that it reads as it is, in a table cell too; words are never linked or mentioned."""
    shown = cut_middle(one_line(text), _LONGEST)
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", shown)


def code(text: str) -> str:
    """Put a text into a code span, in a table cell too; with a bar in it, it is escaped text instead."""
    shown = cut_middle(one_line(text), _LONGEST)
    if not shown or "|" in shown:
        return plain(shown)
    longest = max((len(run) for run in _TICKS.findall(shown)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table of cells that are Markdown already."""
    return [_line(header), _line(["---"] * len(header)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
