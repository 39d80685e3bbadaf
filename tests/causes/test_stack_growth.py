from __future__ import annotations

from causes.outside_series import Gauge, counted, crashed, exited, grows, killed, level, samples, slugs, verdicts, words
from causes.series import BLOCKED, MIB
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site

PARSE = Site("parse.go", 20, 0, "(*Parser).value", "example.com/shop")
DEATH = (counted(), killed(), exited(signal="9", known="yes"))
USED: dict[str, Gauge] = {"container_usage": 100.0 * MIB, "container_charge": 100.0 * MIB, "rss": 98.0 * MIB}


def doubling(second: float) -> float:
    return (1 << min(int(second) // 2, 6)) * float(MIB)


def test_recursion_is_named_by_its_function() -> None:
    deep = GoroutineGroup(1, "running", (PARSE,) * 60)
    (cause,) = verdicts(samples(level, (deep,), stack_inuse=doubling, **USED), *DEATH)
    assert cause.cause == "stack-growth"
    assert "recursion in example.com/shop.(*Parser).value (parse.go:20)" in cause.summary
    assert cause.advice[0].startswith("parse.go:20: bound the depth")
    assert cause.bytes > 60 * MIB


def test_doubling_is_growth_though_it_comes_in_jumps() -> None:
    assert slugs(samples(stack_inuse=doubling, **USED)) == ["stack-growth"]


def test_large_frames_of_a_level_pool_are_named_where_the_limit_is_near() -> None:
    pool = GoroutineGroup(700, "chan receive", (BLOCKED,))
    near: dict[str, Gauge] = {**USED, "container_usage": 116.0 * MIB}
    (cause,) = verdicts(samples(level, (pool,), stack_inuse=90.0 * MIB, goroutines=704.0, **near))
    assert cause.cause == "stack-growth"
    assert "704 goroutines with 130 KiB each on average, most in work (worker.go:12)" in cause.summary
    assert "700 goroutines wait at worker.go:12 in work" in words(cause)
    assert slugs(samples(level, (pool,), stack_inuse=90.0 * MIB, goroutines=704.0, **USED)) == []


def test_many_small_stacks_are_not_stack_growth() -> None:
    made = samples(stack_inuse=grows(5), goroutines=lambda second: 2000 * second + 4, **USED)
    assert "stack-growth" not in slugs(made, *DEATH)


def test_the_runtimes_stacks_of_threads_are_not_the_goroutines() -> None:
    made = samples(stack_inuse=grows(4.5), threads=lambda second: 6 + 100 * second, goroutines=1000.0, **USED)
    assert "stack-growth" not in slugs(made, *DEATH)


def test_an_overflow_is_stated_by_the_crash() -> None:
    crash = crashed(about="stack", reason="stack overflow", limit="1000000000", stack="536870912", place="t.go:9")
    (cause,) = verdicts(samples(), crash, exited(code="2", known="yes"))
    assert cause.cause == "stack-growth"
    assert cause.summary == "a goroutine's stack exceeded the limit of 954 MiB: recursion without end at t.go:9"


def test_an_overflow_needs_no_samples() -> None:
    assert slugs((), crashed(about="stack", reason="stack overflow", limit="1000000000")) == ["stack-growth"]


def test_where_stacks_could_not_be_read_the_start_is_named() -> None:
    unread = GoroutineGroup(200, "running", (), BLOCKED)
    (cause,) = verdicts(samples(level, (unread,), stack_inuse=grows(7), goroutines=204.0, **USED), *DEATH)
    assert "each on average, most started in work (worker.go:12)" in cause.summary
    assert "200 goroutines were started at worker.go:12 in work" in words(cause)
