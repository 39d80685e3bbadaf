from __future__ import annotations

from causes.kept_series import at, callee, grown, rising
from causes.series import history, process
from whyheap.causes.catalogue import judge

CACHE = at("cache.go", 41, "(*Cache).Put")


def test_what_other_causes_leave_over_is_named_beside_them() -> None:
    timers = grown(at("cart.go", 20, "buy"), 12, root=callee("time.AfterFunc"), objects=9000)
    verdict = judge(history(process(rising), grown(CACHE, 30), timers)).verdict
    assert verdict is not None
    assert [cause.cause for cause in verdict.causes] == ["live-heap-growth", "timer-leak"]


def test_a_rest_too_small_to_matter_is_not_named() -> None:
    timers = grown(at("cart.go", 20, "buy"), 40, root=callee("time.AfterFunc"), objects=9000)
    verdict = judge(history(process(rising), grown(CACHE, 4), timers)).verdict
    assert verdict is not None
    assert [cause.cause for cause in verdict.causes] == ["timer-leak"]


def test_what_the_compiler_does_not_say_is_not_said() -> None:
    line = grown(CACHE, 40, reason="allocates, and the compiler does not say why")
    verdict = judge(history(process(rising), line)).verdict
    assert verdict is not None
    assert not any("does not say" in statement.text for statement in verdict.causes[0].evidence)
