from __future__ import annotations

from causes.kept_series import SERVE, at, rising, with_goroutines
from causes.series import history, process
from whyheap.causes.catalogue import judge
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site

WAITS = at("vote.go", 31, "(*Ballot).elect")
READ_LOOP = Site("net/http/transport.go", 2493, 0, "(*persistConn).readLoop", "net/http")


def piled(state: str, *stack: Site) -> tuple[str, list[str], list[str]]:
    def groups(second: float) -> list[GoroutineGroup]:
        return [GoroutineGroup(int(20 + 50 * second), state, stack)]

    verdict = judge(history(with_goroutines(process(rising), groups))).verdict
    assert verdict is not None
    (cause,) = verdict.causes
    return cause.cause, [statement.text for statement in cause.evidence], list(cause.advice)


def test_handlers_that_wait_for_ever_are_said_to_be_requests() -> None:
    cause, evidence, advice = piled("chan receive", WAITS, SERVE)
    assert cause == "goroutine-leak"
    assert any("each handling a request; none of them ended in the window" in text for text in evidence)
    assert advice == [
        "vote.go:31: let the receive end without a sender: select on a context's Done, or close a channel of your own"
    ]


def test_connections_of_unclosed_responses_get_their_own_advice() -> None:
    cause, _, advice = piled("select", READ_LOOP)
    assert cause == "goroutine-leak"
    assert "read each response's body to its end and close it" in advice[0]


def test_what_they_keep_without_a_profile_is_told_by_the_rise_of_both() -> None:
    _, evidence, _ = piled("chan receive", WAITS, SERVE)
    assert any("the live heap grows with them, by about 81.9 KiB for each" in text for text in evidence)


def found_leaked(leaked: int, others: int) -> list[str]:
    """Return what is said of goroutines whose number is level."""

    def groups(_: float) -> list[GoroutineGroup]:
        stack = (WAITS, SERVE)
        groups = [GoroutineGroup(leaked, "chan receive (leaked)", stack), GoroutineGroup(others, "chan receive", stack)]
        return [group for group in groups if group.count]

    verdict = judge(history(with_goroutines(process(lambda _: 5 << 20), groups))).verdict
    assert verdict is not None
    return [text for cause in verdict.causes for text in (cause.summary, *(one.text for one in cause.evidence))]


def test_what_the_runtime_proves_needs_no_growth() -> None:
    summary, first, *_ = found_leaked(30, 10)
    assert (
        summary
        == "40 goroutines are blocked at vote.go:31 (chan receive) for ever: nothing else reaches what they wait for"
    )
    assert "30 of them can never go on, as the runtime's leak detection found" in first


def test_a_level_number_that_is_not_proven_is_no_leak() -> None:
    assert found_leaked(0, 40) == []
    assert found_leaked(5, 40) == []
