"""What `whyheap scan --functions` prints: a table for people, JSON lines for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from whyheap.model.machine_code import Allocates
from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_PLACE,
    STYLE_QUIET,
    STYLE_STRONG,
    apart,
    cut,
    cut_place,
    labelled,
    line,
    pad,
    render,
    short_symbol,
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from whyheap.model.function_verdict import FunctionVerdict
    from whyheap.model.gauge import Gap

_SHOWN: Final = 25
_WIDEST_PLACE: Final = 32
_WIDEST_FUNCTION: Final = 28
_WORDS: Final = {
    Allocates.ALWAYS: ("allocates each time", "allocate each time"),
    Allocates.MAY: ("may allocate", "may allocate"),
    Allocates.UNKNOWN: ("calls what is not known", "call what is not known"),
    Allocates.NEVER: ("never allocates", "never allocate"),
}


def function_verdicts_to_jsonl(verdicts: Iterable[FunctionVerdict]) -> bytes:
    """Render one JSON object a function and line."""
    return msgspec.json.Encoder().encode_lines([_row(verdict) for verdict in verdicts])


def function_verdicts_to_terminal(
    verdicts: Sequence[FunctionVerdict], gaps: Iterable[Gap], *, width: int, color: bool, all_rows: bool
) -> str:
    """Render the counts and the functions, those that allocate each time first. No line is wider than `width`."""
    width = max(width, NARROWEST)
    tables = (_table(verdicts, kind, width, all_rows=all_rows) for kind in _WORDS)
    return render(apart([_counts(verdicts, width), *tables, gap_rows(gaps, width)]), width, color=color)


def _counts(verdicts: Sequence[FunctionVerdict], width: int) -> list[Text]:
    counts = Counter(verdict.allocates for verdict in verdicts)
    parts = [
        f"{format_count(counts[kind])} {words[counts[kind] != 1]}" for kind, words in _WORDS.items() if counts[kind]
    ]
    word = "function" if len(verdicts) == 1 else "functions"
    text = f"{format_count(len(verdicts))} {word}, callees included: {', '.join(parts)}" if parts else "no functions"
    return labelled("FUNCS", [line((part, STYLE_STRONG)) for part in wrap(text, width - LABEL_WIDTH)])


def _table(verdicts: Sequence[FunctionVerdict], kind: Allocates, width: int, *, all_rows: bool) -> list[Text]:
    found = [verdict for verdict in verdicts if verdict.allocates is kind]
    shown = found if all_rows else found[: _SHOWN if kind is Allocates.ALWAYS else 0]
    if not shown:
        return []
    places = [cut_place(one.site.file, one.site.line, _WIDEST_PLACE) for one in shown]
    names = [cut(one.site.function, _WIDEST_FUNCTION) for one in shown]
    place_width, name_width = max(map(len, places)), max(map(len, names))
    room = max(width - LABEL_WIDTH - place_width - name_width - 4, 1)
    rows = [line((f" {_WORDS[kind][1]}", STYLE_QUIET))]
    rows += [
        line(
            " " * LABEL_WIDTH,
            (pad(place, place_width), STYLE_PLACE),
            "  ",
            pad(name, name_width),
            "  ",
            (cut(_through(one), room), STYLE_QUIET),
        )
        for place, name, one in zip(places, names, shown, strict=True)
    ]
    if len(found) > len(shown):
        more = f"... {format_count(len(found) - len(shown))} more (--all)"
        rows.append(line(" " * LABEL_WIDTH, (more, STYLE_QUIET)))
    return rows


def _through(verdict: FunctionVerdict) -> str:
    """Return the calls that lead to the allocator, which is told by its name alone: it is always the runtime's."""
    return " > ".join(short_symbol(symbol).removeprefix("runtime.") for symbol in verdict.via)


def _row(verdict: FunctionVerdict) -> dict[str, object]:
    site = verdict.site
    return {
        "file": site.file,
        "line": site.line,
        "function": site.function,
        "package": site.package,
        "allocates": verdict.allocates.value,
        "alone": verdict.alone.value,
        "via": list(verdict.via),
        "calls": verdict.calls,
        "symbol": verdict.symbol,
    }
