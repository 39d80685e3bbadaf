from __future__ import annotations

from collections.abc import Callable

import pytest

from causes.kept_series import SERVE, at, grown, rising, with_goroutines
from causes.series import MIB, history, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import LineGrowth
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict

LIMITED = {"container_limit": 512.0 * MIB, "container_usage": 200.0 * MIB}
WAITS = at("shop.go", 30, "(*Shop).resize")
WORKS = at("shop.go", 33, "(*Shop).resize")
BEFORE = at("shop.go", 25, "(*Shop).resize")
ASKS = Site("net/http/transport.go", 3092, 0, "(*persistConn).roundTrip", "net/http")
READS = (
    Site("internal/poll/fd_unix.go", 170, 0, "(*FD).Read", "internal/poll"),
    Site("net/http/server.go", 746, 0, "(*connReader).backgroundRead", "net/http"),
)
SLEEPS = Site("runtime/time.go", 368, 0, "Sleep", "time")


def causes(groups: Callable[[float], list[GoroutineGroup]], *lines: LineGrowth) -> list[CauseVerdict]:
    samples = with_goroutines(process(rising, more=LIMITED), groups)
    verdict = judge(history(samples, *lines)).verdict
    return list(verdict.causes) if verdict else []


def names(groups: Callable[[float], list[GoroutineGroup]], *lines: LineGrowth) -> list[str]:
    return [cause.cause for cause in causes(groups, *lines)]


def waiting(second: float, state: str, *stack: Site) -> GoroutineGroup:
    return GoroutineGroup(int(20 + 50 * second), state, stack)


IMAGE = grown(at("shop.go", 26, "(*Shop).resize"), 48, allocated=80, objects=600)
NONE_FREED = grown(at("shop.go", 26, "(*Shop).resize"), 48, objects=600)


def test_requests_that_wait_for_another_service_are_in_flight() -> None:
    (cause,) = causes(
        lambda t: [waiting(t, "select", ASKS, WAITS, SERVE), GoroutineGroup(int(20 + 50 * t), "IO wait", READS)],
        NONE_FREED,
    )
    assert cause.cause == "inflight-pileup"
    assert cause.summary.startswith("620 requests of (*Shop).resize wait for an answer at shop.go:30, 50 more a second")
    assert "the limit is reached in" in cause.summary
    texts = [statement.text for statement in cause.evidence]
    assert "their clients still wait" in texts
    assert any("each holds about" in text for text in texts)
    assert any("at most about" in advice and "503" in advice for advice in cause.advice)
    assert any("timeout" in advice for advice in cause.advice)


def test_goroutines_that_net_http_starts_beside_requests_are_counted_with_them() -> None:
    (cause,) = causes(
        lambda t: [waiting(t, "sleep", SLEEPS, WAITS, SERVE), GoroutineGroup(int(20 + 50 * t), "IO wait", READS)]
    )
    assert cause.cause == "inflight-pileup"
    assert "620 requests" in cause.summary


def test_others_at_work_behind_a_semaphore_show_that_it_drains() -> None:
    (cause,) = causes(
        lambda t: [waiting(t, "chan send", WAITS, SERVE), GoroutineGroup(4, "sleep", (SLEEPS, WORKS, SERVE))], IMAGE
    )
    assert cause.cause == "inflight-pileup"
    texts = [statement.text for statement in cause.evidence]
    assert "4 of them are past that point at any moment, at shop.go:33: the others wait for their turn" in texts
    assert any(text.startswith("40 % of what was allocated for them") for text in texts)
    assert any(advice.startswith("shop.go:33") for advice in cause.advice)


def test_the_same_without_http_and_without_a_profile() -> None:
    root = at("shop.go", 70, "consume")

    def groups(second: float) -> list[GoroutineGroup]:
        return [
            waiting(second, "sync.Mutex.Lock", WAITS, root),
            GoroutineGroup(1, "sleep", (SLEEPS, WORKS, root)),
        ]

    (cause,) = causes(groups)
    assert cause.cause == "inflight-pileup"
    assert "goroutines of consume wait at shop.go:30 (sync.Mutex.Lock)" in cause.summary
    assert any("one of them is past that point" in statement.text for statement in cause.evidence)


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param(lambda t: [waiting(t, "chan send", WAITS)], id="nobody is further on"),
        pytest.param(
            lambda t: [waiting(t, "chan send", WAITS), GoroutineGroup(6, "sleep", (SLEEPS, BEFORE))],
            id="stuck behind the work that others still do",
        ),
        pytest.param(
            lambda t: [waiting(t, "chan send", WAITS), GoroutineGroup(int(t) % 4 * 5, "sleep", (SLEEPS, WORKS))],
            id="those further on come and go",
        ),
        pytest.param(lambda t: [waiting(t, "chan receive (leaked)", ASKS, WAITS, SERVE)], id="the collector says so"),
        pytest.param(lambda t: [waiting(t, "sleep", SLEEPS, WAITS)], id="pollers that never end"),
        pytest.param(lambda t: [waiting(t, "IO wait", READS[0], SERVE)], id="idle connections"),
    ],
)
def test_what_nothing_will_wake_is_a_leak(groups: Callable[[float], list[GoroutineGroup]]) -> None:
    named = names(groups, NONE_FREED)
    assert "goroutine-leak" in named
    assert "inflight-pileup" not in named


def test_workers_that_all_leak_are_no_pileup_though_some_are_at_work_further_on() -> None:
    def groups(second: float) -> list[GoroutineGroup]:
        return [waiting(second, "chan receive", WAITS), GoroutineGroup(4, "sleep", (SLEEPS, WORKS))]

    assert names(groups, NONE_FREED) == ["goroutine-leak"]
    assert names(groups, IMAGE) == ["inflight-pileup"]


def test_handlers_whose_clients_have_gone_are_a_leak_though_other_requests_end() -> None:
    def groups(second: float, clients: int) -> list[GoroutineGroup]:
        return [waiting(second, "chan receive", WAITS, SERVE), GoroutineGroup(clients, "IO wait", READS)]

    assert names(lambda t: groups(t, 20), IMAGE) == ["goroutine-leak"]
    assert names(lambda t: groups(t, int(20 + 50 * t)), IMAGE) == ["inflight-pileup"]
    assert names(lambda t: groups(t, int(20 + 50 * t)), NONE_FREED)[0] == "goroutine-leak"


def test_a_queue_is_named_where_its_items_are_sent_and_some_are_freed() -> None:
    def idle(_: float) -> list[GoroutineGroup]:
        return [GoroutineGroup(3, "select", (at("shop.go", 90, "main"),))]

    job = at("queue.go", 12, "(*Queue).Submit")
    sent = grown(job, 48, pattern="channel-send", reason="sent on q.jobs", allocated=80, objects=2000)
    (cause,) = causes(idle, sent)
    assert cause.cause == "inflight-pileup"
    assert "items sent on q.jobs wait for their receiver: 48" in cause.summary
    assert any("items of 24.6 KiB fit the limit" in advice for advice in cause.advice)
    dead = grown(job, 48, pattern="channel-send", reason="sent on q.jobs", objects=2000)
    assert names(idle, dead) == ["live-heap-growth"]
    stored = grown(job, 48, pattern="map-storage", allocated=80, objects=2000)
    assert names(idle, stored) == ["live-heap-growth"]


def test_a_burst_of_requests_that_drains_is_healthy() -> None:
    def groups(second: float) -> list[GoroutineGroup]:
        return [GoroutineGroup(int(20 + second % 4 * 60), "select", (ASKS, WAITS, SERVE))]

    verdict = judge(history(with_goroutines(process(lambda _: 80 * MIB, more=LIMITED), groups))).verdict
    assert verdict is not None
    assert verdict.causes == ()
