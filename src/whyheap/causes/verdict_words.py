"""Sentences that several causes share."""

from __future__ import annotations

from whyheap.causes.forecast import Forecast
from whyheap.causes.history import RuntimeHistory
from whyheap.goruntime.heap_goal import GC_OFF
from whyheap.model.finding import Certainty
from whyheap.model.verdict import Statement
from whyheap.units import format_bytes, format_duration

_SAME_UNIT_BELOW = 120


def spell_forecast(forecast: Forecast) -> str:
    """Return "about 75 s (60-95 s)"."""
    return f"about {format_duration(forecast.seconds)} ({_interval(forecast)})"


def limit_statement(history: RuntimeHistory) -> Statement:
    """Say which limit counts and what of it is used, or that none was seen."""
    if history.limit is None:
        return Statement("the memory limit was not seen, so no time is forecast", Certainty.STATED)
    limit = history.limit
    text = f"the limit is {format_bytes(limit.bytes)} ({limit.name}); {format_bytes(limit.usage_bytes)} of it are used"
    return Statement(text, Certainty.MEASURED)


def pacing_statement(history: RuntimeHistory) -> Statement | None:
    """Say how far the heap may grow before it is collected."""
    goal = history.last.get("heap_goal")
    if goal is None:
        return None
    gogc = history.pacing.gc_percent
    setting = "GOGC=off" if gogc == GC_OFF else f"GOGC={gogc}"
    if not history.gogc_is_known:
        setting = f"{setting} (assumed)"
    return Statement(
        f"{setting}: the heap may grow to {format_bytes(goal)} before it is collected",
        Certainty.MEASURED if history.gogc_is_known else Certainty.INFERRED,
    )


def _interval(forecast: Forecast) -> str:
    if forecast.latest is None:
        return f"at least {format_duration(forecast.earliest)}"
    if forecast.latest < _SAME_UNIT_BELOW:
        return f"{forecast.earliest:.0f}-{forecast.latest:.0f} s"
    return f"{format_duration(forecast.earliest)} to {format_duration(forecast.latest)}"
