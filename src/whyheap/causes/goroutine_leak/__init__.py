"""Goroutine leak: goroutines are started faster than they end, because they wait for what never comes.

What it is: A goroutine blocks on a channel that nobody serves any more, on a lock, a WaitGroup or a connection without
a deadline, and never ends. It keeps its stack (2 KiB at least), all that its variables reach, and what it was to hand
over.

How to tell: The number of goroutines with one and the same stack rises over the window, and they are all blocked. Stack
memory rises with it, and as a rule the live heap as well.

What tells it apart: A burst of requests drains again; a pool of workers stops at its size. With live-heap-growth the
bytes grow while the number of goroutines does not. Goroutines that wait for the network may be open connections: a
client that keeps too many, or a server without idle timeout.

What to do: Give each wait a way out: a context's Done channel in the select, a buffered channel so that a late sender
need not block, a deadline on the connection, a receiver until the channel is closed. Limit how many are started at
once.

When to leave it: They wait for work on purpose and their number has a bound that fits memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.trend import Trend, judge_trend
from whyheap.causes.verdict_words import limit_statement, spell_forecast
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Certainty
from whyheap.model.site import Site, Stack
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count, format_duration

CAUSE = Cause("goroutine-leak", "Goroutines pile up", __doc__)

LEAST_RISE = 10.0
"""Fewer goroutines than this, gained in a window, are not called a leak."""
SMALLEST_STACK_BYTES = 2048  # runtime/stack.go, stackMin
STACKS_SHOWN = 3
MAIN_SHARE = 0.5

_RUNNING = ("running", "syscall")
_CLOSURE = re.compile(r"(?:\.func\d+|\.gowrap\d+|\.\d+|-fm|-range\d+)+$")
_WAY_OUT = {
    "chan send": "let the send end without a receiver: select on a context's Done, or give the channel a buffer",
    "chan receive": "let the receive end without a sender: select on a context's Done, or close the channel",
    "chan send or receive": "give this wait a way out: select on a context's Done, or close the channel",
    "select": "give this select a way out: a case on a context's Done",
    "select (no cases)": "this select never ends: return when a context is done",
    "IO wait": "set deadlines or an idle timeout on the connection",
    "sync.Mutex.Lock": "look for who holds this lock while it waits itself",
    "sync.WaitGroup.Wait": "look for the Done that is never called",
    "sync.Cond.Wait": "look for the Signal or Broadcast that never comes",
    "sleep": "start fewer of these at once, or let them end early",
}


@dataclass(frozen=True, slots=True)
class _Pile:
    """Blocked goroutines with one stack whose number grows."""

    group: GoroutineGroup
    trend: Trend
    own: tuple[Site, ...]
    leaf: Site

    @property
    def blocked_at(self) -> Site:
        """The user's line that waits; the leaf where there is none."""
        return self.own[0] if self.own else self.leaf


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged first
    """Name the cause when the number of goroutines blocked at the same stack grows."""
    piles = _piles(history)
    if not piles:
        return None
    count = sum(pile.group.count for pile in piles)
    rate = sum(pile.trend.slope.value for pile in piles)
    stack_bytes = _stack_bytes_each(history) * count
    lines = [line for line in history.grown_lines if _allocates_for(line, piles)]
    heap_bytes = float(sum(line.after_bytes for line in lines))
    each_heap = _heap_bytes_each(history, rate) if not history.grown_lines else 0.0
    size = int(stack_bytes + heap_bytes + each_heap * count)
    live = history.live.bytes or history.last.get("heap_alloc", 0.0)
    whole = live + history.last.get("stack_inuse", 0.0)
    evidence = [*_pile_statements(piles), _stack_statement(history, stack_bytes, count), *_line_statements(lines)]
    if each_heap:
        text = f"the live heap grows with them, by about {format_bytes(each_heap)} for each"
        evidence.append(Statement(text, Certainty.INFERRED))
    evidence.append(limit_statement(history))
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED,
        size,
        min(size / whole, 1.0) if whole else 0.0,
        _summary(history, lines, count, rate, piles[0]),
        tuple(evidence),
        tuple(dict.fromkeys(_advice(pile) for pile in piles[:STACKS_SHOWN])),
    )


def _piles(history: RuntimeHistory) -> list[_Pile]:
    """Return what piles up, the fastest first."""
    with_stacks = [sample for sample in history.samples if sample.goroutines]
    if not with_stacks:
        return []
    piles = []
    for group in with_stacks[-1].goroutines:
        if not group.stack or group.state in _RUNNING or group.count < LEAST_RISE:
            continue
        points = [(sample.seconds, float(_count(sample.goroutines, group.stack))) for sample in with_stacks]
        trend = judge_trend(points, LEAST_RISE)
        if trend is not None and trend.grows:
            located = [history.locate(site) for site in group.stack]
            piles.append(_Pile(group, trend, tuple(site for site, own in located if own), located[0][0]))
    return sorted(piles, key=lambda pile: -pile.trend.slope.value)


def _count(groups: Iterable[GoroutineGroup], stack: Stack) -> int:
    return sum(group.count for group in groups if group.stack == stack)


def _stack_bytes_each(history: RuntimeHistory) -> float:
    """Return what one goroutine's stack takes: by how stack memory rose with their number, at least the minimum."""
    first = next((sample.values for sample in history.samples if "goroutines" in sample.values), {})
    more = history.last.get("goroutines", 0.0) - first.get("goroutines", 0.0)
    if more <= 0:
        return SMALLEST_STACK_BYTES
    grown = history.last.get("stack_inuse", 0.0) - first.get("stack_inuse", 0.0)
    return max(grown / more, SMALLEST_STACK_BYTES)


def _heap_bytes_each(history: RuntimeHistory, goroutines_per_second: float) -> float:
    """Return how many bytes the live heap gains with each goroutine, when both grow."""
    trend = history.live_trend
    return trend.slope.value / goroutines_per_second if trend is not None and trend.grows else 0.0


def _allocates_for(line: LineGrowth, piles: Sequence[_Pile]) -> bool:
    """Whether the line belongs to a function of a blocked stack, or to the one whose closure was started."""
    functions = {
        (site.package, name)
        for pile in piles
        for site in pile.own
        for name in (site.function, _enclosing(site.function))
        if name != "main"
    }
    return (line.site.package, line.site.function) in functions


def _enclosing(function: str) -> str:
    """Return the function that a closure stands in: `(*T).M.func1.2` -> `(*T).M`."""
    return _CLOSURE.sub("", function)


def _summary(history: RuntimeHistory, lines: Sequence[LineGrowth], count: int, rate: float, worst: _Pile) -> str:
    text = f"{format_count(count)} goroutines are blocked at {worst.blocked_at.position} ({worst.group.state})"
    if worst.group.count < count:
        text = f"{format_count(count)} goroutines pile up, most at {worst.blocked_at.position} ({worst.group.state})"
    text = f"{text}, {rate:.1f} more a second" if rate < 10 else f"{text}, {rate:.0f} more a second"  # noqa: PLR2004
    trend, grown = history.live_trend, sum(line.grown_bytes for line in history.grown_lines)
    if trend is None or not trend.grows or sum(line.grown_bytes for line in lines) < MAIN_SHARE * grown:
        return text  # when the limit is reached is for the cause to say that fills most of the heap
    forecast = forecast_limit(history, trend.slope)
    return f"{text}: the limit is reached in {spell_forecast(forecast)}" if forecast else text


def _pile_statements(piles: Sequence[_Pile]) -> list[Statement]:
    statements = []
    for pile in piles[:STACKS_SHOWN]:
        site = pile.blocked_at
        text = (
            f"{format_count(pile.group.count)} goroutines wait at {site.position} in {site.function} "
            f"({pile.group.state}), {format_count(pile.trend.rise)} more in {format_duration(pile.trend.seconds)}"
        )
        if len(pile.own) > 1:
            text = f"{text}; they were started as {pile.own[-1].symbol}"
        statements.append(Statement(text, Certainty.MEASURED, site))
    return statements


def _stack_statement(history: RuntimeHistory, stack_bytes: float, count: int) -> Statement:
    text = (
        f"their stacks take about {format_bytes(stack_bytes)}, {format_bytes(stack_bytes / count)} each; "
        f"all stacks together take {format_bytes(history.last.get('stack_inuse', 0.0))}, "
        "which the heap goal counts once more"
    )
    return Statement(text, Certainty.INFERRED)


def _line_statements(lines: Sequence[LineGrowth]) -> list[Statement]:
    return [
        Statement(
            f"{line.place} holds {format_bytes(line.after_bytes)} for them, "
            f"{format_bytes(line.grown_bytes)} more than before",
            Certainty.INFERRED,
            line.site,
        )
        for line in lines
    ]


def _advice(pile: _Pile) -> str:
    way_out = _WAY_OUT.get(pile.group.state, "let this wait end when its caller has given up")
    return f"{pile.blocked_at.position}: {way_out}"
