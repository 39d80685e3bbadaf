"""The ROOTS table: one change at each place, and what it takes off the heap at most."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_LABEL,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    apart,
    cut,
    cut_place,
    line,
    pad,
    render,
    wrap,
    wrap_items,
)
from whyheap.report.terminal_verdict import gap_rows, header
from whyheap.units import format_bytes, format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.report import Report
    from whyheap.model.root import Root

_FIRST: Final = 3
_TABLE: Final = 20
_WIDE: Final = 98
_WIDEST_PLACE: Final = 26
_NARROW_PLACE: Final = 16
_NUMBER: Final = 5
_NAMED_PATTERNS: Final = 4
_RECEIVER: Final = re.compile(r"\(\*?[\w\[\]., ]+\)\.(?=\w)")
_OUTSIDE: Final = "each call"
_CAVEAT: Final = (
    "At most: the compiler prints one way to the heap for each value. One that has a second way stays there after the "
    "change."
)


def roots_to_terminal(report: Report, *, width: int, color: bool, all_rows: bool = False) -> str:
    """Render `whyheap scan --roots`: the first roots, all with `all_rows`, and how often each pattern occurs."""
    width = max(width, NARROWEST)
    has_bytes = report.totals.profile is not None
    shown = report.roots if all_rows else report.roots[:_TABLE]
    left = len(report.roots) - len(shown)
    more = [line(" " * LABEL_WIDTH, (f"... {_counted(left, 'more root')} (--all)", STYLE_QUIET))] if left else []
    none = [line(" ROOTS  ", ("no value is known to be on the heap", STYLE_QUIET))] if not report.roots else []
    blocks = [
        header(report, width, note="" if has_bytes else "no bytes known: add a URL or pid"),
        [*none, *root_rows(report, width, len(shown)), *more],
        _patterns(report, width),
        [line(" ", (part, STYLE_QUIET)) for part in wrap(_CAVEAT, width - 1)] if report.roots else [],
        gap_rows(report.gaps, width),
    ]
    return render(apart(blocks), width, color=color)


def root_rows(report: Report, width: int, count: int = _FIRST) -> list[Text]:
    """Return the table's head and its first rows; nothing when no root is known."""
    roots = [root for root in report.roots[:count] if root.sites]
    if not roots:
        return []
    freed = [_freed(root, report.totals.ranked_by) for root in roots]
    freed_width = max(map(cell_len, freed))
    is_wide = width >= _WIDE
    pattern_width = 2 + max(cell_len(root.pattern) for root in roots) if is_wide else 0
    places = [_place(root, _WIDEST_PLACE if is_wide else _NARROW_PLACE) for root in roots]
    place_width = max(map(cell_len, places))
    room = width - LABEL_WIDTH - place_width - 2 - freed_width - 2 - pattern_width
    if room < _NARROW_PLACE:
        return _stacked(roots, freed, places, width)
    titles = [cut(_shortened(root.title, room), room) for root in roots]
    title_width = max(*map(cell_len, titles), min(room, cell_len("one change here ...")))
    right_side = "... takes these off the heap" if is_wide else "... frees at most"
    head = line(
        (pad(" ROOTS", LABEL_WIDTH), STYLE_LABEL),
        (pad("one change here ...", place_width + title_width + 4), STYLE_QUIET),
    )
    head.append(cut(right_side, max(width - head.cell_len, 1)), STYLE_QUIET)
    rows = [head]
    for number, (root, place, title, what) in enumerate(zip(roots, places, titles, freed, strict=True), 1):
        row = line(_rank(number), (pad(place, place_width), STYLE_PLACE), "  ", (pad(title, title_width), STYLE_STRONG))
        row.append(f"  {pad(what, freed_width)}")
        if is_wide:
            row.append(f"  {root.pattern}", STYLE_QUIET)
        rows.append(row)
    return rows


def _stacked(roots: Sequence[Root], freed: Sequence[str], places: Sequence[str], width: int) -> list[Text]:
    """Lay the rows out one below the other where the terminal is narrow."""
    rows = [line((pad(" ROOTS", LABEL_WIDTH), STYLE_LABEL), ("one change ...", STYLE_QUIET))]
    room = width - LABEL_WIDTH
    for number, (root, what, place) in enumerate(zip(roots, freed, places, strict=True), 1):
        rows.append(line(_rank(number), (cut(place, room), STYLE_PLACE)))
        rows += [line(" " * LABEL_WIDTH, (part, STYLE_STRONG)) for part in wrap(cut(root.title, 2 * room), room)]
        rows.append(line(" " * LABEL_WIDTH, cut(what, room)))
    return rows


def _shortened(title: str, room: int) -> str:
    """Leave out the receiver's type where a method's name would not fit otherwise."""
    return title if cell_len(title) <= room else _RECEIVER.sub("", title)


def _rank(number: int) -> str:
    return f"{number:>4}".ljust(LABEL_WIDTH)


def _place(root: Root, width: int) -> str:
    if root.site is None:
        return _OUTSIDE
    return cut_place(root.site.file.rpartition("/")[2], root.site.line, width)


def _freed(root: Root, ranked_by: str) -> str:
    """Say how many sites and files hang there, and their bytes where known."""
    text = f"{_counted(root.sites, 'site')} in {_counted(root.files, 'file')}"
    if root.measure is None:
        return text
    amount = root.measure.alloc_bytes if ranked_by == "alloc" else root.measure.inuse_bytes
    return f"{format_bytes(amount)}, {text}"


def _patterns(report: Report, width: int) -> list[Text]:
    """Count the patterns in one line, most frequent first."""
    counts = Counter(finding.pattern for finding in report.findings)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    items = [f"{pattern} {format_count(count)}" for pattern, count in ordered[:_NAMED_PATTERNS]]
    if len(ordered) > _NAMED_PATTERNS:
        items.append(f"{len(ordered) - _NAMED_PATTERNS} more")
    if items:
        items[0] = f"patterns: {items[0]}"
    return [line(" " * LABEL_WIDTH, (part, STYLE_QUIET)) for part in wrap_items(items, width - LABEL_WIDTH)]


def _counted(count: int, noun: str) -> str:
    return f"{format_count(count)} {noun}{'' if count == 1 else 's'}"
