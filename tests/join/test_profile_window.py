"""Which time two heap profiles cover: that between the collections they show, told from samples beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.join.profile_window import profile_window
from whyheap.model.profile import HeapProfile
from whyheap.parse.heap_text import parse_heap_text
from whyheap.parse.rfc3339 import utc_text

BEGUN = 1_790_000_000.0
ENDS = (-30.0, -20.0, -10.0, 2.0, 14.0, 28.0, 44.0, 62.0)
"""When collections 1, 2, ... ended, in seconds of the window: they come more rarely as the heap grows."""

EARLIER = {"previous_gc", "earlier_gc"}


def profile(second: float) -> HeapProfile:
    empty = parse_heap_text(b"heap profile: 0: 0 [0: 0] @ heap/524288\n")
    return replace(empty, time_nanos=int((BEGUN + second) * 1e9))


def sample(second: float, **others: float) -> RuntimeSample:
    ended = [end for end in ENDS if end <= second]
    values = {"num_gc": float(len(ended)), "num_forced_gc": 0.0, "last_gc": BEGUN + ended[-1] if ended else 0.0}
    if len(ended) > 1:
        values["previous_gc"] = BEGUN + ended[-2]
    if len(ended) > 2:
        values["earlier_gc"] = BEGUN + ended[-3]
    return RuntimeSample(utc_text(BEGUN + second), second, values | others)


def watched(until: float, every: float = 1.0) -> list[RuntimeSample]:
    return [sample(index * every) for index in range(int(until / every) + 1)]


def test_a_profile_shows_what_was_allocated_before_the_last_but_one_collection() -> None:
    assert profile_window(profile(0.1), profile(50.05), watched(50)) == pytest.approx(28.0 + 20.0)
    assert profile_window(profile(0.1), profile(10.05), watched(10)) == pytest.approx(-10.0 + 20.0)


def test_no_collection_in_the_window_shows_nothing() -> None:
    assert profile_window(profile(3.1), profile(6.05), [sample(second) for second in (3, 4, 5, 6)]) == 0.0


def test_a_profile_before_two_collections_has_all_up_to_its_moment() -> None:
    begun = [sample(second) for second in range(-35, 11)]
    assert profile_window(profile(-34.9), profile(10.05), begun) == pytest.approx(-10.0 + 34.9)


def test_a_sample_read_just_after_a_collection_that_the_profile_missed_does_not_mislead() -> None:
    samples = [sample(1.99), sample(2.1), *watched(50)[3:]]
    assert profile_window(profile(1.995), profile(50.05), samples) == pytest.approx(28.0 + 20.0)


def test_the_first_sample_may_come_after_a_collection() -> None:
    assert profile_window(profile(1.0), profile(50.05), watched(50)[3:]) == pytest.approx(28.0 + 20.0)


def test_what_samples_do_not_tell_is_not_known() -> None:
    samples = watched(50)
    without = [replace(each, values={k: v for k, v in each.values.items() if k not in EARLIER}) for each in samples]
    assert profile_window(profile(0.1), profile(50.05), without) is None
    assert profile_window(profile(0.1), profile(90.0), samples) is None  # collections may have ended since
    assert profile_window(profile(0.1), profile(50.05), []) is None
    forced = [sample(second, num_forced_gc=1.0) for second in range(51)]
    assert profile_window(profile(0.1), profile(50.05), forced) is None
    assert profile_window(replace(profile(0.1), time_nanos=0), profile(50.05), samples) is None


def test_many_collections_between_samples_are_as_good_as_exact_when_they_are_short() -> None:
    samples = []
    for second in range(11):
        values = {"num_gc": 100.0 + 10 * second, "last_gc": BEGUN + second - 0.05, "previous_gc": BEGUN + second - 0.15}
        samples.append(RuntimeSample(utc_text(BEGUN + second), float(second), values))
    covered = profile_window(profile(0.01), profile(10.01), samples)
    assert covered == pytest.approx(10.0, rel=0.05)
