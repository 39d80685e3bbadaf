"""Medians, intervals and p-values are benchstat's, and what statistics says that they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations
from statistics import median

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchstat_cases import COUNT, RECORDED, Answer, Case, Summary, ask, cases, end
from toolchains import environment, go, newest
from whyheap.stats import mann_whitney, median_interval

SEED = 1  # of scripts/record_benchstat.py
FEW = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.5]), min_size=1, max_size=5)
MANY = st.lists(st.floats(0, 1e12), min_size=1, max_size=60)


def check(asked: Iterable[Case], answers: Iterable[Answer]) -> int:
    """Compare with benchstat; return how many of its p-values depend on the order of the samples."""
    ordered = 0
    for case, answer in zip(asked, answers, strict=True):
        wins = sum((one > other) - (one < other) for one in case.before for other in case.after)
        if len(case.before) == len(case.after) or len({*case.before, *case.after}) == len(case.before + case.after):
            assert answer.p == pytest.approx(answer.exchanged, abs=1e-12)
        ordered += abs(answer.p - answer.exchanged) > 1e-12
        lower_first = answer.exchanged if wins > 0 else answer.p
        assert mann_whitney(case.before, case.after) == pytest.approx(min(lower_first, 1.0), abs=1e-12), case
        for sample, summary in ((case.before, answer.before), (case.after, answer.after)):
            is_as_benchstats(sample, case.confidence, summary)
    return ordered


def is_as_benchstats(sample: list[float], confidence: float, summary: Summary) -> None:
    ours = median_interval(sample, confidence)
    assert (end(ours.low), end(ours.high)) == (summary.lo, summary.hi), (sample, confidence)
    assert ours.median == pytest.approx(summary.center, rel=4e-16, abs=0)  # it interpolates: the last bit may differ
    assert ours.confidence == pytest.approx(summary.confidence, abs=1e-12)


def test_what_benchstat_said_when_it_was_recorded() -> None:
    answers = msgspec.json.decode(RECORDED.read_bytes(), type=list[Answer])
    assert len(answers) == COUNT >= 500
    ordered = check(cases(SEED), answers)
    assert 0 < ordered < COUNT / 4  # unequal sizes with ties, see whyheap.stats.rank_test


@pytest.mark.live
def test_what_benchstat_says_now(tmp_path_factory: pytest.TempPathFactory) -> None:
    asked = [*cases(SEED), *cases(2)]
    sizes = [Case([float(n) for n in range(count)], [1.0], 0.95) for count in range(1, 200)]
    answers = ask(go(newest()), [*asked, *sizes], tmp_path_factory.mktemp("benchstat"), environment())
    check([*asked, *sizes], answers)


def test_fewer_than_six_values_have_no_interval() -> None:
    five, six = (median_interval([float(n) for n in range(count)]) for count in (5, 6))
    assert (five.median, five.low, five.high, five.confidence) == (2.0, -math.inf, 4.0, 1 - 1 / 2**5)
    assert not five.is_finite
    assert (six.median, six.low, six.high, six.confidence) == (2.5, 0.0, 5.0, 1 - 2 / 2**6)


@given(FEW, FEW)
def test_p_is_what_counting_all_ways_gives(before: list[float], after: list[float]) -> None:
    values = [*before, *after]

    def doubled_u(chosen: tuple[int, ...]) -> int:
        rest = [value for at, value in enumerate(values) if at not in chosen]
        return sum(1 + (values[at] > other) - (values[at] < other) for at in chosen for other in rest)

    seen = doubled_u(tuple(range(len(before))))
    all_u = [doubled_u(chosen) for chosen in combinations(range(len(values)), len(before))]
    middle = len(before) * len(after)
    tail = sum(u <= seen if seen < middle else u >= seen for u in all_u) / len(all_u)
    wanted = 1.0 if seen == middle else min(2 * tail, 1.0)
    assert mann_whitney(before, after) == pytest.approx(wanted, abs=1e-12)


@given(MANY, MANY)
def test_p_knows_no_order_and_no_unit(before: list[float], after: list[float]) -> None:
    p = mann_whitney(before, after)
    assert 0 <= p <= 1
    assert mann_whitney(after, before[::-1]) == pytest.approx(p, abs=1e-12)
    assert mann_whitney([value * 1024 for value in before], [value * 1024 for value in after]) == p


@given(MANY, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_holds_the_median_and_what_was_asked_for(values: list[float], confidence: float) -> None:
    found = median_interval(values, confidence)
    assert found.median == median(values)
    assert found.low <= found.median <= found.high
    assert confidence - 1e-9 <= found.confidence <= 1
    assert found.is_finite or len(values) < 8


def test_samples_that_are_all_equal_do_not_differ() -> None:
    assert mann_whitney([7.0] * 9, [7.0] * 4) == mann_whitney([7.0] * 60, [7.0] * 60) == 1.0


@pytest.mark.parametrize(("before", "after"), [([], [1.0]), ([1.0], []), ([math.nan], [1.0])])
def test_what_has_no_rank_is_refused(before: list[float], after: list[float]) -> None:
    with pytest.raises(ValueError, match=r"values on both sides|NaN"):
        mann_whitney(before, after)


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_what_has_no_median_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no median|NaN"):
        median_interval(values)
