from __future__ import annotations

from causes.kept_series import at, callee, grown, rising, with_values
from causes.series import MIB, history, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import LineGrowth
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict

VALUE = at("cart.go", 20, "buy")
START = at("cart.go", 21, "buy")
ELSEWHERE = at("cache.go", 9, "put")


def causes(*lines: LineGrowth, samples: tuple[RuntimeSample, ...] | None = None) -> list[CauseVerdict]:
    verdict = judge(history(samples or process(rising), *lines)).verdict
    return list(verdict.causes) if verdict else []


def names(*lines: LineGrowth, samples: tuple[RuntimeSample, ...] | None = None) -> list[str]:
    return [cause.cause for cause in causes(*lines, samples=samples)]


def test_values_handed_to_after_func_and_the_timers_beside_them() -> None:
    (cause,) = causes(
        grown(VALUE, 44, root=callee("time.AfterFunc"), objects=11_000),
        grown(START, 2, callees={"time.AfterFunc": (2, 12_000)}, objects=12_000),
    )
    assert cause.cause == "timer-leak"
    assert cause.certainty is Certainty.MEASURED
    texts = [statement.text for statement in cause.evidence]
    assert any("cart.go:21 holds about 12,000 timers made by time.AfterFunc" in text for text in texts)
    assert "it is handed to time.AfterFunc" in texts
    assert any(advice.startswith("cart.go:21") and "Stop" in advice for advice in cause.advice)


def test_without_source_what_is_made_beside_as_many_timers_is_counted_to_them() -> None:
    timers = grown(START, 3, callees={"context.WithTimeout": (3, 12_000)}, objects=24_000)
    (cause,) = causes(grown(VALUE, 44, objects=11_000), timers)
    assert cause.cause == "timer-leak"
    assert cause.certainty is Certainty.INFERRED
    assert any("defer cancel()" in advice for advice in cause.advice)


def test_one_sample_of_a_timer_beside_a_cache_is_no_leak() -> None:
    stray = grown(START, 0.5, callees={"context.WithTimeout": (0.5, 4_700)}, objects=4_700)
    assert names(grown(VALUE, 44, objects=11_000), stray) == ["live-heap-growth"]


def test_a_few_timers_beside_many_values_are_no_leak() -> None:
    timers = grown(START, 1.2, callees={"time.AfterFunc": (1.2, 900)}, objects=900)
    assert names(grown(VALUE, 44, objects=110_000), timers) == ["live-heap-growth"]


def test_timers_in_another_function_do_not_explain_a_cache() -> None:
    timers = grown(START, 2, callees={"time.AfterFunc": (2, 12_000)}, objects=12_000)
    assert names(grown(ELSEWHERE, 44, objects=11_000), timers) == ["live-heap-growth"]


def test_the_runtimes_own_count_names_it_without_a_profile() -> None:
    samples = with_values(process(rising), lambda t: {"timers": 10 + 500 * t})
    (cause,) = causes(samples=samples)
    assert cause.cause == "timer-leak"
    assert cause.certainty is Certainty.INFERRED
    assert any("the runtime has 6,010 timers" in statement.text for statement in cause.evidence)


def test_timers_of_sleeping_goroutines_are_no_leak() -> None:
    samples = with_values(
        process(rising, goroutines=lambda t: int(50 + 500 * t)), lambda t: {"timers": float(int(50 + 500 * t))}
    )
    assert names(samples=samples)[:1] == ["goroutine-leak"]


def test_a_count_that_stays_level_speaks_against_it() -> None:
    samples = with_values(process(rising), lambda _: {"timers": 40.0})
    handed = grown(VALUE, 44, root=callee("time.AfterFunc"), objects=11_000)
    assert names(handed, samples=samples) == ["live-heap-growth"]


def test_a_level_heap_gets_no_cause_however_many_timers() -> None:
    samples = with_values(process(lambda _: 80 * MIB), lambda t: {"timers": 10 + 500 * t})
    assert names(samples=samples) == []
