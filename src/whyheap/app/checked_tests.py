"""The job of `whyheap test`: run a module's own tests, and say what they leave behind and what they allocate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from whyheap.app.leak_violations import leaks_of, same_id_ordinals
from whyheap.app.limit_violations import limit_violations, wrong_directives
from whyheap.app.violation_id import violation_id
from whyheap.collect.go_test_run import CheckedFile, GoTestOptions, GoTestRun, Progress, run_tests
from whyheap.goruntime.goleak_options import goleak_options
from whyheap.goruntime.harmless_goroutines import HARMLESS
from whyheap.host.go import GoTool
from whyheap.host.repository import folder_in_repository
from whyheap.model.site import Site
from whyheap.model.violation import NOT_BUILT, GateResult, Violation
from whyheap.parse.go_test_output import Outcome, PackageOutcome
from whyheap.parse.hook_report import PackageReport
from whyheap.units import format_bytes, format_count

_NAMED = 3


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to test; goroutines with a function that `allowed` matches are no leak."""

    options: GoTestOptions
    allowed: re.Pattern[str] | None = None
    keep_sources: bool = True


def check_tests(go: GoTool, request: CheckRequest, progress: Progress, show: Callable[[str], None]) -> GateResult:
    """Run the tests and judge them; `show` gets go test's own output, line by line.

    Raises TargetError when nothing was tested, UsageError for flags that whyheap test cannot run with.
    """
    run = run_tests(go, request.options, progress, show)
    reports: dict[str, list[PackageReport]] = {}
    for report in run.reports:
        reports.setdefault(report.package, []).append(report)
    violations: list[Violation] = []
    notes: list[str] = []
    for report in run.reports:
        own_files = [file for file in run.files if file.package == report.package]
        ignored = [one for file in own_files for one in goleak_options(file.source, file.file)]
        leaks, waived = leaks_of(
            report, ignored, request.allowed, run.source, partial(_place_of, own_files), run.is_own
        )
        violations += leaks
        notes += [f"{report.package}: {_left(one.count)} accepted by {one.by}" for one in waived]
        notes += _notes_of(report, has_leaks=bool(leaks))
    leaky = {one.labels["package"] for one in violations}
    violations += [_pointer_fault(one) for one in run.outcomes if one.fault is not None]
    limits, limit_notes, limit_count = _limits(run)
    violations += limits
    failed = [one for one in run.outcomes if _is_failure(one, one.package in leaky)]
    for one in run.outcomes:
        notes += _notes_on(one, reports.get(one.package, []), is_leaky=one.package in leaky)
    counts = {
        "packages": len({report.package for report in run.reports if report.end is not None}),
        "tests": sum(report.end.tests for report in run.reports if report.end is not None),
        "limits": limit_count,
    }
    empty = sum(one.outcome is Outcome.NO_TESTS for one in run.outcomes)
    if empty:
        notes.append(f"{format_count(empty)} {'packages have' if empty > 1 else 'package has'} no tests")
    ordered = sorted(same_id_ordinals(violations), key=lambda one: (one.site.position, one.rule, one.id))
    return GateResult(
        run.environment.GOVERSION,
        run.environment.platform,
        tuple(ordered),
        (*notes, *limit_notes),
        tuple(_unknown(run)),
        counts,
        failed=bool(failed) or (run.status != 0 and not any(one.outcome.is_bad for one in run.outcomes)),
        title=" ".join(request.options.patterns),
        sources=_sources(run, ordered) if request.keep_sources else {},
        in_repository=folder_in_repository(Path(run.environment.root or request.options.folder)),
    )


def _limits(run: GoTestRun) -> tuple[list[Violation], list[str], int]:
    violations = list(wrong_directives(run.files))
    count = sum(len(file.limits) for file in run.files)
    if count and run.flags.distorts_allocations:
        return violations, [f"{count} limits were not judged: {run.flags.distorts_allocations} changes allocations"], 0
    limited = [(report.package, one) for report in run.reports for one in report.limited]
    found, idle, judged = limit_violations(run.files, limited)
    notes = []
    if idle:
        more = f" and {len(idle) - _NAMED} more" if len(idle) > _NAMED else ""
        notes.append(
            f"{len(idle)} limits were not judged, their functions did not run, or failed: "
            f"{', '.join(idle[:_NAMED])}{more}"
        )
    return violations + found, notes, judged


def _is_failure(one: PackageOutcome, is_leaky: bool) -> bool:  # noqa: FBT001 - a fact about the first
    """Whether a package failed for another reason than one that is a violation of its own."""
    if one.outcome is Outcome.NOT_BUILT:
        return True
    if one.outcome is not Outcome.FAILED or one.fault is not None:
        return False
    return not (is_leaky and one.is_only_leaks)


def _pointer_fault(one: PackageOutcome) -> Violation:
    assert one.fault is not None  # noqa: S101 - only such are asked
    site = one.fault.stack[0] if one.fault.stack else Site("", 0)
    return Violation(
        violation_id("checkptr", one.package, site.symbol, one.fault.words),
        "checkptr",
        site,
        f"{one.fault.words.removeprefix('checkptr: ')}; it ended the tests of {one.package}",
        labels={"package": one.package},
        stack=one.fault.stack,
    )


def _notes_of(report: PackageReport, *, has_leaks: bool) -> Iterator[str]:
    """Yield what is worth saying of one package's end, and is no violation."""
    end = report.end
    if end is None:
        return
    said: Counter[str] = Counter()
    for rule in HARMLESS:
        if rule.said and end.harmless.get(rule.name):
            said[rule.said] += end.harmless[rule.name]
    for words, count in said.items():
        yield f"{report.package}: {words} were left: {format_count(count)}"
    if end.children:
        what = "1 goroutine" if end.children == 1 else f"{format_count(end.children)} goroutines"
        yield f"{report.package}: {what} started by what ran before the tests (TestMain, init) not judged"
    if has_leaks:
        heap, stacks = end.heap_after - end.heap_before, end.stack_after - end.stack_before
        yield (f"{report.package}: over the tests the heap {_changed(heap)} and stacks {_changed(stacks)} (after a GC)")
        if report.not_retained:
            yield f"{report.package}: what leaked goroutines retain is not told: {report.not_retained}"
    shown = sum(one.count for one in report.goroutines)
    if end.left > shown and not report.unread:
        yield f"{report.package}: {format_count(end.left)} goroutines were left, {format_count(shown)} are shown"
    if end.too_many:
        yield f"{report.package}: so many goroutines that they were not listed after each test: tests may be unnamed"


def _left(count: int) -> str:
    return "1 left goroutine is" if count == 1 else f"{format_count(count)} left goroutines are"


def _place_of(files: Iterable[CheckedFile], function: str) -> str:
    """Return where a test is declared, empty where it is not found."""
    declaration = re.compile(rf"^func {re.escape(function)}\(", re.MULTILINE)
    for file in files:
        found = declaration.search(file.source)
        if found is not None:
            return f"{file.file}:{file.source.count(chr(10), 0, found.start()) + 1}"
    return ""


def _changed(count: int) -> str:
    """Say by how many bytes something grew or shrank."""
    return f"{'grew' if count >= 0 else 'shrank'} by {format_bytes(abs(count))}"


def _notes_on(one: PackageOutcome, reports: list[PackageReport], *, is_leaky: bool) -> Iterator[str]:
    """Yield why a package could not be judged, or who else said the same."""
    if one.timeout:
        yield f"{one.package}: a test hung; go test ended it after {one.timeout} and printed all stacks"
    if one.outcome is Outcome.NOT_BUILT:
        yield f"{one.package}: not checked, {NOT_BUILT}"
    is_whole = bool(reports) and all(report.end is not None for report in reports)
    if one.outcome is Outcome.PASSED and not is_whole:
        yield (
            f"{one.package}: not checked, its test binary ended before its tests were over "
            "(a TestMain that does not call m.Run, os.Exit in a test, an -exec that drops the environment)"
        )
    if one.outcome is Outcome.FAILED and not is_whole:
        yield f"{one.package}: not checked for leaks, its test binary ended early"
    if one.is_only_leaks:
        yield f"{one.package}: goleak failed it" + (", too: counted once" if is_leaky else "")


def _unknown(run: GoTestRun) -> Iterator[str]:
    for report in run.reports:
        if report.unread:
            yield f"{report.package}: {report.unread} goroutines or lines of its report were not understood"
    if run.unread:
        yield "go test printed so much for one package that the end of it was not read"


def _sources(run: GoTestRun, violations: Iterable[Violation]) -> dict[str, str]:
    texts = {one.site.file: run.source(one.site.file) for one in violations if one.site.file}
    return {file: text for file, text in texts.items() if text}
