"""Questions about single gauges over the window that several causes ask: how they rise, how near the limit is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from whyheap.causes.history import RuntimeHistory
from whyheap.causes.trend import LEAST_POINTS, Trend, judge_trend
from whyheap.units import format_bytes, format_duration, format_rate

MIB = 1 << 20
LEAST_RISE_BYTES = 4.0 * MIB
"""Less than this, gained in a window outside the heap, is not called growth: libraries and buffers warm up."""
LEAST_BYTES = 8.0 * MIB
"""Less than this explains nobody's death."""
PRESSED_SHARE = 0.85
"""Of the limit: from here on memory counts as short."""

Points = tuple[tuple[float, float], ...]


def points(history: RuntimeHistory, value: str | Callable[[dict[str, float]], float | None]) -> Points:
    """Return (seconds, value) of a gauge, or of what is worked out from a moment's gauges, where it was told.

    A process that is ending has no memory for a moment and one thread; what it tells then is left out.
    """
    told = []
    for sample in history.samples:
        if "process_started" in sample.values and not sample.values.get("rss"):
            continue
        number = sample.values.get(value) if isinstance(value, str) else value(sample.values)
        if number is not None:
            told.append((sample.seconds, number))
    return tuple(told)


def growth(series: Points, least_rise: float = LEAST_RISE_BYTES) -> Trend | None:
    """Return the trend of a series that grows, else None."""
    trend = judge_trend(series, least_rise)
    return trend if trend is not None and trend.grows else None


def lasting(series: Points) -> float:
    """Return what a swinging series never fell below in the window's later half; 0 when that cannot be told."""
    late = series[len(series) // 2 :] if len(series) >= LEAST_POINTS else ()
    return min((value for _, value in late), default=0.0)


def charge_bytes(history: RuntimeHistory) -> float:
    """Return the most that counted against the limit at one of the last moments, reclaimable cache included."""
    names = ("container_charge", "container_usage")
    return max((sample.values.get(name, 0.0) for sample in history.samples[-3:] for name in names), default=0.0)


def usage_bytes(history: RuntimeHistory) -> float:
    """Return the most that counted against the limit at one of the last moments, reclaimable cache left out."""
    told = [sample.values.get("container_usage", 0.0) for sample in history.samples[-3:]]
    return max(told, default=0.0)


def container_limit(history: RuntimeHistory) -> float | None:
    """Return the container's limit; None where there is none, or only the machine's memory."""
    limit = history.limit
    return limit.bytes if limit is not None and limit.is_container else None


def whole_bytes(history: RuntimeHistory) -> float:
    """Return what shares are of: the container's limit, else the process's resident memory."""
    return container_limit(history) or history.last.get("rss", 0.0) or history.last.get("sys", 0.0)


def share_of_whole(history: RuntimeHistory, size: float) -> float:
    """Return a share 0..1 of the limit, or of resident memory where none was seen."""
    whole = whole_bytes(history)
    return min(max(size, 0.0) / whole, 1.0) if whole >= 1 else 0.0


def outlook(history: RuntimeHistory, bytes_per_second: float, *, killed: bool) -> str:
    """Say how a growth ended, or when it will: "", or a clause that begins with a colon."""
    limit = container_limit(history)
    if killed:
        return ": the kernel killed the process at the limit" + (f" of {format_bytes(limit)}" if limit else "")
    if limit is None or bytes_per_second <= 0:
        return ""
    seconds = max(limit - usage_bytes(history), 0.0) / bytes_per_second
    return f": the limit is reached in about {format_duration(seconds)}"


def spell_rise(trend: Trend) -> str:
    """Return "12 MiB/s, 110 MiB more in 9 s"."""
    return f"{format_rate(trend.slope.value)}, {format_bytes(trend.rise)} more in {format_duration(trend.seconds)}"


def first_of(values: dict[str, float], names: Sequence[str]) -> float | None:
    """Return the first of these gauges that was told."""
    return next((values[name] for name in names if name in values), None)
