from __future__ import annotations

import pytest

from causes.outside_series import counted, crashed, exited, grows, killed, samples, slugs, terminated, verdicts, words
from causes.series import MIB
from whyheap.model.event import Event, EventKind
from whyheap.model.finding import Certainty


def probe(**labels: str) -> Event:
    return Event(EventKind.PROBE_FAILED, "", "Liveness probe failed: timeout", "kubernetes", labels)


def test_a_sigkill_without_a_counted_kill_came_from_somebody() -> None:
    (cause,) = verdicts(samples(), exited(signal="9", known="yes"))
    assert cause.cause == "not-an-oom"
    assert cause.summary == "not killed for memory: it was ended by SIGKILL, which somebody sent"
    assert "16 MiB of 128 MiB were used, 12 %: there was room" in words(cause)
    assert cause.certainty is Certainty.INFERRED


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"signal": "15"}, "SIGTERM"),
        ({"code": "143"}, "SIGTERM"),
        ({"code": "1"}, "exit code 1 (log.Fatal"),
        ({"code": "2"}, "a panic or a fatal error"),
        ({"code": "7"}, "it ended itself with exit code 7"),
        ({"signal": "6"}, "SIGABRT"),
    ],
)
def test_other_ends_are_told_by_code_and_signal(labels: dict[str, str], said: str) -> None:
    (cause,) = verdicts(samples(), exited(known="yes", **labels))
    assert cause.cause == "not-an-oom"
    assert said in cause.summary
    assert cause.certainty is Certainty.MEASURED


def test_a_panic_is_told_with_its_place() -> None:
    crash = crashed(about="other", reason="panic", place="order.go:20")
    (cause,) = verdicts(samples(), crash, exited(code="2", known="yes"))
    assert cause.summary == "not killed for memory: it crashed (panic) at order.go:20"


def test_a_failed_probe_explains_exit_code_137() -> None:
    ended = terminated(reason="Error", exit_code="137", chosen="yes")
    (cause,) = verdicts(samples(), ended, probe(probe="liveness", killed="yes"))
    assert cause.summary == "not killed for memory: its liveness probe failed, and it was ended for that"
    assert "failureThreshold" in words(cause)


def test_what_kubernetes_calls_an_oom_kill_is_one() -> None:
    assert slugs((), terminated(reason="OOMKilled", exit_code="137")) == []
    assert "not-an-oom" not in slugs(samples(), counted(), killed(), exited(signal="9", known="yes"))


def test_a_container_that_is_not_judged_does_not_count() -> None:
    other = terminated(reason="Error", exit_code="1", container="sidecar")
    assert "not-an-oom" not in slugs(samples(), terminated(reason="OOMKilled", exit_code="137", chosen="yes"), other)


def test_near_the_limit_a_sigkill_may_have_been_one() -> None:
    assert slugs(samples(container_usage=120.0 * MIB), exited(signal="9", known="yes")) == []


def test_without_a_counter_nothing_is_claimed_of_a_sigkill() -> None:
    made = samples()
    for sample in made:
        del sample.values["container_oom_kills"]
    assert slugs(made, exited(signal="9", known="yes")) == []


def test_growth_is_told_behind_what_ended_it() -> None:
    made = samples(rss_anon=grows(4, 10), container_usage=grows(4, 14))
    assert slugs(made, exited(signal="15", known="yes")) == ["not-an-oom", "off-heap"]


def test_an_ordinary_end_is_no_cause() -> None:
    assert slugs(samples(), exited(code="0", known="yes")) == []


def test_a_neighbours_kill_is_not_this_ones() -> None:
    ended = exited(code="1", known="yes")
    assert slugs(samples(), killed(pid="77", task="proxy"), ended) == ["not-an-oom", "neighbour"]
