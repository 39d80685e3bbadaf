from __future__ import annotations

import math
from itertools import combinations, permutations
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.stats import mann_kendall, median_absolute_deviation, theil_sen

# Sen's slope with its interval, EPA QA/G-9 and Gilbert (1987), section 16.4.2 style: all slopes by hand.
DAYS = [0.0, 1.0, 2.0, 3.0]
VALUES = [1.0, 2.0, 4.0, 5.0]


def test_theil_sen_by_hand() -> None:
    # slopes: 1, 1.5, 4/3, 2, 1.5, 1 -> sorted 1, 1, 4/3, 1.5, 1.5, 2 -> median (4/3 + 1.5) / 2
    slope = theil_sen(DAYS, VALUES)
    assert slope.value == pytest.approx((4 / 3 + 1.5) / 2)
    assert (slope.low, slope.high) == (1.0, 2.0)
    # residuals y - b x: 1, 0.583, 1.167, 0.75 -> median
    assert slope.intercept == pytest.approx(median(y - slope.value * x for x, y in zip(DAYS, VALUES, strict=True)))


def test_theil_sen_interval_by_ranks() -> None:
    # n = 10 on a line with one outlier: Var(S) = 10 x 9 x 25 / 18 = 125, C = 1.645 x 11.18 = 18.39,
    # ranks (45 - 18.39) / 2 = 13.3 and (45 + 18.39) / 2 + 1 = 32.7 of 45 slopes: both inside the 36 slopes of 1.
    xs = [float(x) for x in range(10)]
    ys = [*xs[:9], 100.0]
    slope = theil_sen(xs, ys)
    assert slope.value == 1.0
    assert slope.low == 1.0
    assert slope.high == 1.0


def test_one_outlier_does_not_move_the_slope() -> None:
    xs = [float(x) for x in range(15)]
    assert theil_sen(xs, [2 * x for x in xs]).value == 2.0
    assert theil_sen(xs, [1000.0 if x == 7 else 2 * x for x in xs]).value == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(("xs", "ys"), [([], []), ([1.0], [1.0]), ([2.0, 2.0], [1.0, 5.0]), ([1.0, 2.0], [1.0])])
def test_theil_sen_refuses_what_has_no_slope(xs: list[float], ys: list[float]) -> None:
    with pytest.raises(ValueError, match=r"slope needs|differ in length"):
        theil_sen(xs, ys)


def test_mann_kendall_small_series_is_exact() -> None:
    # Table A30 of Hollander and Wolfe (Kendall's K): n = 4: P(S >= 6) = 0.042, P(S >= 4) = 0.167;
    # n = 5: P(S >= 8) = 0.042
    assert mann_kendall([1, 2, 3, 4]).p_rising == pytest.approx(1 / 24)
    assert mann_kendall([1, 2, 4, 3]).p_rising == pytest.approx(0.167, abs=5e-4)
    assert mann_kendall([1, 2, 3, 5, 4]).p_rising == pytest.approx(0.042, abs=5e-4)
    assert mann_kendall([3, 2, 1, 0]).p_falling == pytest.approx(1 / 24)
    assert mann_kendall([3, 2, 1, 0]).s == -6


def test_mann_kendall_with_ties() -> None:
    # Gilbert (1987), section 16.4.1: n = 12 with tied groups corrects Var(S) = [n(n-1)(2n+5) - sum t(t-1)(2t+5)] / 18
    ys = [10.0, 22, 21, 30, 22, 30, 40, 40, 22, 50, 60, 40]
    signs = [(later > earlier) - (later < earlier) for earlier, later in combinations(ys, 2)]
    s = sum(signs)
    ties = 3 * 2 * 11 + 2 * 1 * 9 + 3 * 2 * 11  # 22 three times, 30 twice, 40 three times
    z = (s - 1) / math.sqrt((12 * 11 * 29 - ties) / 18)
    assert mann_kendall(ys).s == s
    assert mann_kendall(ys).p_rising == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)))


def test_constant_series_has_no_trend() -> None:
    trend = mann_kendall([5.0] * 9)
    assert (trend.s, trend.p_rising, trend.p_falling) == (0, 1.0, 1.0)


def test_median_absolute_deviation_by_hand() -> None:
    assert median_absolute_deviation([1, 1, 2, 2, 4, 6, 9]) == 1  # median 2, distances 1 1 0 0 2 4 7
    assert median_absolute_deviation([]) == 0


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=25))
def test_slope_lies_within_its_interval_and_turns_with_the_series(values: list[int]) -> None:
    xs, ys = [float(x) for x in range(len(values))], [float(value) for value in values]
    slope, mirrored = theil_sen(xs, ys), theil_sen(xs, [-y for y in ys])
    assert slope.low <= slope.value <= slope.high
    assert mirrored.value == pytest.approx(-slope.value)
    assert mirrored.low == pytest.approx(-slope.high, abs=1e-3)


@given(st.integers(2, 5), st.data())
def test_exact_tail_equals_counting_all_orders(size: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(size)))
    s = mann_kendall(order).s
    at_least = [p for p in permutations(range(size)) if mann_kendall(p).s >= s]
    assert mann_kendall(order).p_rising == pytest.approx(len(at_least) / math.factorial(size))
