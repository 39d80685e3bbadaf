"""Robust statistics for short series: slopes, trend tests, spread. No assumption about the noise's distribution.

Samples of a running process are few (5 to 30), uneven in time and hold outliers, so a slope is the median of all
pairwise slopes (Theil-Sen) and its significance a rank test (Mann-Kendall), never a least-squares fit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, median

EXACT_KENDALL_LIMIT = 40
"""Up to this many values without ties the exact distribution of Kendall's S is used; it is cheap."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Change of y per unit of x with its confidence interval, and the intercept of the median line."""

    value: float
    low: float
    high: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Kendall:
    """Mann-Kendall's S (rises minus falls over all pairs) and the one-sided chances to see it without a trend."""

    s: int
    p_rising: float
    p_falling: float


def median_absolute_deviation(values: Sequence[float]) -> float:
    """Return the median distance from the median; 0 for no values."""
    if not values:
        return 0.0
    middle = median(values)
    return median(abs(value - middle) for value in values)


def theil_sen(xs: Sequence[float], ys: Sequence[float], confidence: float = 0.9) -> Slope:
    """Return the median of all pairwise slopes with Sen's interval (Sen 1968; Gilbert 1987, section 16.4).

    Pairs of equal x are left out. Raises ValueError when no two x differ or the lengths do.
    """
    if len(xs) != len(ys):
        raise ValueError("xs and ys differ in length")
    slopes = sorted(
        (second[1] - first[1]) / (second[0] - first[0])
        for first, second in combinations(zip(xs, ys, strict=True), 2)
        if second[0] != first[0]
    )
    if not slopes:
        raise ValueError("a slope needs two points at different x")
    value = median(slopes)
    half_width = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(_kendall_variance(ys))
    low = _at_rank(slopes, (len(slopes) - half_width) / 2)
    high = _at_rank(slopes, (len(slopes) + half_width) / 2 + 1)
    intercept = median(y - value * x for x, y in zip(xs, ys, strict=True))
    return Slope(value, min(low, value), max(high, value), intercept)


def mann_kendall(ys: Sequence[float]) -> Kendall:
    """Test a series for a monotonic trend; ties are corrected for (Mann 1945; Kendall 1975).

    Exact for short series without ties, else by the normal approximation with continuity correction.
    """
    s = sum((later > earlier) - (later < earlier) for earlier, later in combinations(ys, 2))
    if len(ys) <= EXACT_KENDALL_LIMIT and len(set(ys)) == len(ys):
        return Kendall(s, _exact_tail(len(ys), s), _exact_tail(len(ys), -s))
    variance = _kendall_variance(ys)
    if variance <= 0:
        return Kendall(s, 1.0, 1.0)
    normal = NormalDist(0, math.sqrt(variance))
    return Kendall(s, 1 - normal.cdf(s - 1), normal.cdf(s + 1))


def _kendall_variance(ys: Sequence[float]) -> float:
    """Return the variance of S when there is no trend, with the correction for ties."""
    count = len(ys)
    ties = sum(size * (size - 1) * (2 * size + 5) for size in Counter(ys).values() if size > 1)
    return (count * (count - 1) * (2 * count + 5) - ties) / 18


def _exact_tail(count: int, s: int) -> float:
    """Return the chance of S >= s over all orders of `count` different values."""
    orders = [1]  # orders[k]: permutations with k inversions, built up one value at a time
    for size in range(2, count + 1):
        longer = [0] * (len(orders) + size - 1)
        for inversions, ways in enumerate(orders):
            for extra in range(size):
                longer[inversions + extra] += ways
        orders = longer
    pairs = count * (count - 1) // 2
    most_inversions = (pairs - s) // 2  # S = pairs - 2 x inversions
    return sum(orders[: most_inversions + 1]) / math.factorial(count)


def _at_rank(ordered: Sequence[float], rank: float) -> float:
    """Return the value at a 1-based rank, interpolated, and held inside the sequence."""
    position = min(max(rank, 1.0), float(len(ordered))) - 1
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
