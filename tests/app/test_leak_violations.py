"""Goroutines left by tests become violations at the line that started them, with the test that left them."""

from __future__ import annotations

import re

import pytest

from whyheap.app.leak_violations import leaks_of, same_id_ordinals
from whyheap.goruntime.goleak_options import Ignored
from whyheap.model.heap_dump import AllocationPlace
from whyheap.model.site import Site
from whyheap.parse.heap_reach import Retained
from whyheap.parse.hook_report import End, LeftGoroutine, PackageReport, leak_key

CREATED = Site("p/x.go", 2, 0, "Start", "a.test/p")
RUN = (Site("p/x.go", 8, 0, "run", "a.test/p"),)
SOURCE = "package p\n\tgo run()\n"


def left(test: str = "TestX", how: str = "created", *, is_stuck: bool = False, count: int = 1) -> LeftGoroutine:
    trace = "goroutine 7 [select]:\na.test/p.run()\n\t/src/p/x.go:8\ncreated by a.test/p.Start in goroutine 1"
    return LeftGoroutine(test, how, "select", is_stuck, RUN, CREATED, trace, count)


def report(*goroutines: LeftGoroutine, parallel: tuple[str, ...] = ()) -> PackageReport:
    end = End(0, 2, len(goroutines), 0, 1040, 0, 0, 0, 0, witness=False, too_many=False, harmless={})
    return PackageReport("a.test/p", list(goroutines), [], list(parallel), end)


ONE = "1 goroutine started here is still there 1.0 s after the tests: select; "


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (report(left()), f"{ONE}left by TestX"),
        (
            report(left(count=2), left("TestY")),
            "3 goroutines started here are still there 1.0 s after the tests: select; left by TestX, TestY",
        ),
        (report(left(is_stuck=True)), "1 goroutine started here can never go on: select; left by TestX"),
        (report(left(how="after")), f"{ONE}first seen after TestX"),
        (
            report(left("", "parallel"), parallel=("A", "B", "C", "D", "E")),
            f"{ONE}left by one of the parallel tests A, B, C and 2 more",
        ),
        (
            report(left("", "parallel"), parallel=("A", "B", "A", "B")),  # -count=2
            f"{ONE}left by one of the parallel tests A, B",
        ),
        (report(left("", "parallel")), f"{ONE}left by a test, which one is not known"),
    ],
)
def test_a_leak_says_how_it_is_known(found: PackageReport, message: str) -> None:
    ((violation,), waived) = leaks_of(found, (), None, lambda _: SOURCE)
    assert (violation.rule, violation.message, waived) == ("leak", message, [])
    assert str(violation.site.position) == "p/x.go:2:2"  # the go statement
    assert violation.stack == RUN


def test_a_lone_test_is_named_with_its_place() -> None:
    ((violation,), _) = leaks_of(
        report(left("TestX/part")), (), None, lambda _: "", {"TestX": "p/x_test.go:3"}.__getitem__
    )
    assert violation.message.endswith("; left by TestX/part (p/x_test.go:3)")


def test_a_goroutine_of_a_wait_group_stands_at_the_function_that_it_runs() -> None:
    creator = Site("sync/waitgroup.go", 238, 0, "(*WaitGroup).Go", "sync")
    stack = (
        *RUN,
        Site("p/x.go", 31, 0, "Start.func1", "a.test/p"),
        Site("sync/waitgroup.go", 239, 0, "(*WaitGroup).Go.func1", "sync"),
    )
    one = LeftGoroutine("TestX", "created", "select", is_stuck=True, stack=stack, created_by=creator, trace="")
    ((violation,), _) = leaks_of(report(one), (), None, lambda _: SOURCE)
    assert str(violation.site.position) == "p/x.go:31"
    assert violation.message == (
        "1 goroutine started by sync.(*WaitGroup).Go for this function can never go on: select; left by TestX"
    )


SERVE = Site("net/http/server.go", 3604, 3, "(*Server).Serve", "net/http")
CONNECTION = Site("net/http/server.go", 2157, 0, "(*conn).serve", "net/http")


def of_library(*stack: Site) -> LeftGoroutine:
    return LeftGoroutine("TestX/part", "after", "select", is_stuck=True, stack=stack, created_by=SERVE, trace="")


def is_own(site: Site) -> bool:
    return site.package.startswith("a.test/")


def test_a_goroutine_of_a_library_stands_at_what_it_runs_of_the_users() -> None:
    handler = Site("p/x.go", 31, 0, "Serve.func1", "a.test/p")
    one = of_library(*RUN, handler, CONNECTION)
    ((violation,), _) = leaks_of(report(one), (), None, lambda _: "", lambda _: "p/x_test.go:3", is_own)
    assert violation.site == handler
    assert violation.message.startswith("1 goroutine started by net/http.(*Server).Serve for this function can never")
    assert violation.labels["created_by"] == "net/http.(*Server).Serve"
    assert violation.labels["created_at"] == "net/http/server.go:3604:3"


def test_a_goroutine_that_is_a_librarys_altogether_stands_at_its_test() -> None:
    places = {"TestX": "p/x_test.go:3"}
    ((violation,), _) = leaks_of(report(of_library(CONNECTION)), (), None, lambda _: "", places.__getitem__, is_own)
    assert str(violation.site.position) == "p/x_test.go:3"
    assert violation.message.startswith("1 goroutine started by net/http.(*Server).Serve can never go on: select; ")
    ((unplaced,), _) = leaks_of(report(of_library(CONNECTION)), (), None, lambda _: "", lambda _: "", is_own)
    assert unplaced.site == SERVE
    assert unplaced.id == violation.id


def test_what_the_user_accepts_is_counted_and_no_violation() -> None:
    found = report(left(count=3))
    violations, (waived,) = leaks_of(found, (), re.compile(r"p\.run$"), lambda _: "")
    assert (violations, waived.count, waived.by) == ([], 3, "--allow p\\.run$")
    violations, (waived,) = leaks_of(
        found, (Ignored("IgnoreTopFunction", "a.test/p.run", "x_test.go"),), None, lambda _: ""
    )
    assert (violations, waived.by) == ([], 'goleak.IgnoreTopFunction("a.test/p.run") in x_test.go')


def test_equal_leaks_get_ids_of_their_own() -> None:
    ((one,), _) = leaks_of(report(left()), (), None, lambda _: "")
    ((moved,), _) = leaks_of(report(left("TestOther")), (), None, lambda _: "\n" * 9)
    assert one.id == moved.id
    assert [violation.id for violation in same_id_ordinals([one, moved])] == [one.id, f"{one.id}-2"]


def test_what_a_leak_retains_goes_into_its_labels() -> None:
    one = left()
    found = report(one)
    place = AllocationPlace("a.test/p.Start", "p/x.go", 2)
    found.retained = {leak_key(one): Retained(3, 1_048_800, 1, 64, 2048, 1 << 20, "a.test/p.run", (place,))}
    ((violation,), _) = leaks_of(found, (), None, lambda _: "")
    assert violation.labels["retained_bytes"] == "1048800"
    assert violation.labels["shared_bytes"] == "64"
    assert violation.labels["largest_allocated_at"] == "p/x.go:2"
    found.retained = {leak_key(one): Retained(3, 64, 0, 0, 2048, missing=1)}  # not all of them were in the heap
    ((violation,), _) = leaks_of(found, (), None, lambda _: "")
    assert "retained_bytes" not in violation.labels
