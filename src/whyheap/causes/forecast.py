"""When memory reaches the limit, from the live heap's slope and the pacer's formula.

Memory touches the limit not when the live heap does, but when a collection's goal does: under GOGC=100 that is at about
half of it. After that the heap still has to climb there, by allocation.
"""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.causes.history import RuntimeHistory
from whyheap.goruntime.heap_goal import FORCED_GC_SECONDS, Pacing, heap_goal
from whyheap.stats import Slope

LONGEST_SECONDS = 24 * 3600.0
"""Beyond a day a forecast from seconds of samples says nothing."""
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds from now, with the interval that the slope's interval gives; `latest` is None when it is beyond a day."""

    seconds: float
    earliest: float
    latest: float | None


def forecast_limit(history: RuntimeHistory, slope: Slope, pacing: Pacing | None = None) -> Forecast | None:
    """Return when the limit is reached if the live heap goes on as it does; None without a limit or within a day.

    `pacing` asks what would be with other settings.
    """
    pacing = pacing or history.pacing
    seconds = _seconds(history, slope.value, pacing)
    if seconds is None:
        return None
    earliest = _seconds(history, slope.high, pacing)
    latest = _seconds(history, slope.low, pacing)
    return Forecast(seconds, seconds if earliest is None else earliest, latest)


def _seconds(history: RuntimeHistory, bytes_per_second: float, pacing: Pacing) -> float | None:
    live = history.live.bytes
    if history.limit is None or live is None or bytes_per_second <= 0:
        return None
    alloc_rate = max(history.alloc_rate or 0.0, bytes_per_second)
    stack_rate = history.stack_rate

    def live_at(seconds: float) -> float:
        return live + bytes_per_second * seconds

    def room_at(seconds: float) -> float:
        return history.heap_room_bytes - stack_rate * seconds

    def fits(seconds: float) -> bool:
        """Whether the peak that follows a collection at this time fits: the goal, or two minutes of allocation."""
        roots = history.root_bytes + stack_rate * seconds
        goal = heap_goal(live_at(seconds), roots, pacing, history.non_heap_bytes + stack_rate * seconds)
        return min(goal, live_at(seconds) + alloc_rate * FORCED_GC_SECONDS) <= room_at(seconds)

    if not fits(0.0):  # the next goal is already beyond the limit
        return _within_a_day(max(room_at(0.0) - history.last.get("heap_alloc", live), 0.0) / alloc_rate)
    if fits(LONGEST_SECONDS):
        return None
    low, high = 0.0, LONGEST_SECONDS
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return _within_a_day(low + max(room_at(low) - live_at(low), 0.0) / alloc_rate)


def _within_a_day(seconds: float) -> float | None:
    return seconds if seconds <= LONGEST_SECONDS else None
