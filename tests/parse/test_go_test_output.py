"""What go test prints is read as it is printed by Go 1.22 to 1.27."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.go_test_output import GoTestOutput, Outcome, PackageOutcome


def read(text: str) -> list[PackageOutcome]:
    output = GoTestOutput()
    for line in text.splitlines():
        output.add(line)
    return output.packages


def test_every_kind_of_package_is_told() -> None:
    found = read(
        "ok  \ta.test/p\t0.004s\n"
        "ok  \ta.test/q\t0.004s [no tests to run]\n"
        "?   \ta.test/r\t[no test files]\n"
        "\ta.test/s\t\tcoverage: 0.0% of statements\n"
        "# a.test/t [a.test/t.test]\nt/x_test.go:3:5: undefined: y\n"
        "FAIL\ta.test/t [build failed]\n"
        "FAIL\ta.test/u [setup failed]\n"
        "--- FAIL: TestX (0.00s)\n    x_test.go:4: no\nFAIL\nFAIL\ta.test/v\t0.010s\nFAIL\n"
    )
    assert [(one.package[-1], one.outcome) for one in found] == [
        ("p", Outcome.PASSED),
        ("q", Outcome.PASSED),
        ("r", Outcome.NO_TESTS),
        ("s", Outcome.NO_TESTS),
        ("t", Outcome.NOT_BUILT),
        ("u", Outcome.NOT_BUILT),
        ("v", Outcome.FAILED),
    ]
    assert found[-1].failed_tests == ["TestX"]
    assert not found[-1].is_only_leaks


def test_what_a_test_prints_is_not_gos_own_line() -> None:
    output = GoTestOutput(packages={"a.test/p", "a.test/q"})
    for line in (
        "ok  \ta.test/printed\t0.1s",  # as of a go test that the test has started
        "FAIL\ta.test/printed\t0.1s",
        "?   \ta.test/printed\t[no test files]",
        "FAIL\ta.test/p\t0.1s",
        "ok  \ta.test/p\t0.2s",
        "--- FAIL: TestX (0.00s)",
        "FAIL",
        "FAIL\ta.test/q\t0.1s",
        "FAIL\t./missing [setup failed]",  # has no name in go list
    ):
        output.add(line)
    assert [(one.package, one.outcome) for one in output.packages] == [
        ("a.test/p", Outcome.PASSED),
        ("a.test/q", Outcome.FAILED),
        ("./missing", Outcome.NOT_BUILT),
    ]


GOLEAK = """\
--- FAIL: TestLeak (0.44s)
    a_test.go:13: found unexpected goroutines:
        [Goroutine 21 in state chan receive, with a.test/none.TestLeak.func1 on top of the stack:
        a.test/none.TestLeak.func1()
        \t/src/none/a_test.go:12 +0x19
        ]
FAIL
FAIL\ta.test/none\t0.520s
"""


def test_a_test_that_goleak_alone_failed_is_told() -> None:
    (found,) = read(GOLEAK)
    assert found.goleak_tests == ["TestLeak"]
    assert found.is_only_leaks


def test_a_test_with_another_failure_too_is_a_failure() -> None:
    (found,) = read(GOLEAK.replace("    a_test.go:13:", "    a_test.go:9: wrong\n    a_test.go:13:"))
    assert found.failed_tests == ["TestLeak"]
    assert not found.is_only_leaks
    (found,) = read(GOLEAK.replace("FAIL\nFAIL", "--- FAIL: TestOther (0.00s)\nFAIL\nFAIL"))
    assert found.failed_tests == ["TestLeak", "TestOther"]
    assert not found.is_only_leaks


def test_parts_fail_their_test() -> None:
    outer = "--- FAIL: TestLeak (0.1s)\n    --- FAIL: TestLeak/part (0.1s)\n"
    (found,) = read(f"{outer}        a_test.go:13: found unexpected goroutines:\nFAIL\nFAIL\ta.test/none\t0.520s\n")
    assert found.failed_tests == ["TestLeak/part"]
    assert found.is_only_leaks


def test_verbose_messages_stand_above_the_failure() -> None:
    verbose = "=== RUN   TestLeak\n    a_test.go:13: found unexpected goroutines:\n--- FAIL: TestLeak (0.44s)\nFAIL\n"
    (found,) = read(verbose + "FAIL\ta.test/none\t0.520s\n")
    assert found.is_only_leaks


def test_goleak_in_a_testmain_is_told() -> None:
    text = "PASS\ngoleak: Errors on successful test run: found unexpected goroutines:\n[Goroutine 6 in state select]\n"
    (found,) = read(text + "FAIL\ta.test/main\t0.519s\n")
    assert found.goleak_main
    assert found.is_only_leaks


def test_a_pointer_fault_points_at_the_line() -> None:
    (found,) = read(
        "fatal error: checkptr: pointer arithmetic result points to invalid allocation\n\n"
        "goroutine 6 gp=0x32325f8334a0 m=3 mp=0x32325f86d008 [running]:\n"
        "runtime.throw({0x57d978?, 0x57285e?})\n\t/go/src/runtime/panic.go:1243 +0x48 fp=0x1 sp=0x2 pc=0x3\n"
        "runtime.checkptrArithmetic(0x32325f90afc0?, {0x32325f899f38, 0x1, 0xe?})\n"
        "\t/go/src/runtime/checkptr.go:69 +0x9c fp=0x1 sp=0x2 pc=0x3\n"
        "a.test/ptr.far(...)\n\t/src/a_test.go:18\n"
        "a.test/ptr.TestArithmetic(0x32325f8a8488?)\n\t/src/a_test.go:14 +0x45 fp=0x1 sp=0x2 pc=0x3\n"
        "created by testing.(*T).Run in goroutine 1\n\t/go/src/testing/testing.go:2260 +0x4cd\n"
        "FAIL\ta.test/ptr\t0.012s\n"
    )
    assert found.fault is not None
    assert found.fault.words == "checkptr: pointer arithmetic result points to invalid allocation"
    assert [(site.function, site.line) for site in found.fault.stack] == [("far", 18), ("TestArithmetic", 14)]


def test_a_hanging_test_is_told() -> None:
    (found,) = read("panic: test timed out after 2s\n\trunning tests:\n\t\tTestHang (2s)\nFAIL\ta.test/hang\t2.003s\n")
    assert found.timeout == "2s"
    assert not found.is_only_leaks


@given(st.lists(st.text(max_size=40), max_size=20))
def test_no_line_is_a_surprise(lines: list[str]) -> None:
    output = GoTestOutput()
    for line in [*lines, "FAIL\tp\t0.1s"]:
        output.add(line)
    assert output.packages[-1].package == "p"
