from __future__ import annotations

from collections.abc import Callable

import pytest

from causes.kept_series import at, callee, grown, rising, with_goroutines, with_values
from causes.series import MIB, history, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import LineGrowth
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Certainty
from whyheap.model.root import Root, RootKind
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict

FREES = at("frame.go", 29, "(*Frame).giveBack")
MADE = at("frame.go", 12, "capture")
SLEEPS = Site("runtime/time.go", 368, 0, "Sleep", "time")
RUNNERS = ("runfinq", "runFinalizers", "runCleanups")
HELD = grown(MADE, 44, root=callee("runtime.SetFinalizer"))


def running(runner: str = "runFinalizers") -> GoroutineGroup:
    return GoroutineGroup(1, "sleep", (SLEEPS, FREES, Site("runtime/mfinal.go", 272, 0, runner, "runtime")))


def causes(samples: tuple[RuntimeSample, ...], *lines: LineGrowth) -> list[CauseVerdict]:
    verdict = judge(history(samples, *lines)).verdict
    return list(verdict.causes) if verdict else []


def names(samples: tuple[RuntimeSample, ...], *lines: LineGrowth) -> list[str]:
    return [cause.cause for cause in causes(samples, *lines)]


def counts(queued: Callable[[float], float], executed: Callable[[float], float]) -> tuple[RuntimeSample, ...]:
    return with_values(process(rising), lambda t: {"finalizers_queued": queued(t), "finalizers_executed": executed(t)})


def test_counts_that_part_are_a_measured_backlog() -> None:
    (cause,) = causes(counts(lambda t: 1000 + 150 * t, lambda t: 1000 + 50 * t), HELD)
    assert cause.cause == "finalizer-backlog"
    assert cause.certainty is Certainty.MEASURED
    assert cause.summary.startswith("1,200 finalizers wait to run, 100 more a second")
    assert any("50 a second ran" in statement.text for statement in cause.evidence)
    assert any("frame.go:12 holds 44" in statement.text for statement in cause.evidence)


def test_counts_of_cleanups_alone_are_enough() -> None:
    samples = with_values(process(rising), lambda t: {"cleanups_queued": 100 * t, "cleanups_executed": 0.0})
    (cause,) = causes(samples)
    assert cause.cause == "finalizer-backlog"
    assert "cleanups wait to run" in cause.summary


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_goroutine_that_never_rests_is_an_inferred_backlog(runner: str) -> None:
    samples = with_goroutines(process(rising), lambda t: [running(runner)] if t else [])
    (cause,) = causes(samples, grown(MADE, 44))
    assert cause.cause == "finalizer-backlog"
    assert cause.certainty is Certainty.INFERRED
    assert any("at frame.go:29 in (*Frame).giveBack (sleep)" in statement.text for statement in cause.evidence)
    assert any(advice.startswith("frame.go:29") for advice in cause.advice)


def test_a_goroutine_that_is_seen_now_and_then_keeps_up() -> None:
    samples = with_goroutines(
        process(rising), lambda t: [running()] if t % 3 else [GoroutineGroup(1, "select", (MADE,))]
    )
    assert names(samples, grown(MADE, 44)) == ["live-heap-growth"]


def test_counts_that_keep_pace_say_more_than_a_goroutine_that_is_often_seen() -> None:
    samples = with_goroutines(counts(lambda t: 150 * t + 3, lambda t: 150 * t), lambda _: [running()])
    assert names(samples, HELD) == ["live-heap-growth"]


def test_a_slow_finalizer_does_not_explain_what_something_else_keeps() -> None:
    samples = with_goroutines(process(rising), lambda _: [running()])
    stored = Root("r2", RootKind.STORE, None, "cache[k] = ... in put", "cache[k]")
    assert names(samples, grown(MADE, 44, root=stored)) == ["live-heap-growth"]


def test_a_level_heap_gets_no_cause() -> None:
    samples = with_goroutines(process(lambda _: 80 * MIB), lambda _: [running()])
    assert names(samples) == []
