"""Subslice retention: a small view of a large array is kept, and with it the whole array.

What it is: A slice, a substring or a pointer to an element is an address within an array; as long as one of them is
kept, the collector keeps all of the array. Ten bytes of a header cut out of a buffer hold the buffer.

How to tell: The live heap rises at a line that makes large arrays, and by the compiler's word what leads from there to
the heap is a part of the array: page[:64], text[5:17], &rows[0].

What tells it apart: With live-heap-growth and unbounded-cache all of what is kept is wanted. A read buffer that is cut
to what was read (buffer[:n]) is not meant: nearly all of it is used. Where the source was not scanned nobody tells what
part is kept, and live-heap-growth is named.

What to do: Keep a copy of the part: bytes.Clone, strings.Clone, slices.Clone, a copy of the struct. The array is then
free as soon as it has been read.

When to leave it: Most of the array is kept by other views anyway, or arrays are few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.growing_lines import (
    bought_time,
    grown_size,
    growth_summary,
    line_statement,
    live_statement,
    matters,
    setting_statements,
    share_of_live,
    shown,
    unclaimed,
)
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.trend import Trend
from whyheap.model.facts import CompilerFact
from whyheap.model.finding import Certainty, Finding
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count

CAUSE = Cause("subslice-retention", "Small views keep large arrays", __doc__)

LEAST_ARRAY_BYTES = 512.0
LEAST_RATIO = 4.0
"""Array to view, where the size of the view is known."""

LONGEST_EXPRESSION = 200
"""Characters of an expression that is looked at; a longer one is no plain slice."""

_HEAP = "{heap}"
_SLICE = re.compile(r"([\w.()*\[\]]*\w[)\]]?)\[([^\[\]:]*):([^\[\]:]*)(?::[^\[\]:]*)?\]")
_ELEMENT = re.compile(r"&(\w[\w.]*)\[(\d+|len\(\1\) ?- ?\d+)\](?:\.\w+)*")
_NUMBER = re.compile(r"\d+")
_FROM_END = re.compile(r"len\(.*\) ?- ?(\d+)")


@dataclass(frozen=True, slots=True)
class _View:
    """What of a line's array is kept: the source's words, and its length in elements where these tell it."""

    text: str
    length: int | None
    is_element: bool
    is_string: bool


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when lines that grow make large arrays of which only a part leads to the heap."""
    trend = history.live_trend
    found = _findings_by_line(history)
    views = {line: view for line in unclaimed(history, taken) if (view := _view(found, line)) is not None}
    if trend is None or not matters(history, views):
        return None
    lines = shown(history, views)
    if not lines:
        return None
    size = grown_size(history, trend, list(views))
    first = views[lines[0]]
    return CauseVerdict(
        CAUSE.slug,
        Certainty.INFERRED,
        size,
        share_of_live(history, size),
        growth_summary(history, trend, f"{first.text} keeps the whole array, {format_bytes(size)}; live heap grows"),
        tuple(_evidence(history, trend, lines, views)),
        tuple(_advice(history, trend, lines, views)),
    )


def _findings_by_line(history: RuntimeHistory) -> dict[tuple[str, int], list[Finding]]:
    found: dict[tuple[str, int], list[Finding]] = {}
    for finding in history.findings:
        found.setdefault((finding.site.file, finding.site.line), []).append(finding)
    return found


def _view(found: dict[tuple[str, int], list[Finding]], line: LineGrowth) -> _View | None:
    """Return the small part of the line's array that is kept; None when all of it is, or nobody tells."""
    if not line.objects or line.after_bytes / line.objects < LEAST_ARRAY_BYTES:
        return None
    array = line.after_bytes / line.objects
    for finding in found.get((line.site.file, line.site.line), ()):
        for fact in finding.facts:
            view = _of_fact(fact)
            if view is not None and (view.length is None or view.is_element or view.length * LEAST_RATIO <= array):
                return view
    return None


def _of_fact(fact: CompilerFact) -> _View | None:
    if not fact.flow or fact.flow[-1].to != _HEAP:
        return None
    is_string = fact.subject.startswith("string(") or '"' in fact.subject
    for expression, reason in _steps(fact):
        if reason == "slice":
            return _part(expression, is_string=is_string)
        element = _ELEMENT.fullmatch(expression) if reason == "address-of" else None
        if element is not None:
            return _View(expression, 1, is_element=True, is_string=False)
    return None


def _steps(fact: CompilerFact) -> Iterator[tuple[str, str]]:
    for flow in fact.flow:
        for step in flow.steps:
            if len(step.expr) <= LONGEST_EXPRESSION:
                yield step.expr, step.reason


def _part(expression: str, *, is_string: bool) -> _View | None:
    """Return the view of a slice expression; a buffer cut to a variable length is none: it may be nearly all of it."""
    bounds = _SLICE.fullmatch(expression)
    if bounds is None:
        return None
    low, high = bounds[2].strip(), bounds[3].strip()
    length = _length(low, high)
    if length is None and not is_string and (low in {"", "0"} or not high):
        return None
    return _View(expression, length, is_element=False, is_string=is_string)


def _length(low: str, high: str) -> int | None:
    """Return how many elements `[low:high]` has, where the source says so in numbers."""
    if _NUMBER.fullmatch(high) and (not low or _NUMBER.fullmatch(low)):
        return max(int(high) - int(low or 0), 0)
    from_end = _FROM_END.fullmatch(low)
    return int(from_end[1]) if from_end is not None and not high else None


def _evidence(
    history: RuntimeHistory, trend: Trend, lines: Sequence[LineGrowth], views: dict[LineGrowth, _View]
) -> list[Statement]:
    statements = [live_statement(history, trend)]
    for line in lines:
        view, array = views[line], format_bytes(line.after_bytes / line.objects)
        statements.append(line_statement(history, line))
        statements.append(
            Statement(f"of what is allocated here only {view.text} leads to the heap", Certainty.STATED, line.site)
        )
        text = f"{_size(view)} of each array would do, and {array} are kept: about {format_count(line.objects)} times"
        statements.append(Statement(text, Certainty.INFERRED, line.site))
    return [*statements, *setting_statements(history)]


def _size(view: _View) -> str:
    if view.is_element:
        return "one element"
    if view.length is None:
        return "a part"
    return f"{view.length} {'bytes' if view.is_string else 'elements'}"


def _advice(
    history: RuntimeHistory, trend: Trend, lines: Sequence[LineGrowth], views: dict[LineGrowth, _View]
) -> list[str]:
    advice = []
    for line in lines[:2]:
        view = views[line]
        if view.is_element:
            text = f"keep a copy of the element rather than {view.text}"
        else:
            text = f"keep strings.Clone({view.text})" if view.is_string else f"keep slices.Clone({view.text})"
        advice.append(f"{line.place}: {text}: the array is then free again")
    return [*advice, *bought_time(history, trend, forecast_limit(history, trend.slope))]
