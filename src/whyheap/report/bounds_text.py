"""What `whyheap scan --bounds` prints: a table for people, JSON lines for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from whyheap.report.terminal_text import (
    LABEL_WIDTH,
    NARROWEST,
    STYLE_ALARM,
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
    wrap,
)
from whyheap.report.terminal_verdict import gap_rows
from whyheap.report.visible_text import visible
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from whyheap.model.finding import Finding
    from whyheap.model.gauge import Gap
    from whyheap.model.kept_check import KeptCheck
    from whyheap.model.site import Position

_SHOWN: Final = 25
_WIDEST_PLACE: Final = 32
_HEAD: Final = "  index  slice"


def bounds_to_jsonl(checks: Iterable[KeptCheck], hazards: Iterable[Finding]) -> bytes:
    """Render one JSON object a check, `kind` "bounds", then one a hazard, `kind` "hazard"."""
    rows: list[dict[str, object]] = [_check(one) for one in checks]
    return msgspec.json.Encoder().encode_lines(rows + [_hazard(one) for one in hazards])


def bounds_to_terminal(
    checks: Sequence[KeptCheck],
    hazards: Sequence[Finding],
    gaps: Iterable[Gap],
    *,
    width: int,
    color: bool,
    all_rows: bool,
) -> str:
    """Render the counts, the hazards, and the functions with most checks. No line is wider than `width`."""
    width = max(width, NARROWEST)
    blocks = [
        _counts(checks, hazards, width),
        _hazards(hazards, width, all_rows=all_rows),
        _functions(checks, width, all_rows=all_rows),
        gap_rows(gaps, width),
    ]
    return render(apart(blocks), width, color=color)


def _counts(checks: Sequence[KeptCheck], hazards: Sequence[Finding], width: int) -> list[Text]:
    own = _places(one for one in checks if one.function)
    others = _places(one for one in checks if not one.function)
    kept = f"the compiler kept {_number(len(own), 'bounds check')}"
    beside = f", and {format_count(len(others))} in code of others that is inlined" if others else ""
    risks = f"{_number(len(hazards), 'hazard')} that one confirms" if hazards else "no hazard of the catalogue"
    words = wrap(f"{kept}{beside}; {risks}", width - LABEL_WIDTH)
    return labelled("BOUNDS", [line((part, STYLE_STRONG)) for part in words])


def _places(checks: Iterable[KeptCheck]) -> set[tuple[Position, bool]]:
    """Return the checks as the source has them: what is inlined in many places is one."""
    return {(one.site, one.is_index) for one in checks}


def _number(count: int, noun: str) -> str:
    return f"{format_count(count)} {noun}" if count == 1 else f"{format_count(count)} {noun}s"


def _hazards(hazards: Sequence[Finding], width: int, *, all_rows: bool) -> list[Text]:
    shown = hazards if all_rows else hazards[:_SHOWN]
    rows = [line((" what may panic on input", STYLE_QUIET))] if shown else []
    for one in shown:
        place = visible(f"{one.site.file}:{one.site.line}")
        rows.append(line(" " * LABEL_WIDTH, (place, STYLE_PLACE), "  ", (one.pattern, STYLE_ALARM)))
        rows += [line(" " * (LABEL_WIDTH + 2), part) for part in wrap(one.message, width - LABEL_WIDTH - 2)]
    return rows + _more(len(hazards), len(shown))


def _functions(checks: Sequence[KeptCheck], width: int, *, all_rows: bool) -> list[Text]:
    """Return the functions by their checks, most first: where a guard before a loop pays."""
    groups: dict[tuple[str, str], list[KeptCheck]] = {}
    for one in checks:
        if one.function:
            groups.setdefault((one.site.file, one.function), []).append(one)
    counts = {key: Counter(is_index for _, is_index in _places(group)) for key, group in groups.items()}
    ordered = sorted(counts, key=lambda key: (-counts[key].total(), key))
    shown = ordered if all_rows else ordered[:_SHOWN]
    if not shown:
        return []
    places = [cut_place(key[0], groups[key][0].site.line, _WIDEST_PLACE) for key in shown]
    room = max(map(len, places))
    names = [cut(key[1], max(width - LABEL_WIDTH - len(_HEAD) - room - 4, 1)) for key in shown]
    head = f" {_HEAD}  functions with the most, at the first of them"
    rows = [line((" " * (LABEL_WIDTH - 1) + head, STYLE_QUIET))]
    for key, place, name in zip(shown, places, names, strict=True):
        numbers = "".join(
            f"{format_count(counts[key][kind]) if counts[key][kind] else '-':>7}" for kind in (True, False)
        )
        rows.append(line(" " * LABEL_WIDTH, numbers, "  ", (pad(place, room), STYLE_PLACE), "  ", name))
    return rows + _more(len(ordered), len(shown))


def _more(found: int, shown: int) -> list[Text]:
    if found <= shown:
        return []
    return [line(" " * LABEL_WIDTH, (f"... {format_count(found - shown)} more (--all)", STYLE_QUIET))]


def _check(one: KeptCheck) -> dict[str, object]:
    at, printed = one.site, one.printed_at
    return {
        "kind": "bounds",
        "check": "index" if one.is_index else "slice",
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "function": one.function,
        "package": one.package,
        "inlined_at": None if printed == at else {"file": printed.file, "line": printed.line, "column": printed.column},
    }


def _hazard(one: Finding) -> dict[str, object]:
    site = one.site
    return {
        "kind": "hazard",
        "pattern": one.pattern,
        "id": one.id,
        "file": site.file,
        "line": site.line,
        "column": site.column,
        "function": site.function,
        "package": site.package,
        "message": one.message,
        "fixes": [{"title": fix.title, "kind": fix.kind.value} for fix in one.fixes],
    }
