"""Goroutine leak: goroutines are started faster than they end, because they wait for what never comes.

What it is: A goroutine blocks on a channel that nobody serves any more, on a lock, a WaitGroup or a connection without
a deadline, and never ends. It keeps its stack (2 KiB at least), all that its variables reach, and what it was to hand
over.

How to tell: The number of goroutines with one and the same stack rises over the window, and they are all blocked. Stack
memory rises with it, and as a rule the live heap as well. From Go 1.27 on the runtime can prove it
(--goroutineleak, which forces a collection): what they wait for is reachable from nowhere else. What it does not find
may be leaked as well.

What tells it apart: A burst of requests drains again; a pool of workers stops at its size. With live-heap-growth the
bytes grow while the number of goroutines does not. With inflight-pileup the goroutines would end by themselves, only
not soon enough: others of them are at work further on, or some have ended in the window. Goroutines that wait for the
network may be open connections: a client that keeps too many, or a server without idle timeout.

What to do: Give each wait a way out: a context's Done channel in the select, a buffered channel so that a late sender
need not block, a deadline on the connection, a receiver until the channel is closed. Limit how many are started at
once.

When to leave it: They wait for work on purpose and their number has a bound that fits memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.goroutine_piles import Pile, heap_bytes_each, lines_of, piles, stack_bytes_each
from whyheap.causes.goroutine_progress import progress
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.verdict_words import limit_statement, line_statements, until_the_limit
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count

CAUSE = Cause("goroutine-leak", "Goroutines pile up", __doc__)

STACKS_SHOWN = 3
MAIN_SHARE = 0.5

_WAY_OUT = {
    "chan send": "let the send end without a receiver: select on a context's Done, or give the channel a buffer",
    "chan receive": "let the receive end without a sender: select on a context's Done, or close a channel of your own",
    "chan send or receive": "give this wait a way out: select on a context's Done, or close a channel of your own",
    "select": "give this select a way out: a case on a context's Done",
    "select (no cases)": "this select never ends: return when a context is done",
    "IO wait": "set deadlines or an idle timeout on the connection",
    "sync.Mutex.Lock": "look for who holds this lock while it waits itself",
    "sync.RWMutex.Lock": "look for who holds this lock while it waits itself",
    "sync.RWMutex.RLock": "look for who holds this lock while it waits itself",
    "sync.WaitGroup.Wait": "look for the Done that is never called",
    "sync.Cond.Wait": "look for the Signal or Broadcast that never comes",
    "sleep": "start fewer of these at once, or let them end early",
}
_WAY_OUT_BY_ROOT = {
    "net/http.(*persistConn).readLoop": "read each response's body to its end and close it, also after an error",
    "net/http.(*persistConn).writeLoop": "read each response's body to its end and close it, also after an error",
}


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged first
    """Name the cause when goroutines blocked at one stack grow in number and none ends, or are proven to be leaked."""
    stuck = tuple(pile for pile in piles(history) if progress(history, pile) is None)
    if not stuck:
        return None
    count = sum(pile.count for pile in stuck)
    rate = sum(pile.per_second for pile in stuck)
    stack_bytes = stack_bytes_each(history) * count
    lines = lines_of(history, stuck)
    heap_bytes = float(sum(line.after_bytes for line in lines))
    each_heap = heap_bytes_each(history, rate) if rate and not history.grown_lines else 0.0
    size = int(stack_bytes + heap_bytes + each_heap * count)
    live = history.live.bytes or history.last.get("heap_alloc", 0.0)
    whole = live + history.last.get("stack_inuse", 0.0)
    evidence = [
        *_pile_statements(stuck),
        _stack_statement(history, stack_bytes, count),
        *line_statements(lines, "for them"),
    ]
    if each_heap:
        text = f"the live heap grows with them, by about {format_bytes(each_heap)} for each"
        evidence.append(Statement(text, Certainty.INFERRED))
    evidence.append(limit_statement(history))
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED,
        size,
        min(size / whole, 1.0) if whole else 0.0,
        _summary(history, lines, count, rate, stuck[0]),
        tuple(evidence),
        tuple(dict.fromkeys(_advice(pile) for pile in stuck[:STACKS_SHOWN])),
    )


def _summary(history: RuntimeHistory, lines: Sequence[LineGrowth], count: int, rate: float, worst: Pile) -> str:
    text = f"{format_count(count)} goroutines are blocked at {worst.blocked_at.position} ({worst.group.state})"
    if worst.count < count:
        text = f"{format_count(count)} goroutines pile up, most at {worst.blocked_at.position} ({worst.group.state})"
    if worst.leaked and not rate:
        return f"{text} for ever: nothing else reaches what they wait for"
    text = f"{text}, {rate:.1f} more a second" if rate < 10 else f"{text}, {rate:.0f} more a second"  # noqa: PLR2004
    trend, grown = history.live_trend, sum(line.grown_bytes for line in history.grown_lines)
    if trend is None or not trend.grows or sum(line.grown_bytes for line in lines) < MAIN_SHARE * grown:
        return text  # when the limit is reached is for the cause to say that fills most of the heap
    forecast = forecast_limit(history, trend.slope)
    return f"{text}{until_the_limit(history, forecast)}"


def _pile_statements(piles: Sequence[Pile]) -> list[Statement]:
    statements = []
    for pile in piles[:STACKS_SHOWN]:
        site = pile.blocked_at
        text = (
            f"{format_count(pile.group.count)} goroutines wait at {site.position} in {site.function} "
            f"({pile.group.state}){pile.rise_words}"
        )
        if pile.leaked:
            text = f"{text}; {format_count(pile.leaked)} of them can never go on, as the runtime's leak detection found"
        elif pile.is_request:
            text = f"{text}, each handling a request; none of them ended in the window, as far as is seen"
        elif pile.entry != site and pile.own:
            text = f"{text}; they were started as {pile.entry.symbol}"
        statements.append(Statement(text, Certainty.MEASURED, site))
    return statements


def _stack_statement(history: RuntimeHistory, stack_bytes: float, count: int) -> Statement:
    text = (
        f"their stacks take about {format_bytes(stack_bytes)}, {format_bytes(stack_bytes / count)} each; "
        f"all stacks together take {format_bytes(history.last.get('stack_inuse', 0.0))}, "
        "which the heap goal counts once more"
    )
    return Statement(text, Certainty.INFERRED)


def _advice(pile: Pile) -> str:
    known = _WAY_OUT_BY_ROOT.get(pile.group.stack[-1].symbol) or _WAY_OUT.get(pile.group.state)
    return f"{pile.blocked_at.position}: {known or 'let this wait end when its caller has given up'}"
