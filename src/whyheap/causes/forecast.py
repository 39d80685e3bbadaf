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
    live, room = history.live.bytes, history.heap_room_bytes
    if history.limit is None or live is None or bytes_per_second <= 0:
        return None
    alloc_rate = max(history.alloc_rate or 0.0, bytes_per_second)
    fits = largest_live(room, alloc_rate, pacing, history.root_bytes, history.non_heap_bytes)
    if live >= fits:  # the next goal is already beyond the limit
        seconds = max(room - history.last.get("heap_alloc", live), 0.0) / alloc_rate
    else:
        seconds = (fits - live) / bytes_per_second + max(room - fits, 0.0) / alloc_rate
    return seconds if seconds <= LONGEST_SECONDS else None


def largest_live(room: float, alloc_rate: float, pacing: Pacing, root_bytes: float, non_heap_bytes: float) -> float:
    """Return the largest live heap whose next peak still fits `room` bytes for the heap.

    The peak is the goal, or what is allocated until the collection that comes every two minutes anyway.
    """
    low, high = 0.0, max(room, 0.0)
    for _ in range(60):
        middle = (low + high) / 2
        goal = heap_goal(middle, root_bytes, pacing, non_heap_bytes)
        if min(goal, middle + alloc_rate * FORCED_GC_SECONDS) <= room:
            low = middle
        else:
            high = middle
    return low
