"""Sentences that several causes share."""

from __future__ import annotations

from collections.abc import Iterable

from whyheap.causes.forecast import Forecast
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.goruntime.heap_goal import GC_OFF
from whyheap.model.finding import Certainty
from whyheap.model.verdict import Statement
from whyheap.units import format_bytes, format_duration

_IN_SECONDS_BELOW = 600


def spell_forecast(forecast: Forecast) -> str:
    """Return "about 75 s (60-95 s)"; no interval when it rounds to the same."""
    if forecast.latest is None:
        return f"about {format_duration(forecast.seconds)} (at least {format_duration(forecast.earliest)})"
    times = (forecast.seconds, forecast.earliest, forecast.latest)
    in_seconds = forecast.latest < _IN_SECONDS_BELOW
    about, earliest, latest = (f"{time:.0f} s" if in_seconds else format_duration(time) for time in times)
    if earliest == latest:
        return f"about {about}"
    return (
        f"about {about} ({earliest.removesuffix(' s')}-{latest})"
        if in_seconds
        else f"about {about} ({earliest} to {latest})"
    )


def until_the_limit(history: RuntimeHistory, forecast: Forecast | None) -> str:
    """Say when the limit is reached, or that it was: "", or a clause that begins with a colon."""
    if history.was_killed:
        limit = f" of {format_bytes(history.limit.bytes)}" if history.limit is not None else ""
        return f": the kernel killed the process at the limit{limit}"
    return f": the limit is reached in {spell_forecast(forecast)}" if forecast is not None else ""


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


def line_statements(
    lines: Iterable[LineGrowth], for_whom: str, certainty: Certainty = Certainty.INFERRED
) -> list[Statement]:
    """Say what each line holds, and `for_whom` ("for them"); a line said here counts as explained by the cause."""
    return [
        Statement(
            f"{line.place} holds {format_bytes(line.after_bytes)} {for_whom}, "
            f"{format_bytes(line.grown_bytes)} more than before",
            certainty,
            line.site,
        )
        for line in lines
    ]
