"""Whether a short series grows, and does not merely warm up, jump once or swing.

A window of seconds cannot tell a slow swing from a leak, so a trend must pass six tests: a rank test, a slope whose
interval is above zero, a rise that matters, no levelling off at the end, no deep fall in between, no single jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from whyheap.stats import Slope, mann_kendall, theil_sen

LEAST_POINTS = 4
"""With fewer, even a strict rise is seen by chance more often than CHANCE (4 values: 1 of 24 orders)."""
MOST_POINTS = 400
"""The tests look at all pairs: more points tell hardly more, and take minutes."""
CHANCE = 0.05
STRETCHES = 24
LEAST_RISE_SHARE = 0.03
LATE_SLOPE_SHARE = 0.2
LATE_POINTS = 3
LEAST_STEP_SECONDS = 0.001
DEEPEST_FALL_SHARE = 0.5
LARGEST_STEP_SHARE = 0.6
STEEP_STEP = 2.0
INSTANT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Trend:
    """A judged series. `reason` says in words why it does not grow; `slope` is per second; `rise` over the window."""

    grows: bool
    reason: str
    slope: Slope
    rise: float
    points: int
    seconds: float


def judge_trend(points: Sequence[tuple[float, float]], least_rise: float) -> Trend | None:
    """Judge (seconds, value) in order of time; None when there are too few points to tell."""
    points = _thinned(_apart(points))
    if len(points) < LEAST_POINTS:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    slope = theil_sen(xs, ys)
    seconds = xs[-1] - xs[0]
    rise = slope.value * seconds
    reason = _why_not(xs, ys, slope, rise, max(least_rise, LEAST_RISE_SHARE * median(ys)))
    return Trend(not reason, reason, slope, rise, len(points), seconds)


def evenly(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most one point, the last, for each of STRETCHES equal stretches of time.

    Collections crowd at a burst and near the limit: taken one by one they would outvote all the time before.
    """
    if len(points) <= LEAST_POINTS:
        return list(points)
    begun, seconds = points[0][0], points[-1][0] - points[0][0]
    if seconds <= 0:
        return list(points)
    last = {min(int((at - begun) / seconds * STRETCHES), STRETCHES - 1): (at, value) for at, value in points}
    return [last[stretch] for stretch in sorted(last)]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most MOST_POINTS, evenly, both ends among them: a recording of days has a hundred thousand."""
    last = len(points) - 1
    if last < MOST_POINTS:
        return points
    return [points[round(index * last / (MOST_POINTS - 1))] for index in range(MOST_POINTS)]


def _apart(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that come a while after the one before: a slope over no time at all says nothing."""
    apart = list(points[:1])
    for point in points[1:]:
        if point[0] - apart[-1][0] >= LEAST_STEP_SECONDS:
            apart.append(point)
    return apart


def _why_not(xs: Sequence[float], ys: Sequence[float], slope: Slope, rise: float, least_rise: float) -> str:
    if rise < least_rise:
        return "it stays level"
    if mann_kendall(ys).p_rising > CHANCE or slope.low <= 0:
        return "it rises and falls"
    if _deepest_fall(ys) > DEEPEST_FALL_SHARE * rise:
        return "it rises and falls"
    if _jumps(xs, ys):
        return "it jumped once and stays level"
    last_third = xs[-1] - (xs[-1] - xs[0]) / 3  # of time: samples crowd at the end
    late = max(LATE_POINTS, sum(1 for x in xs if x >= last_third))
    mean_slope = (ys[-1] - ys[0]) / (xs[-1] - xs[0])  # far above the median one after a steep start
    if theil_sen(xs[-late:], ys[-late:]).value < LATE_SLOPE_SHARE * max(slope.value, mean_slope):
        return "it rose at first and levelled off"
    return ""


def _deepest_fall(ys: Sequence[float]) -> float:
    deepest, highest = 0.0, ys[0]
    for y in ys:
        highest = max(highest, y)
        deepest = max(deepest, highest - y)
    return deepest


def _jumps(xs: Sequence[float], ys: Sequence[float]) -> bool:
    """Whether most of the rise is one step, much steeper than the rest and no mere pause between points."""
    steps = pairwise(zip(xs, ys, strict=True))
    (x, y), (next_x, next_y) = max(steps, key=lambda step: step[1][1] - step[0][1])
    rise, seconds = ys[-1] - ys[0], xs[-1] - xs[0]
    if next_y - y > LARGEST_STEP_SHARE * rise:
        return (next_y - y) * seconds > STEEP_STEP * rise * (next_x - x)
    return leaps(xs, ys)


def leaps(xs: Sequence[float], ys: Sequence[float]) -> bool:
    """Whether most of the rise came within an instant that several points happen to be of."""
    instant, rise = INSTANT_SHARE * (xs[-1] - xs[0]), ys[-1] - ys[0]
    first = 0
    for last in range(1, len(xs)):
        while xs[last] - xs[first] > instant:
            first += 1
        if ys[last] - min(ys[first : last + 1]) > LARGEST_STEP_SHARE * rise > 0:
            return True
    return False
