"""What the terminal reports of `whyheap diff` share: the first line, lines of source in sections, and the gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    apart,
    cut,
    cut_place,
    line,
    pad,
    render,
    two_sided,
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from whyheap.model.gauge import Gap
    from whyheap.model.site import Site

SHOWN: Final = 10
"""Rows of a section without --all."""

STYLE_MORE: Final = "red"
"""What allocates or holds more than before."""

_WIDEST_TITLE: Final = 32
_LEAST_SIDE: Final = 12


def diff_page(blocks: Iterable[list[Text]], gaps: Sequence[Gap], width: int, *, color: bool) -> str:
    """Render the blocks apart from each other, and last what could not be compared."""
    return render(apart([*blocks, gap_rows(gaps, width)]), width, color=color)


def diff_header(title: str, sides: Sequence[str], note: str, width: int) -> list[Text]:
    """Build the first line: what was compared, its two sides, and a note at the right edge."""
    left = line(" ", (cut(title, _WIDEST_TITLE), STYLE_STRONG), "  ")
    room = max((width - left.cell_len - 4) // 2, _LEAST_SIDE)
    left.append(" -> ".join(cut(side, room) for side in sides))
    return two_sided(left, line((note, STYLE_QUIET)), width)


def sentence(text: str, style: str, width: int) -> list[Text]:
    """Wrap what stands beside a label."""
    return [line((part, style)) for part in wrap(text, width - LABEL_WIDTH)]


def changed_lines(
    title: str, style: str, found: Sequence[tuple[Site, str]], widest: int, width: int, *, all_rows: bool
) -> list[Text]:
    """Build a section of lines of source, of which `widest` cells are the place, and what is said of each."""
    if not found:
        return []
    shown = found if all_rows else found[:SHOWN]
    places = [cut_place(site.file, site.line, widest) for site, _ in shown]
    place_width = max(map(len, places))
    rows = []
    for place, (_, text) in zip(places, shown, strict=True):
        first, *rest = wrap(text, width - LABEL_WIDTH - place_width - 2)
        rows.append(line((pad(place, place_width), STYLE_PLACE), "  ", first))
        rows += [line(" " * (place_width + 2), part) for part in rest]
    rows += left_out(len(found) - len(shown), "more lines")
    return [line((f" {title}", style)), *(line(" " * LABEL_WIDTH).append_text(row) for row in rows)]


def left_out(count: int, words: str) -> list[Text]:
    """Say how many rows --all would add, if any."""
    return [line((f"... {format_count(count)} {words} (--all)", STYLE_QUIET))] if count else []
