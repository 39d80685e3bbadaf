from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causes.series import MIB, history, process
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.live_heap import gc_percent, live_heap
from whyheap.causes.trend import judge_trend
from whyheap.causes.verdict_words import spell_forecast
from whyheap.goruntime.heap_goal import GC_OFF, Pacing


def test_points_come_from_the_goal_not_from_the_sawtooth() -> None:
    live = live_heap(process(lambda _: 100 * MIB), Pacing(100))
    assert live.by_goal
    assert all(value == pytest.approx(100 * MIB) for _, value in live.points)


def test_a_memory_limit_that_binds_turns_to_the_lowest_heap() -> None:
    samples = process(lambda _: 100 * MIB)
    live = live_heap(samples, Pacing(100, 215 * MIB))
    assert not live.by_goal
    assert min(value for _, value in live.points) == pytest.approx(100 * MIB)
    assert not live_heap(samples, Pacing(GC_OFF, 215 * MIB)).by_goal


def test_gogc_is_raised_when_the_samples_contradict_100() -> None:
    samples = process(lambda _: 100 * MIB, gogc=None)
    assert gc_percent(samples) == (100, False)
    for sample in samples:
        sample.values["heap_goal"] = 400.0 * MIB
    assert gc_percent(samples) == (300, False)


def test_noise_is_rarely_called_growth() -> None:
    chance = random.Random(7)  # noqa: S311  a fixed series, not a secret
    series = [[(float(x), 100 + chance.gauss(0, 10)) for x in range(20)] for _ in range(500)]
    called = sum(trend is not None and trend.grows for trend in (judge_trend(points, 0) for points in series))
    assert called <= 5


def test_growth_under_noise_is_called_growth() -> None:
    chance = random.Random(7)  # noqa: S311  as above
    series = [[(float(x), 100 + 5 * x + chance.gauss(0, 4)) for x in range(20)] for _ in range(500)]
    called = sum(trend is not None and trend.grows for trend in (judge_trend(points, 0) for points in series))
    assert called >= 475


@given(st.lists(st.floats(0, 1e12), max_size=30))
def test_any_series_is_judged(values: list[float]) -> None:
    trend = judge_trend([(float(x), value) for x, value in enumerate(values)], 1.0)
    assert trend is None or trend.grows != bool(trend.reason)


def inside(limit: float, usage: float) -> RuntimeHistory:
    more = {"container_limit": limit * MIB, "container_usage": usage * MIB}
    return history(process(lambda t: (100 + 3 * t) * MIB, more=more))


def test_forecast_is_when_the_goal_reaches_the_limit() -> None:
    judged = inside(600, 280)
    trend = judged.live_trend
    assert trend is not None
    forecast = forecast_limit(judged, trend.slope)
    assert forecast is not None
    # live 136 MiB now; the goal is twice that; then the heap climbs from the live heap to the limit at 200 MiB/s
    room = judged.heap_room_bytes / MIB
    climb = (room - room / 2) / 200
    assert forecast.seconds == pytest.approx((room / 2 - 136) / 3 + climb, rel=0.05)
    assert forecast.earliest <= forecast.seconds
    assert spell_forecast(forecast).startswith("about ")


@pytest.mark.parametrize("garbage", [0.0, 1.0, 4.0, 30.0])
@pytest.mark.parametrize("limit", [500, 600, 3000])
def test_the_interval_holds_the_end_of_a_process_whenever_its_collections_run(garbage: float, limit: float) -> None:
    rate = (3 + garbage) * MIB
    more = {"container_limit": limit * MIB, "container_usage": 280.0 * MIB, "heap_alloc": 140.0 * MIB}
    judged = history(process(lambda t: (100 + 3 * t) * MIB, garbage_per_second=rate, more=more))
    assert judged.live_trend is not None
    assert judged.live.bytes is not None
    forecast = forecast_limit(judged, judged.live_trend.slope)
    assert forecast is not None
    for phase in range(20):
        ended = killed(judged.live.bytes, 3 * MIB, rate, judged.heap_room_bytes, phase / 20)
        assert forecast.earliest * 0.98 <= ended <= (forecast.latest or 0) * 1.02 + 1


def killed(live: float, leak: float, rate: float, room: float, phase: float) -> float:
    """When a heap reaches its room that is collected at twice what lives, or after two minutes.

    It begins within a cycle: `phase` of the way from what lives to the goal.
    """
    seconds, heap, collected = 0.0, live * (1 + phase), 0.0
    goal = 2 * live
    while heap < room:
        seconds, heap = seconds + 0.05, heap + rate * 0.05
        if heap >= goal or seconds - collected > 120:
            heap = live + leak * seconds
            goal, collected = 2 * heap, seconds
    return seconds


def test_a_forecast_that_counts_on_the_collection_of_every_two_minutes_says_what_is_without_it() -> None:
    # 23.5 GiB of memory, little allocation: the goal is beyond reach long before what lives is
    more = {"machine_memory": 23.5 * 1024 * MIB, "machine_usage": 300.0 * MIB}
    judged = history(process(lambda t: (100 + 3 * t) * MIB, garbage_per_second=36 * MIB, more=more))
    assert judged.live_trend is not None
    forecast = forecast_limit(judged, judged.live_trend.slope)
    assert forecast is not None
    room = judged.heap_room_bytes / MIB
    crossed = (room / 2 - 136) / 3
    assert forecast.seconds == pytest.approx((room - 120 * 36 - 136) / 3 + 120, rel=0.03)
    assert forecast.earliest == pytest.approx(crossed + (room / 2) / 36, rel=0.05)


def test_forecast_grows_with_a_memory_limit() -> None:
    judged = inside(600, 280)
    trend = judged.live_trend
    assert trend is not None
    plain = forecast_limit(judged, trend.slope)
    limited = forecast_limit(judged, trend.slope, Pacing(100, 400 * MIB))
    assert plain is not None
    assert limited is not None
    assert limited.seconds > plain.seconds * 1.5


def test_no_forecast_beyond_a_day_or_without_a_limit() -> None:
    judged = history(process(lambda t: (100 + 3 * t) * MIB, more={"container_limit": 1e15, "container_usage": 1e8}))
    trend = judged.live_trend
    assert trend is not None
    assert forecast_limit(judged, trend.slope) is None
    assert forecast_limit(history(process(lambda t: (100 + 3 * t) * MIB)), trend.slope) is None


def test_a_recording_of_days_is_judged_in_a_moment_and_as_its_part_would_be() -> None:
    long = judge_trend([(float(second), 1e8 + 1e3 * second) for second in range(100_000)], MIB)
    assert long is not None
    assert long.grows
    assert long.points <= 400
    assert long.seconds == 99_999
    assert long.slope.value == pytest.approx(1e3)
