"""When a recorder looks again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whyheap.collect.schedule import COST_SHARE, LONGEST_SECONDS, SHORTEST_SECONDS, Schedule

LIMIT = 1000.0


def settled(usage: float = 100.0) -> Schedule:
    """Return a schedule an hour after its start, at a level usage."""
    schedule = Schedule()
    for now in (0.0, 3600.0, 3610.0):
        schedule.pause(now, {"container_usage": usage, "container_limit": LIMIT}, 0.0)
    return schedule


def test_far_from_the_limit_it_is_rare_and_near_it_dense() -> None:
    pauses = [
        settled(usage).pause(3620.0, {"container_usage": usage, "container_limit": LIMIT}, 0.0)
        for usage in (100.0, 600.0, 750.0, 900.0, 980.0)
    ]
    assert pauses == sorted(pauses, reverse=True)
    assert (pauses[0], pauses[-1]) == (LONGEST_SECONDS, SHORTEST_SECONDS)


def test_growth_that_will_reach_the_limit_soon_makes_it_dense() -> None:
    schedule = settled(100.0)
    pause = schedule.pause(3620.0, {"container_usage": 300.0, "container_limit": LIMIT}, 0.0)
    assert pause < 2.0  # 35 s are left at 20 a second


def test_it_begins_densely() -> None:
    assert Schedule().pause(0.0, {}, 0.0) == 1.0


@given(st.floats(0, 5), st.floats(0, 2000), st.floats(0, 1e5))
def test_it_never_costs_more_than_its_share_for_long(cost: float, usage: float, now: float) -> None:
    schedule = settled()
    pause = schedule.pause(3620.0 + now, {"container_usage": usage, "container_limit": LIMIT}, cost)
    assert pause >= SHORTEST_SECONDS
    if usage < 0.85 * LIMIT:
        assert pause >= cost / COST_SHARE


def test_profiles_come_when_the_heap_grew_else_once_a_minute() -> None:
    schedule = settled()
    assert schedule.wants_profile(0.0, {"heap_alloc": 100.0})
    schedule.took_profile(0.0, {"heap_alloc": 100.0}, 0.01)
    assert not schedule.wants_profile(30.0, {"heap_alloc": 105.0})
    assert schedule.wants_profile(30.0, {"heap_alloc": 120.0})
    assert schedule.wants_profile(60.0, {"heap_alloc": 100.0})
    schedule.took_profile(60.0, {"heap_alloc": 100.0}, 3.0)
    assert not schedule.wants_profile(300.0, {"heap_alloc": 500.0})  # one costs 3 s


def test_a_heap_that_leaps_is_profiled_soon_again() -> None:
    schedule = settled()
    schedule.took_profile(3600.0, {"heap_alloc": 100.0}, 3.0)  # what the first one costs says little of the next
    assert not schedule.wants_profile(3600.5, {"heap_alloc": 160.0})
    assert schedule.wants_profile(3601.0, {"heap_alloc": 160.0})
    schedule.took_profile(3601.0, {"heap_alloc": 160.0}, 0.05)
    assert not schedule.wants_profile(3606.0, {"heap_alloc": 250.0})
    assert schedule.wants_profile(3611.0, {"heap_alloc": 250.0})


def test_what_costs_much_is_read_oftener_while_it_is_new_and_near_the_limit() -> None:
    schedule = settled()
    schedule.took_stacks(3600.0, 1.0)
    schedule.took_stacks(3601.0, 1.0)
    assert not schedule.wants_stacks(3800.0)
    assert schedule.wants_stacks(3801.0)
    schedule.pause(3605.0, {"container_usage": 0.9 * LIMIT, "container_limit": LIMIT}, 0.0)
    assert schedule.wants_stacks(3621.0)


def test_what_stands_still_near_its_limit_is_read_as_rarely_as_far_from_it() -> None:
    schedule, near = settled(), {"container_usage": 0.9 * LIMIT, "container_limit": LIMIT, "heap_alloc": 100.0}
    schedule.pause(3620.0, near, 0.0)
    schedule.took_profile(3620.0, near, 0.001)
    assert schedule.wants_profile(3625.0, near)
    for second in range(3625, 3700):
        schedule.pause(float(second), near, 0.0)
    schedule.took_profile(3700.0, near, 0.001)
    assert not schedule.wants_profile(3750.0, near)
    schedule.pause(3755.0, {**near, "container_usage": 0.92 * LIMIT}, 0.0)
    assert schedule.wants_profile(3755.0, near)
