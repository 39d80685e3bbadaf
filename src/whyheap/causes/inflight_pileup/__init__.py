"""In-flight pileup: requests or queue items come faster than they are done, and each that waits holds memory.

What it is: Requests wait for a slow dependency, a lock, a slot of a semaphore or a free connection, or items wait in a
queue for a consumer that is slower than their source. Each is on its way and would end, but there are more of them
every second, with the bodies and buffers they have read already.

How to tell: Goroutines under one entry point (a handler, the function of a worker) rise in number and memory rises with
them. They wait for something that ends: an answer over the network, a sleep, a turn that others of them have right
now. For a queue: items that are sent on a channel hold more and more bytes, though some of them are freed.

What tells it apart: In a goroutine-leak nothing will ever wake them: no other is at work further on, none of what was
allocated for them is free again. With live-heap-growth nothing waits. When the load stops, a pileup drains.

What to do: Bound what may be in flight: refuse (429, 503) or make the source wait once the bound is reached, before
the body is read. Give each wait a deadline and end it when the client has gone. Then make the slow part faster.

When to leave it: The burst is short and known, and its largest number times the bytes of each fits the limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.goroutine_piles import Pile, heap_bytes_each, lines_of, piles, stack_bytes_each
from whyheap.causes.goroutine_progress import Progress, progress
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.verdict_words import limit_statement, line_statements, until_the_limit
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count, format_rate, format_share

CAUSE = Cause("inflight-pileup", "Work in flight piles up", __doc__)

PILES_SHOWN = 3
LEAST_FREED_SHARE = 0.05
LEAST_LINE_SHARE = 0.05
SAFE_SHARE = 0.9
_SENT = "channel-send"
_TENFOLD = 10


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when goroutines that are on their way, or items on a channel, grow in number."""
    moving = [(pile, why) for pile in piles(history) if (why := progress(history, pile)) is not None]
    if moving:
        return _of_goroutines(history, moving)
    return _of_items(history, taken)


def _of_goroutines(history: RuntimeHistory, moving: Sequence[tuple[Pile, Progress]]) -> CauseVerdict:
    found = [pile for pile, _ in moving]
    count = sum(pile.group.count for pile in found)
    rate = sum(pile.per_second for pile in found)
    stacks = stack_bytes_each(history) * sum(pile.count for pile in found)
    lines = lines_of(history, found)
    heap = float(sum(line.after_bytes for line in lines))
    if not history.grown_lines:
        heap = heap_bytes_each(history, rate) * count
    size = int(stacks + heap)
    whole = (history.live.bytes or history.last.get("heap_alloc", 0.0)) + history.last.get("stack_inuse", 0.0)
    evidence = [statement for pile, why in moving[:PILES_SHOWN] for statement in _statements(pile, why)]
    each = f"each holds about {format_bytes(size / count)}: {format_bytes(stacks / count)} of stacks"
    evidence.append(Statement(f"{each}, {format_bytes(heap / count)} of heap", Certainty.INFERRED))
    evidence += [*line_statements(lines, "for them"), limit_statement(history)]
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED,
        size,
        min(size / whole, 1.0) if whole else 0.0,
        _summary(history, moving, count, rate),
        tuple(evidence),
        tuple(_advice(history, moving, count, stacks, heap)),
    )


def _kind(found: Sequence[Pile]) -> str:
    return "requests" if all(pile.is_request for pile in found) else "goroutines"


def _summary(history: RuntimeHistory, moving: Sequence[tuple[Pile, Progress]], count: int, rate: float) -> str:
    worst, why = moving[0]
    place = worst.blocked_at.position
    waits = f"for an answer at {place}" if why.answer else f"at {place} ({worst.group.state})"
    more = f"{rate:.1f}" if rate < _TENFOLD else f"{rate:.0f}"
    kind = _kind([pile for pile, _ in moving])
    text = f"{format_count(count)} {kind} of {worst.entry.function} wait {waits}, {more} more a second than end"
    trend = history.live_trend
    forecast = forecast_limit(history, trend.slope) if trend is not None and trend.grows else None
    return f"{text}{until_the_limit(history, forecast)}"


def _statements(pile: Pile, why: Progress) -> list[Statement]:
    site = pile.blocked_at
    text = (
        f"{format_count(pile.group.count)} wait at {site.position} in {site.function} ({pile.group.state})"
        f"{pile.rise_words}"
    )
    if pile.is_request:
        text = f"{text}; each is a request that {pile.entry.function} handles"
    elif pile.entry != site and pile.own:
        text = f"{text}; they were started as {pile.entry.symbol}"
    statements = [Statement(text, Certainty.MEASURED, site), *why.evidence]
    if why.clients is not None:
        gone = max(pile.group.count - why.clients, 0)
        text = "their clients still wait"
        if gone > pile.group.count / 2:
            text = f"about {format_count(gone)} of their clients have gone, or sent a body that was not read"
        statements.append(Statement(text, Certainty.INFERRED))
    return statements


def _advice(
    history: RuntimeHistory, moving: Sequence[tuple[Pile, Progress]], count: int, stacks: float, heap: float
) -> list[str]:
    worst, why = moving[0]
    kind = _kind([pile for pile, _ in moving])
    others = "answer 503 to the others before their body is read" if kind == "requests" else "let the source wait"
    each = (stacks + heap * (1 + history.pacing.ratio)) / count  # as far as the heap may grow before it is collected
    advice = []
    limit = history.limit
    fits = 0
    if limit is not None and each >= 1:
        fits = int((SAFE_SHARE * limit.bytes - max(limit.usage_bytes - each * count, 0.0)) / each)
    if fits >= 1:
        bound = fits // _TENFOLD * _TENFOLD or fits
        advice.append(
            f"{worst.entry.function}: let at most about {format_count(bound)} in at once: that fits the limit; {others}"
        )
    else:
        advice.append(f"{worst.entry.function}: bound how many are in at once; {others}")
    place = worst.blocked_at.position
    if why.answer:
        advice.append(f"{place}: pass the request's context and set a timeout, so that a slow answer lets go")
    elif why.ahead is not None:
        advice.append(f"{why.ahead.position}: what runs here decides how fast they drain: make it shorter or wider")
    if kind == "requests" and not why.answer:
        advice.append(f"{place}: select on the request's context, so that this ends when the client has gone")
    return advice


def _of_items(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name items that wait on a channel: the source tells that they are sent, the profile that some are freed."""
    trend = history.live_trend
    claimed = {statement.site for verdict in taken for statement in verdict.evidence if statement.site}
    total = sum(line.grown_bytes for line in history.grown_lines)
    lines = [
        line
        for line in history.grown_lines
        if line.pattern == _SENT and line.site not in claimed and line.grown_bytes >= LEAST_LINE_SHARE * total
    ]
    allocated = sum(line.allocated_bytes for line in lines)
    grown = sum(line.grown_bytes for line in lines)
    if trend is None or not trend.grows or not lines or not allocated:
        return None
    freed = 1.0 - grown / allocated
    if freed < LEAST_FREED_SHARE:
        return None
    size = sum(line.after_bytes for line in lines)
    live = max(history.live.bytes or 0.0, 1.0)
    forecast = forecast_limit(history, trend.slope)
    text = f"items {lines[0].reason} wait for their receiver: {format_bytes(size)}"
    text = f"{text}, {format_rate(grown / max(history.seconds, 1.0))} more"
    evidence = [
        Statement(f"{lines[0].place}: what is allocated here is {lines[0].reason}", Certainty.STATED),
        Statement(
            f"{format_share(freed)} of what was allocated there in the window is free again: the receiver is at work, "
            "and slower than the senders",
            Certainty.MEASURED,
        ),
        *line_statements(lines, "for items that wait"),
        limit_statement(history),
    ]
    return CauseVerdict(
        CAUSE.slug,
        Certainty.INFERRED,
        size,
        min(size / live, 1.0),
        f"{text}{until_the_limit(history, forecast)}",
        tuple(evidence),
        tuple(_advice_for_items(history, lines)),
    )


def _advice_for_items(history: RuntimeHistory, lines: Sequence[LineGrowth]) -> list[str]:
    objects = sum(line.objects for line in lines)
    each = sum(line.after_bytes for line in lines) / objects if objects else 0.0
    room = ""
    if each and history.limit is not None:
        spare = SAFE_SHARE * history.limit.bytes - max(history.limit.usage_bytes - _heap_cost(history, lines), 0.0)
        fits = int(spare / (each * (1 + history.pacing.ratio)))
        if fits >= 1:
            room = f" about {format_count(fits)} items of {format_bytes(each)} fit the limit;"
    return [
        f"give the channel less room:{room or ' as much as fits memory;'} beyond that let senders wait, or drop items",
        "receive faster: more receivers, or items in batches",
    ]


def _heap_cost(history: RuntimeHistory, lines: Sequence[LineGrowth]) -> float:
    """Return what the items take with the headroom that the collector gives to them."""
    return sum(line.after_bytes for line in lines) * (1 + history.pacing.ratio)
