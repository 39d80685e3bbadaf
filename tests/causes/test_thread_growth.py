from __future__ import annotations

from dataclasses import replace

from causes.outside_series import counted, crashed, exited, grows, killed, level, samples, slugs, verdicts, words
from causes.series import BLOCKED, MIB
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site

READ = Site("syscall/syscall_linux.go", 100, 0, "Syscall", "syscall")
IN_CALL = GoroutineGroup(900, "syscall", (READ, BLOCKED))


def more(second: float) -> float:
    return 6 + 100 * second


def test_threads_that_pile_up_are_named_with_what_each_costs() -> None:
    made = samples(level, (IN_CALL,), threads=more, container_charge=grows(4, 10), container_usage=grows(4, 10))
    (cause,) = verdicts(made)
    assert cause.cause == "thread-growth"
    assert cause.summary.startswith(
        "the process has 1,206 threads, 900 of them held at worker.go:12, 100 more a second, about 41.0 KiB each: the "
    )
    assert abs(cause.bytes - 48 * MIB) < MIB
    assert "through os.File" in cause.advice[0]


def test_goroutines_locked_to_threads_are_told_by_their_number() -> None:
    made = [
        replace(sample, goroutines=(GoroutineGroup(int(more(sample.seconds)), "chan receive", (BLOCKED,)),))
        for sample in samples(threads=more, container_charge=grows(5, 10), stack_inuse=grows(3.3))
    ]
    first, *others = verdicts(made)
    assert first.cause == "thread-growth"
    assert [other.cause for other in others] == ["goroutine-leak"]
    assert "locked to them (runtime.LockOSThread)" in words(first)
    assert "its thread ends with it" in first.advice[0]


def test_goroutines_that_wait_in_go_hold_no_thread() -> None:
    made = [
        replace(sample, goroutines=(GoroutineGroup(int(more(sample.seconds)), "chan receive", (BLOCKED,)),))
        for sample in samples()
    ]
    assert slugs(made) == ["goroutine-leak"]


def test_a_few_threads_more_are_normal() -> None:
    assert slugs(samples(threads=lambda second: 6 + second)) == []


def test_a_process_that_is_ending_has_one_thread_and_is_not_judged_by_it() -> None:
    made = list(samples(level, (IN_CALL,), threads=more, container_charge=grows(4, 10)))
    made[-1] = replace(made[-1], values={**made[-1].values, "threads": 1.0, "rss": 0.0})
    assert slugs(made, counted(), killed(), exited(signal="9", known="yes")) == ["thread-growth"]


def test_the_runtimes_own_limit_is_thread_growth_and_no_refusal() -> None:
    crash = crashed(about="threads", reason="thread exhaustion", limit="10000")
    (cause,) = verdicts(samples(), crash, exited(code="2", known="yes"))
    assert cause.cause == "thread-growth"
    assert "10,000 threads: the runtime ended the program at its limit of threads" in cause.summary
