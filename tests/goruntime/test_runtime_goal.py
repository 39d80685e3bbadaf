"""The goal between two collections, by the pacer's own variables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whyheap.goruntime.runtime_goal import FIELDS, goal_now

MIB = 1 << 20
NONE = 2**64 - 1
AT_REST = {
    "gcPercentHeapGoal": 100 * MIB,
    "sweepDistMinTrigger": 0,
    "triggered": NONE,
    "heapMarked": 50 * MIB,
    "heapFree": 5 * MIB,
    "totalAlloc": 400 * MIB,
    "totalFree": 320 * MIB,
    "mappedReady": 95 * MIB,
    "memoryLimit": 2**63 - 1,
}


def test_without_a_limit_it_is_what_gogc_gives() -> None:
    assert goal_now(AT_REST) == 100 * MIB


def test_it_keeps_a_distance_for_sweeping_and_behind_the_trigger() -> None:
    assert goal_now({**AT_REST, "sweepDistMinTrigger": 120 * MIB}) == 120 * MIB
    assert goal_now({**AT_REST, "triggered": 110 * MIB}) == 110 * MIB + 65536


def test_a_limit_leaves_what_is_not_heap_and_three_percent() -> None:
    limited = {**AT_REST, "memoryLimit": 100 * MIB}
    left = 100 * MIB - (95 - 5 - 80) * MIB
    assert goal_now(limited) == left - left // 100 * 3


def test_a_limit_below_what_is_not_heap_leaves_the_marked_heap() -> None:
    assert goal_now({**AT_REST, "memoryLimit": 8 * MIB}) == 50 * MIB


def test_gogc_off_without_a_limit_has_no_goal() -> None:
    assert goal_now({**AT_REST, "gcPercentHeapGoal": NONE}) >= 2**63 - 1 - 2**60


@given(st.fixed_dictionaries({name: st.integers(0, 2**64 - 1) for name in FIELDS}))
def test_any_numbers_give_a_goal(numbers: dict[str, int]) -> None:
    assert goal_now(numbers) >= 0
