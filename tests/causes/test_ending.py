from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from causes.outside_series import AT_THE_END, counted, exited, grows, killed, samples, terminated
from whyheap.causes.catalogue import judge
from whyheap.causes.ending import Ending, ending
from whyheap.causes.history import RuntimeHistory
from whyheap.model.event import Event, EventKind


def end(*events: Event) -> Ending:
    return ending(RuntimeHistory(samples(), events=events))


def test_nothing_happened() -> None:
    assert not end().has_ended
    assert not end().is_oom


def test_the_log_tells_the_victim() -> None:
    assert end(counted(), killed(), exited(signal="9", known="yes")).is_oom
    other = end(counted(), killed(pid="7"), exited(signal="9", known="yes"))
    assert not other.is_oom
    assert [kill.labels["pid"] for kill in other.kills] == ["7"]


def test_a_count_at_the_end_is_the_processs_own() -> None:
    assert end(counted(), exited(signal="9", known="yes")).is_oom
    assert end(counted(), exited()).is_oom  # how it ended was not seen


def test_a_count_long_before_or_another_signal_is_not() -> None:
    assert not end(counted("2025-12-31T23:00:00Z"), exited(signal="9", known="yes")).is_oom
    assert not end(counted(), exited(signal="15", known="yes")).is_oom
    assert not end(counted(), exited(code="2", known="yes")).is_oom


def test_a_process_that_lives_was_not_killed() -> None:
    alive = end(counted(), killed(pid="7"))
    assert not alive.has_ended
    assert len(alive.kills) == 1  # counted and logged, but one kill


def test_exit_codes_of_shells_are_signals() -> None:
    assert end(terminated(exit_code="137", reason="Error")).signal == "9"


TEXTS = st.one_of(
    st.sampled_from(["", "9", "-1", "137", "1e9", "\u0663", "x" * 300, AT_THE_END, "/", "/a/b"]), st.text()
)
LABELS = ("pid", "code", "signal", "known", "reason", "about", "exit_code", "limit", "stack", "asked", "oom_group")
MORE = ("task_group", "task", "anon_rss", "probe", "killed", "chosen", "neighbour", "rss", "place", "threads")
EVENTS = st.builds(
    Event,
    st.sampled_from(EventKind),
    TEXTS,
    TEXTS,
    TEXTS,
    st.dictionaries(st.sampled_from(LABELS + MORE), TEXTS, max_size=6),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=5), st.booleans())
def test_whatever_is_said_to_have_happened_there_is_a_judgement(events: list[Event], with_samples: bool) -> None:  # noqa: FBT001
    made = samples(container_usage=grows(8, 12), rss_anon=grows(8, 10)) if with_samples else ()
    judge(RuntimeHistory(made, events=tuple(events)))
