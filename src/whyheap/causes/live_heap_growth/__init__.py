"""Live heap growth: objects stay reachable, and every collection finds more of them.

What it is: The program keeps what it should let go: a map or slice that only gains entries, a cache without a bound, a
list of listeners or sessions that nobody removes. The collector works as it should; it may not free what can still be
reached.

How to tell: The live heap after each collection rises steadily over the window. Between collections the heap rises in
any program, so only the points just after a collection count. In two heap profiles the same lines hold more bytes in
the second.

What tells it apart: A warm-up levels off; a cache with a bound stays at it; a burst comes down again at the next
collection. If goroutines grow with the heap and hold it, the cause is goroutine-leak or inflight-pileup. Where it is
known what keeps the values, a nearer cause is named: unbounded-cache, timer-leak, finalizer-backlog,
subslice-retention. If the live heap is level and only the heap's peak is too high, it is gc-headroom.

What to do: Find the line that grows and what keeps its values: bound the cache, delete entries when they end, cut the
slice's reference to its array. GOMEMLIMIT or a lower GOGC only buy time: they collect garbage, and this is not garbage.

When to leave it: The structure is meant to grow, its final size is known, and that size with the collector's headroom
(twice under GOGC=100) fits the limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import Forecast, forecast_limit
from whyheap.causes.growing_lines import (
    LEAST_OWN_SHARE,
    bought_time,
    growth_summary,
    line_statement,
    live_statement,
    setting_statements,
    share_of_live,
    unclaimed,
)
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.trend import Trend
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement

CAUSE = Cause("live-heap-growth", "Live heap grows", __doc__)

LINES_SHOWN = 3
LEAST_LINE_SHARE = 0.05
_SAYS_NOTHING = frozenset(
    {
        "allocates, and the compiler does not say why",
        "allocates; its source was not read, so the reason is not known",
    }
)


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when the live heap grows by more than what the causes in `taken` already hold."""
    trend = history.live_trend
    if trend is None or not trend.grows or history.live.bytes is None:
        return None
    own_share = 1.0 - explained_share(history, taken)
    if own_share < LEAST_OWN_SHARE:
        return None
    lines = growing_lines(history, taken)
    held = sum(line.after_bytes for line in lines)
    size = int(max(trend.rise * own_share, held))
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if history.live.by_goal and history.gogc_is_known else Certainty.INFERRED,
        size,
        share_of_live(history, size),
        growth_summary(history, trend),
        tuple(_evidence(history, trend, lines)),
        tuple(_advice(history, trend, forecast_limit(history, trend.slope), lines)),
    )


def explained_share(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> float:
    """Return how much of the live heap's growth belongs to lines that other causes name, 0..1."""
    total = sum(line.grown_bytes for line in history.grown_lines)
    if total:
        return 1.0 - sum(line.grown_bytes for line in unclaimed(history, taken)) / total
    rise = history.live_trend.rise if history.live_trend else 0.0
    return min(sum(verdict.bytes for verdict in taken) / rise, 1.0) if rise > 0 else 0.0


def growing_lines(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> list[LineGrowth]:
    """Return the lines that grew most and that no other cause names."""
    lines = unclaimed(history, taken)
    total = sum(line.grown_bytes for line in lines)
    return [line for line in lines[:LINES_SHOWN] if line.grown_bytes >= LEAST_LINE_SHARE * total]


def _evidence(history: RuntimeHistory, trend: Trend, lines: Sequence[LineGrowth]) -> list[Statement]:
    statements = [live_statement(history, trend)]
    for line in lines:
        statements.append(line_statement(history, line))
        reason = line.reason or _reason(history, line)
        if reason and reason not in _SAYS_NOTHING:
            statements.append(Statement(reason, Certainty.STATED, line.site))
    return [*statements, *setting_statements(history)]


def _reason(history: RuntimeHistory, line: LineGrowth) -> str:
    """Return why the line's value is kept, in the words of its finding."""
    for finding in history.findings:
        if (finding.site.file, finding.site.line) == (line.site.file, line.site.line):
            return finding.message
    return ""


def _advice(history: RuntimeHistory, trend: Trend, forecast: Forecast | None, lines: Sequence[LineGrowth]) -> list[str]:
    advice = [f"{line.place}: bound or empty what keeps these values; it only grows" for line in lines[:1]]
    if not lines:
        advice.append("find the line that grows: compare two heap profiles taken further apart (--seconds)")
    return [*advice, *bought_time(history, trend, forecast)]
