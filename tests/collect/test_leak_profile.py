from __future__ import annotations

from whyheap.collect.leak_profile import PATH, find_leaked, marked, with_leaked
from whyheap.collect.runtime import RuntimeWitness
from whyheap.collect.series import observe
from whyheap.errors import TargetError
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site

REMOTE = "http://192.0.2.1:6060"
STACKS = """\
goroutine profile: total 60
50 @ 0x11 0x21
#\t0x20\tmain.wait+0x1\t/src/main.go:4

10 @ 0x31 0x41
#\t0x40\tmain.serve+0x1\t/src/main.go:9

"""
LEAKS = """\
goroutineleak profile: total 40
30 @ 0x11 0x21
# labels: {"handler":"/orders"}
#\t0x20\tmain.wait+0x1\t/src/main.go:4

10 @ 0x11 0x21
#\t0x20\tmain.wait+0x1\t/src/main.go:4

"""
HEAP = (
    "heap profile: 0: 0 [0: 0] @ heap/1048576\n\n# runtime.MemStats\n# Sys = 8345864\n# HeapAlloc = 1000\n# NumGC = 1\n"
)
WAITS = (Site("/src/main.go", 4, 0, "wait", "main"),)
SERVES = (Site("/src/main.go", 9, 0, "serve", "main"),)


class Service:
    def __init__(self, leaks: str | None) -> None:
        self.asked: list[str] = []
        self._leaks = leaks

    def fetch(self, path: str, timeout_seconds: float) -> bytes:
        assert timeout_seconds > 0
        self.asked.append(path)
        answers = {"/debug/pprof/heap?debug=1": HEAP, "/debug/pprof/goroutine?debug=1": STACKS, PATH: self._leaks}
        body = answers.get(path)
        if body is None:
            raise TargetError(f"{path} answers with status 404.")
        return body.encode()


def looked(leaks: str | None, *, can: bool = True) -> tuple[Service, tuple[GoroutineGroup, ...], str, str]:
    service = Service(leaks)
    witness = RuntimeWitness(REMOTE, service.fetch)
    series = with_leaked(observe(witness, 0.0), witness, (lambda: find_leaked(service.fetch)) if can else None)
    gaps = " ".join(gap.reason for gap in series.gaps)
    return service, series.samples[-1].goroutines, gaps, " ".join(event.text for event in series.events)


def test_leaked_goroutines_get_a_state_of_their_own() -> None:
    service, groups, _, events = looked(LEAKS)
    assert service.asked.count(PATH) == 1
    assert [(group.count, group.state.endswith(" (leaked)")) for group in groups] == [
        (40, True),
        (10, False),
        (10, False),
    ]
    assert sum(group.count for group in groups) == 60
    assert "40 found" in events
    assert "made to collect" in events


def test_an_older_go_leaves_a_gap() -> None:
    _, groups, gaps, events = looked(None)
    assert sum(group.count for group in groups) == 60
    assert "not looked for: /debug/pprof/goroutineleak?debug=1 answers with status 404" in gaps
    assert events == ""


def test_a_process_without_endpoint_is_never_made_to_do_anything() -> None:
    service, _, gaps, _ = looked(LEAKS, can=False)
    assert PATH not in service.asked
    assert "read from outside" in gaps


def test_nonsense_in_place_of_the_profile_is_a_gap() -> None:
    _, _, gaps, _ = looked("<html>")
    assert "not a goroutine profile" in gaps


def test_no_goroutine_is_lost_or_counted_twice() -> None:
    waits = GoroutineGroup(5, "chan receive", WAITS)
    assert marked([waits], [GoroutineGroup(3, "chan receive", WAITS)]) == (
        GoroutineGroup(3, "chan receive (leaked)", WAITS),
        GoroutineGroup(2, "chan receive", WAITS),
    )
    assert marked([waits], [GoroutineGroup(9, "chan receive", WAITS)]) == (
        GoroutineGroup(5, "chan receive (leaked)", WAITS),
        GoroutineGroup(4, "chan receive (leaked)", WAITS),
    )
    assert marked([waits], [GoroutineGroup(1, "select", SERVES)]) == (
        waits,
        GoroutineGroup(1, "select (leaked)", SERVES),
    )
