"""The median of a sample and the interval that holds the true one: by order statistics, as benchstat prints it.

How many values lie below the true median is binomial, whatever the values' distribution; so two of the sorted values
hold it between them with a chance that is known. Source: golang.org/x/perf/benchmath, AssumeNothing.Summary
(2026-09-08), which asks github.com/aclements/go-moremath's stats.QuantileCI: exact up to 30 values, beyond that by the
normal approximation; where two intervals are as good, the lower one, but for `_UPPER_FIRST`. Fewer than 6 values have
no interval at 95 %: one end or both are then infinite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, median

EXACT_LIMIT = 30
"""Up to this many values the binomial distribution itself is used."""

_UPPER_FIRST = {
    21: (2, 4, 7),
    22: (2, 4, 7, 10),
    23: (2, 4, 7),
    24: (2, 4, 7, 11),
    25: (2, 4, 7, 10),
    26: (2, 4, 7, 10),
    27: (2, 4, 7, 10, 11, 13),
    28: (2, 4, 7, 10, 12, 13),
    29: (2, 4, 5, 6, 7, 10, 13),
    30: (2, 4, 5, 6, 7, 8, 10, 13, 14),
}
"""Sizes n with each k where go-moremath's mathx.Choose(n, k) comes out below its equal Choose(n, n-k), by rounding.

From 21 on Choose goes through logarithms. Both intervals are as good; this is the one that benchstat prints (amd64).
"""


@dataclass(frozen=True, slots=True)
class MedianInterval:
    """A median between `low` and `high` (infinite where the sample is too small), and the chance that these hold it."""

    median: float
    low: float
    high: float
    confidence: float

    @property
    def is_finite(self) -> bool:
        """Whether the sample was large enough for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def median_interval(values: Sequence[float], confidence: float = 0.95) -> MedianInterval:
    """Return the median and its interval at `confidence` (0..1) or somewhat more.

    Raises ValueError for no values and for NaN.
    """
    if any(math.isnan(value) for value in values):
        raise ValueError("NaN has no place among sorted values")
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values have no median")
    low, high, actual = _ranks(len(ordered), confidence)
    return MedianInterval(
        float(median(ordered)),
        ordered[low - 1] if low >= 1 else -math.inf,
        ordered[high - 1] if high <= len(ordered) else math.inf,
        actual,
    )


@cache
def _ranks(count: int, confidence: float) -> tuple[int, int, float]:
    """Return the 1-based ranks of the interval's ends, 0 and count + 1 for none, and its actual confidence."""
    if confidence >= 1:
        return 0, count + 1, 1.0
    return _exact(count, confidence) if count <= EXACT_LIMIT else _approximate(count, confidence)


def _exact(count: int, confidence: float) -> tuple[int, int, float]:
    """Widen from the most likely number of values below the median, the likelier neighbour first, the lower of two."""

    def ways(below: int) -> int:
        return math.comb(count, below) if 0 <= below <= count else 0

    upper_first = _UPPER_FIRST.get(count, ())
    low = count // 2
    high = low + 1
    held, all_ways = ways(low), 1 << count
    while held / all_ways < confidence and held < all_ways:
        below, above = ways(low - 1), ways(high)
        if below > above or (below == above and low - 1 not in upper_first):
            low -= 1
            held += ways(low)
        else:
            held += ways(high)
            high += 1
    return low, high, held / all_ways


def _approximate(count: int, confidence: float) -> tuple[int, int, float]:
    """Take the band of whole numbers below the median that covers the middle of the normal distribution.

    A number k stands for k - 1/2 to k + 1/2 (continuity correction).
    """
    normal = NormalDist(count / 2, math.sqrt(count) / 2)
    left = normal.inv_cdf((1 - confidence) / 2) if confidence > 0 else normal.mean
    low = math.floor(left - 0.5) + 1
    high = math.ceil(2 * normal.mean - left - 0.5) + 1

    def chance(high: int) -> float:
        return normal.cdf(high - 0.5) - normal.cdf(low - 0.5)

    actual = chance(high)
    if confidence <= chance(high - 1) < actual:  # one value less is enough, at the upper end
        high -= 1
        actual = chance(high)
    if low <= 0 and high >= count + 1:
        actual = 1.0
    return max(low, 0), min(high, count + 1), actual
