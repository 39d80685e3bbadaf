"""What the collector's settings lead to: too much headroom, none, no collector, a memory limit that is too high."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from causes.series import MIB, history, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import RuntimeHistory
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.event import Event, EventKind
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Certainty
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict

NO_GOAL = 2.0**63 * 0.97


def named(judged: RuntimeHistory) -> list[str]:
    return [cause.cause for cause in causes(judged)]


def causes(judged: RuntimeHistory) -> tuple[CauseVerdict, ...]:
    verdict = judge(judged).verdict
    return verdict.causes if verdict else ()


def changed(
    samples: tuple[RuntimeSample, ...], change: Callable[[float, dict[str, float]], dict[str, float]]
) -> tuple[RuntimeSample, ...]:
    return tuple(replace(each, values={**each.values, **change(each.seconds, each.values)}) for each in samples)


def uncollected(gogc: float = -1.0, **more: float) -> tuple[RuntimeSample, ...]:
    """Return a process that allocates 8 MiB/s and collects nothing, in a container of 128 MiB."""

    def heap(second: float, _: dict[str, float]) -> dict[str, float]:
        size = (4 + 8 * second) * MIB
        return {
            "heap_alloc": size,
            "heap_sys": size,
            "heap_inuse": size,
            "sys": size + 8 * MIB,
            "total_alloc": size,
            "num_gc": 0.0,
            "heap_goal": NO_GOAL,
            "container_limit": 128.0 * MIB,
            "container_usage": size + 4 * MIB,
            **more,
        }

    return changed(process(lambda _: 4 * MIB, gogc=gogc), heap)


def test_a_collector_that_is_off_is_named() -> None:
    (cause,) = causes(history(uncollected()))
    assert cause.cause == "gc-disabled"
    assert cause.certainty is Certainty.MEASURED
    assert "the heap grows 8.0 MiB/s" in cause.summary
    assert any("GOMEMLIMIT=" in text for text in cause.advice)


def test_a_collector_switched_off_in_code_is_told_by_the_missing_goal() -> None:
    assert named(history(uncollected(gogc=100.0))) == ["gc-disabled"]
    without = tuple(
        replace(each, values={name: value for name, value in each.values.items() if name != "heap_goal"})
        for each in uncollected(gogc=100.0)
    )
    assert named(history(without)) == ["gc-disabled"]


def test_off_with_a_limit_above_the_container_is_a_misset_limit() -> None:
    made = uncollected(memory_limit=512.0 * MIB, heap_goal=490.0 * MIB)
    (cause,) = causes(history(made))
    assert cause.cause == "memory-limit-misset"
    assert any("no collection has run yet" in statement.text for statement in cause.evidence)


def test_off_with_a_limit_that_fits_is_no_cause() -> None:
    assert named(history(uncollected(memory_limit=100.0 * MIB, heap_goal=90.0 * MIB))) == []


def test_off_and_idle_is_no_cause() -> None:
    still = changed(
        uncollected(), lambda *_: dict.fromkeys(("heap_alloc", "heap_inuse", "heap_sys", "total_alloc"), 4.0 * MIB)
    )
    assert named(history(still)) == []


def bound(live_bytes: float, memory_limit: float, *, per_second: float = 10.0, **more: float) -> RuntimeHistory:
    """Return a process whose goal GOMEMLIMIT sets, with a level live heap, in a container of 256 MiB."""

    def values(second: float, _: dict[str, float]) -> dict[str, float]:
        goal = max(memory_limit - 10 * MIB, live_bytes)
        heap = live_bytes + (goal - live_bytes) * ((second * 7 % 10) / 10)
        return {
            "heap_alloc": heap,
            "heap_marked": live_bytes,
            "heap_goal": goal,
            "heap_sys": goal,
            "heap_inuse": heap,
            "sys": goal + 8 * MIB,
            "num_gc": 10.0 + per_second * second,
            "gc_cpu": 0.3,
            "process_started": 1.7e9 - 10,
            "last_gc": 1.7e9 + second,
            "memory_limit": memory_limit,
            "container_limit": 256.0 * MIB,
            "container_usage": goal + 10 * MIB,
            **more,
        }

    return history(changed(process(lambda _: live_bytes, garbage_per_second=20 * MIB), values))


def test_a_limit_right_above_the_live_heap_makes_the_collector_spin() -> None:
    (cause,) = causes(bound(52 * MIB, 64 * MIB))
    assert cause.cause == "gc-thrash"
    assert cause.certainty is Certainty.MEASURED
    assert "take 30 % of the CPU" in cause.summary
    assert cause.advice[0].startswith("set GOMEMLIMIT=2")
    assert "% of the CPU" in cause.advice[0]


def test_the_limiter_alone_is_proof_of_thrashing() -> None:
    assert named(bound(52 * MIB, 64 * MIB, per_second=2.0, gc_cpu=0.01, gc_limiter_cycle=30.0)) == ["gc-thrash"]
    assert named(bound(52 * MIB, 64 * MIB, per_second=2.0, gc_cpu=0.01, gc_limiter_cycle=3.0)) == []


def test_many_cheap_collections_are_not_thrashing() -> None:
    assert named(bound(30 * MIB, 64 * MIB)) == []  # the goal is far above what is live
    assert named(bound(52 * MIB, 64 * MIB, per_second=0.5, gc_cpu=0.01)) == []


def test_thrashing_in_a_container_without_room_is_a_limit_too_small_first() -> None:
    judged = bound(104 * MIB, 116 * MIB, container_limit=128.0 * MIB)
    assert named(judged) == ["limit-too-small", "gc-thrash"]
    assert any("no GOMEMLIMIT gives the collector room" in text for text in causes(judged)[1].advice)


def crowded(live_bytes: float, **more: float) -> tuple[RuntimeSample, ...]:
    """Return a process with a level live heap in a container of 512 MiB, nearly full."""
    inside = {"container_limit": 512.0 * MIB, "container_usage": 500.0 * MIB, **more}
    heap = dict.fromkeys(("heap_alloc", "heap_inuse", "heap_sys"), live_bytes + 5 * MIB)
    return changed(process(lambda _: live_bytes), lambda *_: {"sys": live_bytes + 15 * MIB, **heap, **inside})


def test_a_level_working_set_that_does_not_fit_needs_more() -> None:
    (cause,) = causes(history(crowded(460 * MIB)))
    assert cause.cause == "limit-too-small"
    assert "no room for garbage" in cause.summary
    assert cause.advice[0].startswith("raise the limit to 6")
    assert cause.advice[1].endswith("at GOGC=100")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"container_other_rss": 200.0 * MIB}, id="others fill it"),
        pytest.param({"container_usage": 380.0 * MIB}, id="there is room"),
        pytest.param({"container_limit": 4096.0 * MIB}, id="it fits"),
    ],
)
def test_a_working_set_that_fits_is_no_limit_too_small(more: dict[str, float]) -> None:
    assert "limit-too-small" not in named(history(crowded(460 * MIB, **more)))


def test_growth_is_never_a_limit_too_small() -> None:
    inside = {"container_limit": 512.0 * MIB, "container_usage": 500.0 * MIB}
    assert named(history(process(lambda t: (400 + 5 * t) * MIB, more=inside))) == ["live-heap-growth"]


def test_a_memory_limit_that_leaves_out_what_is_outside_go() -> None:
    inside = {"container_limit": 512.0 * MIB, "memory_limit": 460.0 * MIB}
    made = changed(
        process(lambda _: 150 * MIB, gogc=400, more=inside),
        lambda _, values: {"heap_goal": 440.0 * MIB, "container_usage": values["heap_sys"] + 160 * MIB},
    )
    (cause,) = causes(history(made))
    assert cause.cause == "memory-limit-misset"
    assert "outside Go are more than the limit of 512 MiB" in cause.summary
    fits = changed(made, lambda _, values: {"container_usage": values["heap_sys"] + 20 * MIB})
    assert named(history(fits)) == []


def test_a_useless_memory_limit_that_gogc_never_reaches_is_no_cause() -> None:
    inside = {"container_limit": 512.0 * MIB, "container_usage": 120.0 * MIB, "memory_limit": 900.0 * MIB}
    assert named(history(process(lambda _: 50 * MIB, more=inside))) == []


def test_while_demand_grows_a_setting_does_not_come_first() -> None:
    inside = {"container_limit": 512.0 * MIB, "container_usage": 500.0 * MIB, "memory_limit": 900.0 * MIB}
    made = process(lambda t: (240 + 5 * t) * MIB, more=inside)
    assert named(history(made)) == ["live-heap-growth", "memory-limit-misset"]
    below = changed(made, lambda second, _: {"memory_limit": 500.0 * MIB, "heap_marked": (240 + 5 * second) * MIB})
    assert named(history(below)) == ["live-heap-growth"]


def killed_at(second: int, **labels: str) -> tuple[Event, ...]:
    at, who = f"2026-01-01T00:00:{second:02}Z", {"pid": "7"}
    killed = Event(EventKind.OOM_KILL, at, "The kernel killed it.", "kernel", {**who, **labels})
    return killed, Event(EventKind.EXIT, at, "The process has ended.", "process", who)


def modest(**more: float) -> tuple[RuntimeSample, ...]:
    inside = {"container_limit": 256.0 * MIB, "container_usage": 30.0 * MIB, **more}
    return process(lambda _: 8 * MIB, garbage_per_second=4 * MIB, more=inside)


def test_a_kill_out_of_the_blue_is_an_inferred_burst() -> None:
    judged = replace(history(modest()), events=killed_at(13, anon_rss=str(250 * MIB)))
    (cause,) = causes(judged)
    assert cause.cause == "allocation-burst"
    assert cause.certainty is Certainty.INFERRED
    assert "220 MiB on top of the usual 30" in cause.summary
    assert any("between two samples" in statement.text for statement in cause.evidence)


def test_a_burst_that_samples_saw_is_measured() -> None:
    def burst(second: float, _: dict[str, float]) -> dict[str, float]:
        if second != 7:  # the moment of the burst
            return {}
        heap = 220.0 * MIB
        return {"heap_alloc": heap, "heap_sys": heap, "heap_inuse": heap, "sys": heap, "container_usage": heap}

    (cause,) = causes(history(changed(modest(), burst)))
    assert cause.cause == "allocation-burst"
    assert cause.certainty is Certainty.MEASURED


def test_a_peak_between_samples_counts_only_when_it_rose_in_the_window() -> None:
    old = modest(container_peak=250.0 * MIB)
    assert named(history(old)) == []
    rose = changed(old, lambda second, _: {"container_peak": (31 if second < 6 else 250) * MIB})
    assert named(history(rose)) == ["allocation-burst"]


def test_memory_that_was_on_its_way_to_the_limit_is_no_burst() -> None:
    climbing = changed(modest(), lambda second, _: {"container_usage": (20 + 18 * second) * MIB})
    assert "allocation-burst" not in named(replace(history(climbing), events=killed_at(13)))


def test_a_burst_that_the_last_sample_is_in_was_not_on_its_way() -> None:
    def burst(second: float, _: dict[str, float]) -> dict[str, float]:
        heap = 240.0 * MIB
        is_it = {"heap_alloc": heap, "heap_sys": heap, "heap_inuse": heap, "sys": heap, "container_usage": 255.0 * MIB}
        return {**is_it, "heap_marked": 200.0 * MIB} if second >= 12 else {"heap_marked": 8.0 * MIB}

    made = changed(modest(), burst)
    assert named(replace(history(made), events=killed_at(13))) == ["allocation-burst"]


def test_an_earlier_runs_kill_says_nothing_of_this_one() -> None:
    earlier = tuple(replace(event, at="2025-12-31T00:00:00Z") for event in killed_at(1))
    assert "allocation-burst" not in named(replace(history(modest()), events=earlier))


def loading(stack: tuple[str, ...], garbage: float = 0.0) -> RuntimeHistory:
    """Return a process that was killed at 13 s, three seconds old at first, whose main goroutine has this stack."""
    sites = tuple(Site("main.go", 20, 0, name.rpartition(".")[2], name.rpartition(".")[0]) for name in stack)
    inside = {"container_limit": 128.0 * MIB, "container_usage": 120.0 * MIB, "process_started": 1767225600.0 - 3}

    def live(second: float) -> float:
        return (5 + 9 * second) * MIB

    made = changed(
        process(live, more=inside),
        lambda second, _: {"heap_alloc": live(second), "total_alloc": live(second) + garbage * second},
    )
    samples = tuple(replace(each, goroutines=(GoroutineGroup(1, "sleep", sites),)) for each in made)
    return replace(history(samples), events=killed_at(13))


def test_a_death_during_the_start_up_load_may_be_a_limit_too_small() -> None:
    judged = loading(("time.Sleep", "main.loadModel", "main.main", "runtime.main"))
    assert named(judged) == ["live-heap-growth", "limit-too-small"]
    second = causes(judged)[1]
    assert second.certainty is Certainty.INFERRED
    assert "main.loadModel loads at the start" in second.summary


def test_a_death_while_serving_is_no_start_up_load() -> None:
    assert named(loading(("net/http.Serve", "main.main", "runtime.main"))) == ["live-heap-growth"]
    assert named(loading(("time.Sleep", "main.main", "runtime.main"))) == ["live-heap-growth"]
    with_garbage = loading(("time.Sleep", "main.loadModel", "main.main", "runtime.main"), garbage=5 * MIB)
    assert named(with_garbage) == ["live-heap-growth"]
