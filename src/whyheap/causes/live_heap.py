"""The live heap after each collection, told from samples that were taken at any moment.

Between collections HeapAlloc is live heap plus garbage: a sawtooth. But the goal of the next collection is fixed when
the last one ends, and follows from what was live then; the pacer's formula turned round gives one point per collection,
however rarely samples are taken. Where the formula does not hold (GOGC=off, GOMEMLIMIT binds) the lowest HeapAlloc of
each stretch of the window stands in, an upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.goruntime.heap_goal import (
    DEFAULT_GC_PERCENT,
    DEFAULT_HEAP_MINIMUM_BYTES,
    GC_OFF,
    NO_GOAL_BYTES,
    Pacing,
    marked_from_goal,
    memory_limit_goal,
)

LIMIT_BINDS_SHARE = 0.95
"""A goal this near to what GOMEMLIMIT allows was set by it."""
STRETCHES = 6


@dataclass(frozen=True, slots=True)
class LiveHeap:
    """Points (seconds, bytes) in order of time, empty when none can be told; `bytes` is the last one, None if unknown.

    `collections` is how many different ones the samples saw; `by_goal` whether the pacer gave the points: its own count
    of what it marked, or the goal by its formula.
    """

    points: tuple[tuple[float, float], ...]
    bytes: float | None
    collections: int
    by_goal: bool


def live_heap(samples: Sequence[RuntimeSample], pacing: Pacing) -> LiveHeap:
    """Return the live heap over the window."""
    numbered = [sample for sample in samples if {"heap_alloc", "num_gc"} <= sample.values.keys()]
    cycles = [list(cycle) for number, cycle in groupby(numbered, lambda sample: sample.values["num_gc"]) if number > 0]
    if cycles and all("heap_marked" in cycle[0].values for cycle in cycles):
        marked = [min(cycle[0].values["heap_marked"], cycle[0].values["heap_alloc"]) for cycle in cycles]
        return LiveHeap(tuple(zip(_ends(cycles), marked, strict=True)), marked[-1], len(cycles), by_goal=True)
    if cycles and all(_goal_tells(cycle, pacing) for cycle in cycles):
        ended = _ends(cycles)
        points = tuple((at, _marked(cycle, pacing)) for at, cycle in zip(ended, cycles, strict=True))
        return LiveHeap(points, points[-1][1], len(cycles), by_goal=True)
    if not cycles:
        return LiveHeap((), None, 0, by_goal=False)
    run = int(numbered[-1].values["num_gc"] - numbered[0].values["num_gc"])
    points = tuple(_lowest(numbered)) if run >= STRETCHES else ()  # else a stretch may hold no collection
    lowest = min(sample.values["heap_alloc"] for sample in cycles[-1])
    return LiveHeap(points, min(lowest, points[-1][1]) if points else lowest, len(cycles), by_goal=False)


def gc_percent(samples: Sequence[RuntimeSample]) -> tuple[int, bool]:
    """Return GOGC and whether it was told; else 100, or what the samples need at least when they contradict 100."""
    if samples and _has_no_goal(samples[-1].values):
        return GC_OFF, True  # by debug.SetGCPercent, when the environment says otherwise
    told = next((sample.values["gogc"] for sample in reversed(samples) if "gogc" in sample.values), None)
    if told is not None:
        return int(told), True
    least = DEFAULT_GC_PERCENT / 100
    for sample in samples:
        goal, heap = sample.values.get("heap_goal", 0.0), sample.values.get("heap_alloc", 0.0)
        if sample.values.get("num_gc") and heap > DEFAULT_HEAP_MINIMUM_BYTES:
            least = max(least, goal / heap - 1)  # HeapAlloc is never below what was live
    tenths = round(least * 10) * 10
    return (tenths if tenths > DEFAULT_GC_PERCENT * 1.2 else DEFAULT_GC_PERCENT), False


def _has_no_goal(values: Mapping[str, float]) -> bool:
    """Whether the runtime told its numbers but no goal, as it does with GOGC=off and no memory limit."""
    if "heap_goal" in values:
        return values["heap_goal"] >= NO_GOAL_BYTES
    return {"heap_alloc", "heap_sys", "num_gc", "last_gc", "sys"} <= values.keys()


def non_heap_bytes(values: dict[str, float]) -> float:
    """Return what counts against GOMEMLIMIT besides objects and free heap: mgcpacer.go, memoryLimitHeapGoal, term 1."""
    return max(values.get("sys", 0.0) - values.get("heap_idle", 0.0) - values.get("heap_alloc", 0.0), 0.0)


def root_bytes(values: dict[str, float]) -> float:
    """Return stacks as the collector scans them: at most those in use."""
    return values.get("stack_inuse", 0.0)


def _goal_tells(cycle: list[RuntimeSample], pacing: Pacing) -> bool:
    values = cycle[-1].values
    goal = values.get("heap_goal", 0.0)
    if pacing.gc_percent <= 0 or not goal:
        return False
    if pacing.memory_limit_bytes is None:
        return True
    allowed = memory_limit_goal(0.0, pacing.memory_limit_bytes, non_heap_bytes(values))
    return goal < LIMIT_BINDS_SHARE * allowed


def _ends(cycles: Sequence[Sequence[RuntimeSample]]) -> list[float]:
    """Return when each collection ended, in seconds of the samples, by the distances on the target's own clock."""
    last = cycles[-1][0]
    ends = [last.seconds - last.values.get("last_gc", 0.0) + cycle[0].values.get("last_gc", 0.0) for cycle in cycles]
    seen = [cycle[0].seconds for cycle in cycles]
    plausible = ends == sorted(ends) and all(end <= first + 1 for end, first in zip(ends, seen, strict=True))
    return ends if plausible else seen


def _marked(cycle: list[RuntimeSample], pacing: Pacing) -> float:
    lowest_heap = min(sample.values["heap_alloc"] for sample in cycle)
    best = min(cycle, key=lambda sample: sample.values["heap_goal"])  # a late sweep may lift the goal for a while
    goal = best.values["heap_goal"]
    marked = marked_from_goal(goal, root_bytes(best.values), pacing.gc_percent)
    if marked is None:  # the minimum heap: less is live than would lead to it
        marked = goal / (1 + pacing.ratio)
    return min(marked, lowest_heap)


def _lowest(samples: Sequence[RuntimeSample]) -> list[tuple[float, float]]:
    """Return the lowest HeapAlloc of each of a few stretches of the window."""
    width = max(1, len(samples) // STRETCHES)
    stretches = [samples[start : start + width] for start in range(0, len(samples) - width + 1, width)]
    lowest = [min(stretch, key=lambda sample: sample.values["heap_alloc"]) for stretch in stretches]
    return [(sample.seconds, sample.values["heap_alloc"]) for sample in lowest]
