"""The heap goal at a moment, from the pacer's own variables (mgcpacer.go heapGoalInternal, 1.22 to 1.27)."""

from __future__ import annotations

from collections.abc import Mapping

from whyheap.goruntime.heap_goal import LIMIT_HEADROOM_MINIMUM_BYTES

FIELDS = (
    "gcPercentHeapGoal",
    "sweepDistMinTrigger",
    "triggered",
    "heapMarked",
    "heapFree",
    "totalAlloc",
    "totalFree",
    "mappedReady",
    "memoryLimit",
)
"""What of gcController the goal follows from."""

_HEADROOM_PERCENT = 3  # memoryLimitHeapGoalHeadroomPercent
_LEAST_RUNWAY_BYTES = 64 << 10  # heapGoalInternal, minRunway
_NOT_TRIGGERED = 2**64 - 1


def goal_now(controller: Mapping[str, int]) -> int:
    """Return the goal in bytes from gcController's fields; 2^63 or more for none.

    Unlike the formula in heap_goal.py it follows what the runtime does between two collections: a least distance for
    sweeping and behind the trigger, and what the limit leaves for the heap just now.
    """
    goal = controller["gcPercentHeapGoal"]
    by_limit = _limit_goal(controller)
    if by_limit < goal:
        return by_limit
    goal = max(goal, controller["sweepDistMinTrigger"])
    if controller["triggered"] != _NOT_TRIGGERED:
        goal = max(goal, controller["triggered"] + _LEAST_RUNWAY_BYTES)
    return goal


def _limit_goal(controller: Mapping[str, int]) -> int:
    """Return what GOMEMLIMIT allows (memoryLimitHeapGoal)."""
    limit, mapped, marked = controller["memoryLimit"], controller["mappedReady"], controller["heapMarked"]
    heap_alloc = max(controller["totalAlloc"] - controller["totalFree"], 0)
    non_heap = max(mapped - controller["heapFree"] - heap_alloc, 0)
    overage = max(mapped - limit, 0)
    if non_heap + overage >= limit:
        return marked
    goal = limit - (non_heap + overage)
    headroom = max(goal // 100 * _HEADROOM_PERCENT, LIMIT_HEADROOM_MINIMUM_BYTES)
    goal = headroom if goal < 2 * headroom else goal - headroom
    return max(goal, marked)
