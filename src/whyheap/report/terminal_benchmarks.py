"""Two builds compared by their benchmarks, on a terminal: allocations and bytes first, time as information."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from whyheap.model.benchmark import BenchmarkChange
from whyheap.report.revision_words import (
    benchmark_summary,
    change_text,
    is_worth_showing,
    spread_text,
    value_text,
)
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_REMEDY,
    cut,
    labelled,
    line,
    pad,
    wrap,
)
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from whyheap.model.benchmark import BenchmarkSample, Comparison

_SHOWN: Final = 10
_UNIT_WIDTH: Final = 10
_STYLES: Final = {BenchmarkChange.MORE: "red", BenchmarkChange.LESS: STYLE_REMEDY}


def benchmark_rows(comparisons: Sequence[Comparison], width: int, *, all_rows: bool) -> list[Text]:
    """Lay out a block labelled BENCH; without `all_rows` only benchmarks whose memory is not equal, the first ten."""
    if not comparisons:
        return []
    groups = [list(rows) for _, rows in groupby(comparisons, key=lambda one: (one.package, one.benchmark))]
    wanted = groups if all_rows else [rows for rows in groups if is_worth_showing(rows)]
    shown = wanted if all_rows else wanted[:_SHOWN]
    rows = [line(part) for part in wrap(benchmark_summary(comparisons), width - LABEL_WIDTH)]
    for group in shown:
        rows.append(line((cut(group[0].benchmark, width - LABEL_WIDTH), STYLE_PLACE)))
        rows += [_row(one, width - LABEL_WIDTH) for one in group]
    if len(shown) < len(groups):
        rows.append(line((f"... {format_count(len(groups) - len(shown))} more (--all)", STYLE_QUIET)))
    return labelled("BENCH", rows)


def _row(one: Comparison, width: int) -> Text:
    old, new = (_side(side, one.unit) for side in (one.before, one.after))
    row = line("  ", pad(cut(one.unit, _UNIT_WIDTH), _UNIT_WIDTH), f" {old:>15} -> {new:>15}  ")
    style = STYLE_QUIET if one.is_information else _STYLES.get(one.change, "")
    return row.append(cut(change_text(one), max(width - row.cell_len, 8)), style)


def _side(sample: BenchmarkSample | None, unit: str) -> str:
    return f"{value_text(sample.median, unit)} {spread_text(sample)}".rstrip() if sample is not None else "-"
