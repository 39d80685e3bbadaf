from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchains import go, newest, oldest
from whyheap.goruntime.heap_goal import (
    GC_OFF,
    Pacing,
    heap_goal,
    marked_from_goal,
    parse_gc_percent,
    parse_memory_limit,
)
from whyheap.goruntime.standard_library import STANDARD_ROOTS, is_standard

MIB = 1 << 20


def test_goal_doubles_the_live_heap_and_counts_stacks_once() -> None:
    assert heap_goal(100 * MIB, 10 * MIB, Pacing(100)) == 210 * MIB
    assert heap_goal(100 * MIB, 10 * MIB, Pacing(50)) == 155 * MIB


def test_minimum_heap_scales_with_gogc() -> None:
    assert heap_goal(0, 0, Pacing(100)) == 4 * MIB
    assert heap_goal(0, 0, Pacing(400)) == 16 * MIB


def test_gogc_off_has_no_goal_without_a_memory_limit() -> None:
    assert math.isinf(heap_goal(100 * MIB, 0, Pacing(GC_OFF)))
    assert heap_goal(100 * MIB, 0, Pacing(GC_OFF, 1000 * MIB), 100 * MIB) == pytest.approx(873 * MIB)


def test_memory_limit_binds_only_when_it_is_smaller_and_never_below_live() -> None:
    assert heap_goal(100 * MIB, 0, Pacing(100, 1000 * MIB)) == 200 * MIB
    assert heap_goal(600 * MIB, 0, Pacing(100, 1000 * MIB), 50 * MIB) == pytest.approx(921.5 * MIB)
    assert heap_goal(990 * MIB, 0, Pacing(100, 1000 * MIB), 50 * MIB) == 990 * MIB
    assert heap_goal(10 * MIB, 0, Pacing(100, 10 * MIB), 50 * MIB) == 10 * MIB


@given(st.integers(8 * MIB, 1 << 40), st.integers(0, 1 << 32), st.integers(1, 1000))
def test_live_heap_comes_back_from_its_goal(marked: int, roots: int, percent: int) -> None:
    goal = heap_goal(marked, roots, Pacing(percent))
    assert marked_from_goal(goal, roots, percent) == pytest.approx(marked)


@pytest.mark.parametrize(
    ("goal", "percent"), [(4 * MIB, 100), (2.0**64, 100), (100 * MIB, -1), (100 * MIB, 0), (0, 100)]
)
def test_goals_that_tell_nothing_of_the_live_heap(goal: float, percent: int) -> None:
    assert marked_from_goal(goal, 0, percent) is None


@pytest.mark.parametrize(
    ("text", "percent"), [("100", 100), ("off", -1), ("-5", -1), ("0", 0), ("", None), ("50%", None), ("1e3", None)]
)
def test_gogc_is_read_as_the_runtime_does(text: str, percent: int | None) -> None:
    assert parse_gc_percent(text) == percent


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("900MiB", 900 * MIB),
        ("1GiB", 1 << 30),
        ("1073741824", 1 << 30),
        ("5B", 5),
        ("off", None),
        ("", None),
        ("1GB", None),
    ],
)
def test_gomemlimit_is_read_as_the_runtime_does(text: str, limit: int | None) -> None:
    assert parse_memory_limit(text) == limit


@pytest.mark.live
@pytest.mark.parametrize("version", [oldest(), newest()])
def test_cited_formulas_stand_in_the_runtime(version: str) -> None:
    runtime = go(version).parents[1] / "src" / "runtime"
    pacer = (runtime / "mgcpacer.go").read_text()
    assert "c.heapMarked + (c.heapMarked+c.lastStackScan.Load()+c.globalsScan.Load())*uint64(gcPercent)/100" in pacer
    assert "(1-goexperiment.HeapMinimum512KiBInt)*(4<<20)" in pacer
    assert "memoryLimitHeapGoalHeadroomPercent = 3" in pacer
    assert "memoryLimitMinHeapGoalHeadroom = 1 << 20" in pacer
    assert "forcegcperiod int64 = 2 * 60 * 1e9" in (runtime / "proc.go").read_text()
    assert "stats.NextGC = heapGoal" in (runtime / "mstats.go").read_text()


@pytest.mark.live
@pytest.mark.parametrize("version", [oldest(), newest()])
def test_standard_roots_are_the_folders_of_goroot(version: str) -> None:
    source: Path = go(version).parents[1] / "src"
    assert {folder.name for folder in source.iterdir() if folder.is_dir()} - {"src", "testdata"} <= STANDARD_ROOTS


def test_module_paths_are_not_standard() -> None:
    assert is_standard("net/http")
    assert not is_standard("example.com/net/http")
    assert not is_standard("main")
