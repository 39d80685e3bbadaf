r"""What `go test` prints, in text: which packages passed, which did not and why.

Source: cmd/go/internal/test/test.go and cmd/internal/test2json (Go 1.22 to 1.27):

    ok  \texample.com/p\t0.004s
    FAIL\texample.com/p\t0.004s
    FAIL\texample.com/p [build failed]
    ?   \texample.com/p\t[no test files]
    \texample.com/p\t\tcoverage: 0.0% of statements

A package's output stands before its line, and may hold such lines itself, as of a go test that the test has started:
only a package that is tested has a line, and the last one counts.

Two kinds of failure are understood: what go.uber.org/goleak says (leaks.go,
testmain.go: VerifyNone by Errorf, VerifyTestMain on standard error), and a throw of the compiler's pointer checks
(runtime/checkptr.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from whyheap.model.site import Site, Stack
from whyheap.parse.traceback_text import Traces

_OK = re.compile(r"ok  \t(\S+)\t")
_FAILED = re.compile(r"FAIL\t(\S+)(?: \[([a-z ]+ failed)\]|\t[\d.]+s)$")
_NO_TESTS = re.compile(r"(?:\?   |)\t(\S+)\t(?:\[no test files\]|\tcoverage: )")
_TEST_FAILED = re.compile(r"( *)--- FAIL: (\S+)")
_TEST_LINE = re.compile(r" *(?:---|===) ")
_MESSAGE = re.compile(r" {4,}(\S+\.go:\d+): (.*)$")
_CHECKPTR = re.compile(r"fatal error: (checkptr: .*)$")
_PANIC_TIMEOUT = re.compile(r"panic: test timed out after (\S+)")
_GOLEAK_TEST = "found unexpected goroutines:"
_GOLEAK_MAIN = "goleak: Errors on successful test run: "
_MOST_LINES = 200_000
_MOST_CRASH_LINES = 2_000
_PASSED = "PASS"


class Outcome(StrEnum):
    """How a package fared."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_BUILT = "not built"
    NO_TESTS = "no tests"

    @property
    def is_bad(self) -> bool:
        """Whether go test fails for it."""
        return self in {Outcome.FAILED, Outcome.NOT_BUILT}


@dataclass(frozen=True, slots=True)
class PointerFault:
    """A throw of checkptr: its words, and the stack from the line that did it."""

    words: str
    stack: Stack


@dataclass(slots=True)
class PackageOutcome:
    """One package. `failed_tests` are leaf tests; `goleak_tests` those of them that failed by goleak's word alone.

    `goleak_main` says that goleak's TestMain found leaks after the tests had passed.
    """

    package: str
    outcome: Outcome
    failed_tests: list[str] = field(default_factory=list)
    goleak_tests: list[str] = field(default_factory=list)
    goleak_main: bool = False
    fault: PointerFault | None = None
    timeout: str = ""

    @property
    def is_only_leaks(self) -> bool:
        """Whether nothing but goleak made this package fail."""
        if self.outcome is not Outcome.FAILED or self.fault is not None or self.timeout:
            return False
        return set(self.failed_tests) <= set(self.goleak_tests) and bool(self.goleak_tests or self.goleak_main)


class GoTestOutput:
    """The output while it is read, line after line."""

    def __init__(self, spell: Callable[[str], str] = str, packages: Collection[str] = ()) -> None:
        """`spell` turns files into the contract's spelling; `packages` are those that are tested, where it is known."""
        self._spell = spell
        self._tested = packages
        self._lines: list[str] = []
        self.packages: list[PackageOutcome] = []
        self.is_cut = False

    def add(self, line: str) -> None:
        """Take one line, without its end."""
        ended = _ended(line) if line[:1] in "oF?\t" else None
        if ended is not None and self._is_tested(*ended):
            self._close(*ended)
        elif len(self._lines) < _MOST_LINES:
            self._lines.append(line)
        else:
            self.is_cut = True

    def _is_tested(self, package: str, outcome: Outcome) -> bool:
        """Whether it may be go's own line; what cannot be found or built may have another name than go list's."""
        return not self._tested or package in self._tested or outcome is Outcome.NOT_BUILT

    def _close(self, package: str, outcome: Outcome) -> None:
        lines, self._lines = self._lines, []
        found = PackageOutcome(package, outcome)
        if outcome is Outcome.FAILED:
            self._read_failure(found, lines)
        self.packages = [one for one in self.packages if one.package != package]  # the test's own words
        self.packages.append(found)

    def _read_failure(self, found: PackageOutcome, lines: list[str]) -> None:
        for name, messages in _failed_tests(lines):
            found.failed_tests.append(name)
            if messages and all(message.startswith(_GOLEAK_TEST) for message in messages):
                found.goleak_tests.append(name)
        for number, line in enumerate(lines):
            if line.startswith(_GOLEAK_MAIN):
                found.goleak_main = True
            if found.fault is None and (thrown := _CHECKPTR.match(line)) is not None:
                found.fault = PointerFault(thrown[1], self._stack(lines[number + 1 : number + _MOST_CRASH_LINES]))
            if (timed_out := _PANIC_TIMEOUT.match(line)) is not None:
                found.timeout = timed_out[1]

    def _stack(self, lines: list[str]) -> Stack:
        traces = Traces(self._spell)
        for line in lines:
            traces.add(line)
        traces.groups()
        stack = traces.culprit[1] if traces.culprit is not None else ()
        return tuple(site for site in stack if not _is_check(site))


def _is_check(site: Site) -> bool:
    return site.package == "runtime"


def _ended(line: str) -> tuple[str, Outcome] | None:
    if (passed := _OK.match(line)) is not None:
        return passed[1], Outcome.PASSED
    if (failed := _FAILED.match(line)) is not None:
        return failed[1], Outcome.NOT_BUILT if failed[2] else Outcome.FAILED
    if (empty := _NO_TESTS.match(line)) is not None:
        return empty[1], Outcome.NO_TESTS
    return None


def _failed_tests(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield failed tests that have messages of their own, or no failed part, each with its messages.

    Without -v messages stand below `--- FAIL`; with it, above: they are then those since `=== RUN` or `=== NAME`.
    """
    is_verbose = any(line.startswith("=== RUN   ") for line in lines)
    own: dict[str, list[str]] = {}
    current = ""
    failed: list[str] = []
    for line in lines:
        header = _TEST_FAILED.match(line)
        if header is not None:
            failed.append(header[2])
            current = "" if is_verbose else header[2]
        elif line.startswith(("=== RUN   ", "=== NAME  ", "=== CONT  ")):
            current = line[10:].strip()
        elif _TEST_LINE.match(line) or line == _PASSED:
            current = ""
        elif current and (message := _MESSAGE.match(line)) is not None:
            own.setdefault(current, []).append(message[2])
    for name in failed:
        has_part = any(other.startswith(f"{name}/") for other in failed)
        if name in own or not has_part:
            yield name, own.get(name, [])
