"""Of a recording that holds several processes, the one that died is judged."""

from __future__ import annotations

from dataclasses import replace

from whyheap.app.judged_stretch import MOST_MOMENTS, accounts, events_of, judged_stretch, span_of
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.event import Event, EventKind

MIB = float(1 << 20)
KILL = Event(EventKind.OOM_KILL, "2026-01-01T00:01:00Z", "killed", "kernel", {"pid": "7"})


def samples(count: int, started: float | None, offset: float = 0, **more: float) -> list[RuntimeSample]:
    values = {"rss": 100 * MIB, "num_gc": 1.0, **more}
    if started is not None:
        values["process_started"] = started
    return [
        RuntimeSample(f"2026-01-01T00:{at // 60:02}:{at % 60:02}Z", float(at), dict(values))
        for at in range(int(offset), int(offset) + count)
    ]


def test_one_process_is_judged_whole() -> None:
    whole = samples(10, 5.0)
    assert judged_stretch(whole, ()) == tuple(whole)


def test_the_one_that_died_comes_before_its_successor_that_has_just_begun() -> None:
    first, second = samples(10, 5.0), samples(3, 50.0, 12)
    assert judged_stretch([*first, *second], (KILL,)) == tuple(first)
    assert judged_stretch([*first, *second], ()) == tuple(second)


def test_a_successor_that_ran_for_long_is_judged() -> None:
    first, second = samples(10, 5.0), samples(30, 50.0, 12)
    assert judged_stretch([*first, *second], (KILL,)) == tuple(second)


def test_a_count_that_falls_is_another_process_where_starts_are_not_told() -> None:
    first, second = samples(10, None, num_gc=40.0), samples(10, None, 12, num_gc=2.0)
    assert judged_stretch([*first, *second], ()) == tuple(second)


def test_nothing_is_judged_without_samples() -> None:
    assert judged_stretch((), (KILL,)) == ()
    assert accounts(()) == ()


def test_accounts_are_of_moments_with_classes_while_those_are_near_the_end() -> None:
    classes = {"smaps_rss": 100 * MIB, "smaps_go_heap": 80 * MIB, "smaps_text": 20 * MIB}
    mixed = [*samples(5, 5.0, **classes), *samples(5, 5.0, 5)]
    assert [one.at for one in accounts(mixed)] == [sample.at for sample in mixed[:5]]
    grown = [*samples(5, 5.0, **classes), *samples(5, 5.0, 5, rss=400 * MIB)]
    assert accounts(grown)[-1].at == grown[-1].at


def test_no_more_moments_than_a_chart_can_show_and_always_the_last() -> None:
    many = samples(3599, 5.0)
    found = accounts(many)
    assert len(found) <= MOST_MOMENTS
    assert found[-1].at == many[-1].at


def test_events_and_profiles_of_a_predecessor_are_not_those_of_the_judged_process() -> None:
    first, second = samples(10, 5.0), samples(30, 50.0, 12)
    whole = [*first, *second]
    early, late = (replace(KILL, at=f"2026-01-01T00:00:{second:02}Z") for second in (9, 40))
    assert events_of(second, whole, (early, late)) == (late,)
    assert events_of(first, whole, (early, late)) == (early,)
    assert span_of(first, whole) == ("", second[0].at)
    assert events_of(whole[:10], first, (early, late)) == (early, late)


def test_a_process_that_stands_still_at_its_limit_is_judged_by_what_it_did_before() -> None:
    full = {"container_limit": 100 * MIB, "container_usage": 99 * MIB}
    grew = [sample for at in range(10) for sample in samples(1, 5.0, at, total_alloc=at * MIB, **full)]
    stalled = samples(8, 5.0, 10, total_alloc=9 * MIB, **full)
    assert judged_stretch([*grew, *stalled], ()) == tuple(grew)
    idle = samples(8, 5.0, 10, total_alloc=9 * MIB)
    assert len(judged_stretch([*grew, *idle], ())) == 18


def test_a_process_that_is_let_run_for_an_instant_now_and_then_still_stands_still() -> None:
    full = {"container_limit": 100 * MIB, "container_usage": 96 * MIB}
    grew = [sample for at in range(10) for sample in samples(1, 5.0, at, total_alloc=8 * at * MIB, **full)]
    crawled = [
        sample for at in range(10, 20) for sample in samples(1, 5.0, at, total_alloc=(72 + at // 5) * MIB, **full)
    ]
    assert judged_stretch([*grew, *crawled], ()) == tuple(grew)


def test_what_was_read_while_it_was_being_killed_is_left_out() -> None:
    read = samples(10, 5.0, recorder_seconds=0.2)
    died = replace(KILL, at="2026-01-01T00:00:09.100Z")
    assert judged_stretch(read, (died,)) == tuple(read[:-1])
    assert judged_stretch(read, (replace(KILL, at="2026-01-01T00:00:09.900Z"),)) == tuple(read)
    assert judged_stretch(read, (replace(KILL, at="nonsense"),)) == tuple(read)
