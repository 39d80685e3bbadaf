from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causes.series import BLOCKED, CACHE, MIB, history, process
from whyheap.causes.catalogue import CAUSES, Judgement, get, judge
from whyheap.causes.cause import HEADINGS, Cause
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.collect.runtime_sample import RuntimeSeries, samples_from_gauges
from whyheap.errors import UsageError
from whyheap.model.finding import Certainty, Finding
from whyheap.model.gauge import LARGEST_VALUE
from whyheap.model.gauge_units import UNITS

RECORDED = Path(__file__).parents[1] / "recorded" / "runtime"
SCENARIOS = {
    "gc_headroom.search_index": "gc-headroom",
    "goroutine_leak.late_answers": "goroutine-leak",
    "unbounded_cache.session_map": "live-heap-growth",  # the recording has neither profile nor source
}
RECORDINGS = sorted(RECORDED.glob("*.json"))


def recorded(path: Path) -> RuntimeHistory:
    series = msgspec.json.decode(path.read_bytes(), type=RuntimeSeries)
    return RuntimeHistory(series.samples, limit_name=series.limit_name)


def names(judgement: Judgement) -> list[str]:
    assert judgement.verdict is not None
    return [cause.cause for cause in judgement.verdict.causes]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recorded_programs_are_judged_right(path: Path) -> None:
    program = path.stem.rpartition("-")[0]
    judgement = judge(recorded(path))
    if program in SCENARIOS:
        assert names(judgement)[0] == SCENARIOS[program]
        for cause in judgement.verdict.causes if judgement.verdict else ():
            assert cause.bytes > 0
            assert 0 < cause.share <= 1
            assert cause.evidence
            assert cause.advice
    else:
        assert names(judgement) == []
        assert judgement.gaps  # how slow a growth would have gone unseen


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_gauges_of_a_capture_give_the_same_verdict(path: Path) -> None:
    original = recorded(path)
    gauges = [gauge for sample in original.samples for gauge in sample.gauges]
    stacks = {sample.at: sample.goroutines for sample in original.samples}
    again = replace(original, samples=samples_from_gauges(gauges, stacks))
    assert judge(again) == judge(original)


def test_every_program_is_recorded() -> None:
    programs = {path.stem.rpartition("-")[0] for path in RECORDINGS}
    assert programs == {*SCENARIOS, "flat", "sawtooth", "warm_up", "cache_eviction", "diurnal"}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.slug)
def test_every_cause_is_documented_and_has_programs(cause: Cause) -> None:
    assert tuple(cause.sections) == HEADINGS
    assert all(len(text) > 40 for text in cause.sections.values())
    folder = Path(__file__).parents[2] / "src" / "whyheap" / "causes" / cause.slug.replace("-", "_")
    assert len(list(folder.glob("scenario/*/main.go"))) >= 3
    assert get(cause.slug) is cause


def test_an_unknown_cause_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        get("gorutine-leak")
    assert "goroutine-leak" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        get("zzz")
    assert "gc-headroom" in caught.value.hint


def test_one_moment_is_no_verdict_but_a_gap() -> None:
    judgement = judge(history(process(lambda _: 50 * MIB)[:1]))
    assert judgement.verdict is None
    assert "--seconds" in judgement.gaps[0].hint


EXTREMES = st.sampled_from([0.0, -1.0, 1.0, 5e-324, -5e-324, 1e9, LARGEST_VALUE, -LARGEST_VALUE])
ODD = st.dictionaries(st.sampled_from(sorted(UNITS)), EXTREMES, max_size=8)


@settings(max_examples=300, deadline=None)
@given(ODD, ODD, st.lists(EXTREMES, max_size=12))
def test_whatever_finite_numbers_are_told_there_is_a_judgement(
    always: dict[str, float], late: dict[str, float], seconds: list[float]
) -> None:
    samples = [
        replace(one, values={**one.values, "container_limit": 1e9, **always, **(late if index > 6 else {})})
        for index, one in enumerate(process(growing))
    ]
    samples[: len(seconds)] = [
        replace(one, seconds=second) for one, second in zip(samples, sorted(seconds), strict=False)
    ]
    judge(history(samples))


def test_nothing_at_all_is_a_gap() -> None:
    assert judge(history(())).verdict is None


def test_too_few_collections_are_a_gap_that_says_how_long_to_sample() -> None:
    samples = [replace(sample, values={**sample.values, "num_gc": 3.0}) for sample in process(lambda _: 50 * MIB)]
    judgement = judge(history(samples))
    assert judgement.verdict is None
    assert "only 1 collection" in judgement.gaps[0].reason


def test_heap_without_collections_is_never_called_growth() -> None:
    def climbing(second: float) -> float:
        return (10 + 5 * second) * MIB

    samples = [
        replace(sample, values={**sample.values, "num_gc": 0.0, "heap_goal": 500.0 * MIB})
        for sample in process(climbing)
    ]
    assert judge(history(samples)).verdict is None


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(lambda _: 80 * MIB, id="flat"),
        pytest.param(lambda t: (80 + (t % 4) * 10) * MIB, id="sawtooth"),
        pytest.param(lambda t: min(20 + 15 * t, 80) * MIB, id="warm-up"),
        pytest.param(lambda t: (80 - 70 * 0.5**t) * MIB, id="cache that fills"),
        pytest.param(lambda t: (40 if t < 6 else 80) * MIB, id="one jump"),
        pytest.param(lambda t: (80 - 2 * t) * MIB, id="shrinking"),
        pytest.param(lambda t: (80 + (t * 37 % 11) / 10) * MIB, id="noise"),
    ],
)
def test_healthy_heaps_get_no_cause(live: object) -> None:
    assert callable(live)
    assert names(judge(history(process(live)))) == []


def growing(second: float) -> float:
    return (100 + 4 * second + second % 3) * MIB


def test_live_heap_growth_names_line_reason_and_time() -> None:
    line = LineGrowth(CACHE, 70 * MIB, 118 * MIB)
    finding = Finding("f1", "map-storage", CACHE, "v", "it is stored in pageCache, which only grows", Certainty.STATED)
    samples = process(growing, more={"container_limit": 1024.0 * MIB, "container_usage": 310.0 * MIB})
    judged = judge(replace(history(samples, line), findings=(finding,)))
    assert names(judged) == ["live-heap-growth"]
    (cause,) = judged.verdict.causes if judged.verdict else ()
    assert cause.certainty is Certainty.MEASURED
    assert cause.summary.startswith("live heap grows 4")
    assert "the limit is reached in about" in cause.summary
    texts = [statement.text for statement in cause.evidence]
    assert any("cache.go:41 holds 118 MiB" in text for text in texts)
    assert "it is stored in pageCache, which only grows" in texts
    assert any("GOGC=100" in text for text in texts)
    assert any("GOMEMLIMIT=" in advice and "not a cure" in advice for advice in cause.advice)
    assert cause.bytes == 118 * MIB


def test_growth_without_a_limit_gives_no_time() -> None:
    (cause,) = judge(history(process(growing))).verdict.causes  # type: ignore[union-attr] # there is a verdict
    assert "limit" not in cause.summary
    assert any("limit was not seen" in statement.text for statement in cause.evidence)


def test_growth_with_unknown_gogc_is_inferred() -> None:
    (cause,) = judge(history(process(growing, gogc=None))).verdict.causes  # type: ignore[union-attr] # there is a verdict
    assert cause.certainty is Certainty.INFERRED


def leaking(second: float) -> int:
    return int(50 + 40 * second)


def test_goroutine_leak_claims_the_heap_that_it_keeps() -> None:
    kept = LineGrowth(replace(BLOCKED, line=9), MIB, 40 * MIB)
    judged = judge(history(process(growing, goroutines=leaking), kept))
    assert names(judged) == ["goroutine-leak"]
    (cause,) = judged.verdict.causes if judged.verdict else ()
    assert "530 goroutines are blocked at worker.go:12 (chan send), 40 more a second" in cause.summary
    assert any("worker.go:9 holds 40" in statement.text for statement in cause.evidence)
    assert any("worker.go:12" in advice for advice in cause.advice)


def test_leak_and_cache_are_both_named_the_bigger_first() -> None:
    kept, cached = LineGrowth(replace(BLOCKED, line=9), MIB, 5 * MIB), LineGrowth(CACHE, 60 * MIB, 104 * MIB)
    judged = judge(history(process(growing, goroutines=leaking), kept, cached))
    assert names(judged) == ["live-heap-growth", "goroutine-leak"]


@pytest.mark.parametrize(
    "goroutines",
    [
        pytest.param(lambda _: 500, id="flat"),
        pytest.param(lambda t: int(20 + (t % 4) * 100), id="burst"),
        pytest.param(lambda t: int(min(20 + 100 * t, 420)), id="pool that fills"),
        pytest.param(lambda t: int(20 + t / 3), id="too few to matter"),
    ],
)
def test_healthy_goroutines_get_no_cause(goroutines: object) -> None:
    assert callable(goroutines)
    assert names(judge(history(process(lambda _: 80 * MIB, goroutines=goroutines)))) == []


def test_gc_headroom_needs_a_limit_that_the_goal_exceeds() -> None:
    def live(_: float) -> float:
        return 300 * MIB

    inside = {"container_limit": 512.0 * MIB, "container_usage": 420.0 * MIB}
    judged = judge(history(process(live, more=inside)))
    assert names(judged) == ["gc-headroom"]
    (cause,) = judged.verdict.causes if judged.verdict else ()
    assert cause.certainty is Certainty.MEASURED
    assert any("GOMEMLIMIT=460MiB" in advice for advice in cause.advice)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({}, id="no limit known"),
        pytest.param({"container_limit": 1024.0 * MIB, "container_usage": 620.0 * MIB}, id="limit is large enough"),
        pytest.param(
            {"container_limit": 512.0 * MIB, "container_usage": 420.0 * MIB, "memory_limit": 460.0 * MIB},
            id="GOMEMLIMIT is set",
        ),
        pytest.param({"container_limit": 512.0 * MIB, "container_usage": 60.0 * MIB}, id="memory was never written"),
        pytest.param({"container_limit": 340.0 * MIB, "container_usage": 320.0 * MIB}, id="limit too small by itself"),
    ],
)
def test_gc_headroom_is_not_named_otherwise(others: dict[str, float]) -> None:
    assert names(judge(history(process(lambda _: 300 * MIB, more=others)))) == []


def test_gc_headroom_with_little_allocation_is_left_to_the_two_minute_collection() -> None:
    inside = {"container_limit": 512.0 * MIB, "container_usage": 330.0 * MIB}
    quiet = [
        replace(sample, values={**sample.values, "heap_alloc": 301.0 * MIB})
        for sample in process(lambda _: 300 * MIB, garbage_per_second=0.5 * MIB, more=inside)
    ]
    assert names(judge(history(quiet))) == []


def test_growth_with_a_goal_beyond_the_limit_stays_growth() -> None:
    samples = process(
        lambda t: (250 + 4 * t) * MIB, more={"container_limit": 512.0 * MIB, "container_usage": 400.0 * MIB}
    )
    assert names(judge(history(samples))) == ["live-heap-growth"]
