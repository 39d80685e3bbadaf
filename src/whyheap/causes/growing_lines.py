"""Lines whose bytes grow with the live heap: which are not explained yet, and what causes that name them say alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from whyheap.causes.forecast import Forecast, forecast_limit
from whyheap.causes.goroutine_piles import enclosing
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.memory_limit import safe_memory_limit
from whyheap.causes.trend import Trend
from whyheap.causes.verdict_words import limit_statement, pacing_statement, until_the_limit
from whyheap.goruntime.heap_goal import Pacing
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_duration, format_rate, format_share, spell_bytes

LEAST_OWN_SHARE = 0.2
"""Of the growth, what a cause must explain to be named, and what other causes must leave over for the general one."""
LINES_SHOWN = 4
LEAST_LINE_SHARE = 0.05


def unclaimed(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> list[LineGrowth]:
    """Return the growing lines that no cause in `taken` names, the fastest first."""
    claimed = {statement.site for verdict in taken for statement in verdict.evidence if statement.site}
    return [line for line in history.grown_lines if line.site not in claimed]


def beside(lines: Iterable[LineGrowth], seeds: Iterable[LineGrowth]) -> list[LineGrowth]:
    """Return the other lines in the functions of `seeds`, closures counted to the function around them."""
    seeds = list(seeds)
    functions = {_function(line) for line in seeds}
    return [line for line in lines if line not in seeds and _function(line) in functions]


def _function(line: LineGrowth) -> tuple[str, str]:
    return line.site.package, enclosing(line.site.function)


def matters(history: RuntimeHistory, lines: Iterable[LineGrowth]) -> bool:
    """Whether the live heap grows and these lines are a part of that worth naming."""
    trend = history.live_trend
    if trend is None or not trend.grows:
        return False
    total = sum(line.grown_bytes for line in history.grown_lines)
    return total > 0 and sum(line.grown_bytes for line in lines) >= LEAST_OWN_SHARE * total


def shown(history: RuntimeHistory, lines: Iterable[LineGrowth]) -> list[LineGrowth]:
    """Return the lines worth a sentence, those that grew most."""
    total = sum(line.grown_bytes for line in history.grown_lines)
    ranked = sorted(lines, key=lambda line: (-line.grown_bytes, line.site))
    return [line for line in ranked[:LINES_SHOWN] if line.grown_bytes >= LEAST_LINE_SHARE * total]


def grown_size(history: RuntimeHistory, trend: Trend, lines: Sequence[LineGrowth]) -> int:
    """Return the bytes that lines explain: their part of the rise, at least what they hold by the profile's samples."""
    total = sum(line.grown_bytes for line in history.grown_lines)
    part = sum(line.grown_bytes for line in lines) / total if total else 1.0
    return int(max(trend.rise * part, sum(line.after_bytes for line in lines)))


def share_of_live(history: RuntimeHistory, size: int) -> float:
    """Return a size as a share of the live heap, 0..1."""
    return min(size / max(history.live.bytes or 0.0, 1.0), 1.0)


def live_statement(history: RuntimeHistory, trend: Trend) -> Statement:
    """Say how large the live heap is and how it rose."""
    between = "collections" if history.live.by_goal else "stretches of samples"
    (begun, first), *_, (ended, last) = history.live.points
    return Statement(
        f"the live heap is {format_bytes(history.live.bytes or 0.0)} and rose by {format_bytes(last - first)} in "
        f"{format_duration(ended - begun)}, over {trend.points} {between}",
        Certainty.MEASURED if history.gogc_is_known else Certainty.INFERRED,
    )


def line_statement(history: RuntimeHistory, line: LineGrowth) -> Statement:
    """Say what a line holds; with this it counts as explained."""
    live = history.live.bytes or 0.0
    share = f", {format_share(line.after_bytes / live)} of the live heap" if 0 < line.after_bytes <= live else ""
    more = format_bytes(line.grown_bytes)
    text = f"{line.place} holds {format_bytes(line.after_bytes)}{share}, {more} more than before"
    return Statement(text, Certainty.MEASURED, line.site)


def setting_statements(history: RuntimeHistory) -> list[Statement]:
    """Say how far the heap may grow and what the limit is."""
    pacing = pacing_statement(history)
    return [*([pacing] if pacing else []), limit_statement(history)]


def growth_summary(history: RuntimeHistory, trend: Trend, what: str = "live heap grows") -> str:
    """Return `what` with the rate of growth, and when the limit is reached."""
    text = f"{what} {format_rate(trend.slope.value)}"
    forecast = forecast_limit(history, trend.slope)
    return f"{text}{until_the_limit(history, forecast)}"


def bought_time(history: RuntimeHistory, trend: Trend, forecast: Forecast | None) -> list[str]:
    """Say how much time a GOMEMLIMIT buys, where none is set."""
    limit = history.limit
    if forecast is None or limit is None or not limit.is_container or history.pacing.memory_limit_bytes is not None:
        return []
    memory_limit = safe_memory_limit(history, limit)
    if memory_limit <= (history.live.bytes or 0.0):
        return []
    later = forecast_limit(history, trend.slope, Pacing(history.pacing.gc_percent, memory_limit))
    gained = (later.seconds if later else 0.0) - forecast.seconds
    if gained <= 1:
        return []
    return [f"GOMEMLIMIT={spell_bytes(memory_limit)} buys about {format_duration(gained)}, not a cure"]
