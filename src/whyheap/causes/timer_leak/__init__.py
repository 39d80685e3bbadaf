"""Timer leak: timers that nobody stops keep what their functions need until they fire.

What it is: time.AfterFunc, context.WithTimeout and tickers put a timer into the runtime's own list. Until it fires or
is stopped it holds its function and all that this reaches: the session it would end, the request in the context. Each
call adds one, and with an hour to wait an hour's worth of them is kept.

How to tell: Lines that make timers hold more and more bytes, one object for each that is kept; the number of timers in
the runtime rises. The values themselves are handed to a timer's function, or are made in the function that starts it.

What tells it apart: With unbounded-cache the program's own map keeps the values. With goroutine-leak a goroutine waits
for each. Since Go 1.23 a timer or ticker that nobody can reach is collected even when it was not stopped; AfterFunc and
contexts with a timeout are not, as their time is still to come (time/sleep.go, context/context.go).

What to do: Stop the timer when what it waits for is over: defer cancel() right behind context.WithTimeout, timer.Stop()
or ticker.Stop() where the session ends. Let the function hold an id rather than the object. Shorter times keep less.

When to leave it: The time is short: what is kept is the rate of calls times that time, and that fits memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.growing_lines import (
    beside,
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
from whyheap.causes.trend import Trend, judge_trend
from whyheap.model.finding import Certainty
from whyheap.model.root import RootKind
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count, format_duration

CAUSE = Cause("timer-leak", "Timers are not stopped", __doc__)

_CONTEXTS = frozenset(
    f"context.{name}" for name in ("WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause")
)
_CHANNELS = frozenset({"time.NewTimer", "time.NewTicker", "time.After", "time.Tick"})
TIMER_CALLS = _CONTEXTS | _CHANNELS | {"time.AfterFunc"}
LEAST_TIMERS = 100.0
LEAST_TIMER_SHARE = 0.25
LEAST_TIMER_BYTES = 1 << 20
"""In use where timers are made, for their number to be more than the chance of one sample (of 512 KiB)."""
LIKELY_RATIO = 5.0
"""Between the number of timers and that of the objects made beside them, both estimated from samples."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Lines whose values timers keep: those that start the timers, those handed to one, those made beside them."""

    starters: tuple[LineGrowth, ...]
    handed: tuple[LineGrowth, ...]
    companions: tuple[LineGrowth, ...]

    @property
    def lines(self) -> list[LineGrowth]:
        return list(dict.fromkeys((*self.handed, *self.companions, *self.starters)))


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when lines that start timers grow with what those hold, or the runtime's timers do."""
    trend = history.live_trend
    if trend is None or not trend.grows:
        return None
    counted = _count_trend(history)
    kept = _kept(unclaimed(history, taken), counted)
    if not matters(history, kept.lines):
        return _by_number(history, trend, counted, taken)
    if counted is not None and not counted.grows and not _calls(kept) & _CHANNELS:
        return None  # the runtime's own list does not grow
    lines = shown(history, kept.lines)
    size = grown_size(history, trend, kept.lines)
    told = bool(kept.starters) or (counted is not None and counted.grows)
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if told and not kept.companions else Certainty.INFERRED,
        size,
        share_of_live(history, size),
        growth_summary(history, trend, f"timers that are not stopped keep {format_bytes(size)}; live heap grows"),
        tuple(_evidence(history, trend, counted, kept, lines)),
        tuple(_advice(history, trend, kept)),
    )


def _kept(lines: Sequence[LineGrowth], counted: Trend | None) -> _Kept:
    starters = [line for line in lines if _timer_bytes(line) > 0]
    handed = [line for line in lines if _handed_to(line)]
    sure = [line for line in starters if _is_sure(line) or (counted is not None and counted.grows)]
    timers = sum(_timer_objects(line) for line in sure)
    companions = [
        line
        for line in beside(lines, sure)
        if line not in handed and timers / LIKELY_RATIO <= line.objects <= timers * LIKELY_RATIO
    ]
    return _Kept(tuple(starters), tuple(handed), tuple(companions))


def _is_sure(line: LineGrowth) -> bool:
    """Whether a line holds timers by more than one sample: their functions, made on the same line, count with them."""
    timers = _timer_bytes(line)
    return line.after_bytes >= LEAST_TIMER_BYTES and timers >= LEAST_TIMER_SHARE * line.after_bytes


def _handed_to(line: LineGrowth) -> str:
    """Return the call that keeps the line's value for a timer, by the compiler's word; "" for none."""
    root = line.root
    return root.title if root is not None and root.kind is RootKind.CALLEE and root.title in TIMER_CALLS else ""


def _timer_bytes(line: LineGrowth) -> int:
    return sum(one.measure.inuse_bytes for one in line.callees if one.callee in TIMER_CALLS)


def _timer_objects(line: LineGrowth) -> int:
    """Return how many timers a line holds: a context is two objects, of which the more frequent leaf is counted."""
    return max((one.measure.inuse_objects for one in line.callees if one.callee in TIMER_CALLS), default=0)


def _calls(kept: _Kept) -> set[str]:
    called = {
        one.callee
        for line in kept.starters
        for one in line.callees
        if one.callee in TIMER_CALLS and one.measure.inuse_bytes
    }
    return called | {_handed_to(line) for line in kept.handed}


def _count_trend(history: RuntimeHistory) -> Trend | None:
    """Judge the number of timers in the runtime, those of sleeping goroutines and connections taken off.

    It is judged over the same stretch as the live heap: a process that stands still at its limit makes no more timers.
    """
    points = [
        (sample.seconds, sample.values["timers"] - 2 * sample.values.get("goroutines", 0.0))
        for sample in history.samples
        if "timers" in sample.values and sample.seconds <= history.live.points[-1][0]
    ]
    lowest = min((value for _, value in points), default=0.0)
    return judge_trend([(at, value - lowest) for at, value in points], LEAST_TIMERS)


def _by_number(
    history: RuntimeHistory, trend: Trend, counted: Trend | None, taken: Sequence[CauseVerdict]
) -> CauseVerdict | None:
    """Name it by the runtime's own count, where no heap profile tells lines."""
    if counted is None or not counted.grows or history.grown_lines or taken:
        return None
    size = int(trend.rise)
    each = trend.slope.value / counted.slope.value
    text = f"the live heap grows with them, by about {format_bytes(each)} for each"
    return CauseVerdict(
        CAUSE.slug,
        Certainty.INFERRED,
        size,
        share_of_live(history, size),
        growth_summary(history, trend, "timers that are not stopped pile up; live heap grows"),
        (
            _count_statement(history, counted),
            Statement(text, Certainty.INFERRED),
            live_statement(history, trend),
            *setting_statements(history),
        ),
        (
            "look for time.AfterFunc and context.WithTimeout or WithDeadline whose Stop or cancel is not called",
            *bought_time(history, trend, forecast_limit(history, trend.slope)),
        ),
    )


def _count_statement(history: RuntimeHistory, counted: Trend) -> Statement:
    text = (
        f"the runtime has {format_count(history.last['timers'])} timers, "
        f"{format_count(counted.rise)} more in {format_duration(counted.seconds)}"
    )
    return Statement(text, Certainty.MEASURED)


def _evidence(
    history: RuntimeHistory, trend: Trend, counted: Trend | None, kept: _Kept, lines: Sequence[LineGrowth]
) -> list[Statement]:
    statements = [live_statement(history, trend)]
    if counted is not None and counted.grows:
        statements.append(_count_statement(history, counted))
    for line in kept.starters:
        text = (
            f"{line.place} holds about {format_count(_timer_objects(line))} timers made by {_call_of(line)}, "
            f"{format_bytes(_timer_bytes(line))}"
        )
        statements.append(Statement(text, Certainty.MEASURED, line.site))
    for line in lines:
        if line in kept.starters and line not in kept.handed:
            continue
        statements.append(line_statement(history, line))
        if line in kept.handed:
            statements.append(Statement(f"it is handed to {_handed_to(line)}", Certainty.STATED, line.site))
        else:
            text = "it is made where the timers are started, and about as many of it are in use"
            statements.append(Statement(text, Certainty.INFERRED, line.site))
    return [*statements, *setting_statements(history)]


def _call_of(line: LineGrowth) -> str:
    calls = [one for one in line.callees if one.callee in TIMER_CALLS and one.measure.inuse_bytes]
    return max(calls, key=lambda one: one.measure.inuse_bytes).callee if calls else _handed_to(line)


def _advice(history: RuntimeHistory, trend: Trend, kept: _Kept) -> list[str]:
    advice = []
    for line in (kept.starters or kept.handed)[:2]:
        call = _call_of(line)
        if call in _CONTEXTS:
            advice.append(f"{line.place}: call its cancel function when the work is done: defer cancel()")
        elif call == "time.AfterFunc":
            advice.append(
                f"{line.place}: keep the timer that time.AfterFunc returns and Stop it when the work is done; "
                "or let its function hold an id rather than the value"
            )
        else:
            advice.append(f"{line.place}: Stop what {call} returns when the work is done")
    return [*advice, *bought_time(history, trend, forecast_limit(history, trend.slope))]
