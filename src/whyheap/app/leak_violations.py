"""Goroutines that tests left, as violations: one for each place that started them and each place where they wait."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from whyheap.app.violation_id import violation_id
from whyheap.goruntime.goleak_options import Ignored
from whyheap.goruntime.goroutine_starters import STARTERS
from whyheap.model.site import Site
from whyheap.model.violation import Violation
from whyheap.parse.heap_reach import Retained
from whyheap.parse.hook_report import LeakKey, LeftGoroutine, PackageReport, functions_of, leak_key
from whyheap.units import format_count

_SMALLEST_STACK_BYTES = 2048
"""stackMin in runtime/stack.go, Go 1.22 to 1.27."""
_NAMED_TESTS = 3
_GO = re.compile(r"(?<![\w.])go\s")


@dataclass(frozen=True, slots=True)
class Waived:
    """Goroutines that the user has said are none, and who said so."""

    count: int
    by: str


def leaks_of(
    report: PackageReport,
    ignored: Sequence[Ignored],
    allowed: re.Pattern[str] | None,
    source: Callable[[str], str],
    place_of: Callable[[str], str] = lambda _: "",
    is_own: Callable[[Site], bool] = lambda _: True,
) -> tuple[list[Violation], list[Waived]]:
    """Return the leaks of one package, and what the user's own words leave out.

    `ignored` are the options of goleak in its tests, `allowed` is --allow; `source` gives the text of a spelled file,
    `place_of` where a test is declared, `is_own` whether code is the user's and no library's.
    """
    waived: Counter[str] = Counter()
    groups: dict[LeakKey, list[LeftGoroutine]] = {}
    for one in report.goroutines:
        by = _waived_by(one, ignored, allowed)
        if by:
            waived[by] += one.count
        else:
            groups.setdefault(leak_key(one), []).append(one)
    violations = [_violation(report, group, source, place_of, is_own) for group in groups.values()]
    return violations, [Waived(count, by) for by, count in waived.items()]


def _waived_by(one: LeftGoroutine, ignored: Iterable[Ignored], allowed: re.Pattern[str] | None) -> str:
    if allowed is not None and any(allowed.search(function) for function in functions_of(one)):
        return f"--allow {allowed.pattern}"
    return next((rule.said for rule in ignored if rule.fits(one.trace)), "")


def _violation(
    report: PackageReport,
    group: Sequence[LeftGoroutine],
    source: Callable[[str], str],
    place_of: Callable[[str], str],
    is_own: Callable[[Site], bool],
) -> Violation:
    first = group[0]
    creator = _with_column(first.created_by or (first.stack[0] if first.stack else Site("", 0)), source)
    tests = list(dict.fromkeys(one.test for one in group if one.test))
    tests = tests or list(dict.fromkeys(report.parallel))
    site, started, subject = _blamed(first, creator, tests, place_of, is_own)
    left_by = _left_by(tests, place_of, certain=all(one.test for one in group), how=first.how)
    count = sum(one.count for one in group)
    what = "1 goroutine" if count == 1 else f"{format_count(count)} goroutines"
    verb = "is" if count == 1 else "are"
    if first.is_stuck:
        fate = f"can never go on: {first.state}"
    else:
        waited = report.end.waited_ms if report.end is not None else 0
        fate = f"{verb} still there {_milliseconds(waited)} after the tests: {first.state}"
    place = first.stack[0].symbol if first.stack else ""
    labels = {
        "certainty": "measured" if first.is_stuck else "stated",
        "state": first.state,
        "goroutines": str(count),
        "tests": " ".join(tests),
        "attribution": "exact" if first.how == "created" else first.how,
        "package": report.package,
        "stack_bytes_at_least": str(count * _SMALLEST_STACK_BYTES),
        **({} if site is creator else {"created_by": creator.symbol, "created_at": str(creator.position)}),
        **_retained(report.retained.get(leak_key(first))),
    }
    return Violation(
        violation_id("leak", report.package, subject, place, first.state),
        "leak",
        site,
        f"{what} {started} {fate}; {left_by}",
        labels=labels,
        stack=first.stack,
    )


def _blamed(
    one: LeftGoroutine,
    creator: Site,
    tests: Sequence[str],
    place_of: Callable[[str], str],
    is_own: Callable[[Site], bool],
) -> tuple[Site, str, str]:
    """Return the line that a leak is told at, what it is to the goroutine, and the function that the leak's id names.

    The go statement, where the user wrote it; else what of the user's it runs; else the first test that left it.
    """
    run = _run_for_another(one)
    if run is None and not is_own(creator):
        run = next((site for site in reversed(one.stack) if is_own(site)), None)
        file, _, line = place_of(tests[0].partition("/")[0]).rpartition(":") if run is None and tests else ("", "", "")
        if file:
            test = Site(file, int(line), 0, tests[0].partition("/")[0], "")
            return test, f"started by {creator.symbol}", creator.symbol
    if run is not None:
        return run, f"started by {creator.symbol} for this function", run.symbol
    return creator, "started here", creator.symbol


def _retained(found: Retained | None) -> dict[str, str]:
    """Return what a leak keeps alive as labels; empty where that is not known of each of its goroutines."""
    if found is None or found.missing:
        return {}
    labels = {
        "retained_bytes": str(found.bytes),
        "retained_objects": str(found.objects),
        "shared_bytes": str(found.shared_bytes),
        "shared_objects": str(found.shared_objects),
        "stack_bytes": str(found.stack_bytes),
        "largest_bytes": str(found.largest_bytes),
        "largest_held_by": found.largest_frame,
    }
    if found.allocated:
        place = found.allocated[0]
        labels["largest_allocated_by"] = place.function
        if place.line:
            labels["largest_allocated_at"] = f"{place.file}:{place.line}"
    return labels


def _run_for_another(one: LeftGoroutine) -> Site | None:
    """Return where the function is that a starter such as sync.WaitGroup.Go runs for its caller, else None."""
    if one.created_by is None or one.created_by.symbol not in STARTERS:
        return None
    return next((site for site in reversed(one.stack) if site.package != one.created_by.package), None)


def _left_by(tests: Sequence[str], place_of: Callable[[str], str], *, certain: bool, how: str) -> str:
    named = ", ".join(tests[:_NAMED_TESTS])
    if len(tests) == 1 and (place := place_of(tests[0].partition("/")[0])):
        named += f" ({place})"
    more = f" and {len(tests) - _NAMED_TESTS} more" if len(tests) > _NAMED_TESTS else ""
    if not tests:
        return "left by a test, which one is not known"
    if not certain:
        if len(tests) == 1:
            return f"left by {named}"
        return f"left by one of the parallel tests {named}{more}"
    return f"left by {named}{more}" if how == "created" else f"first seen after {named}{more}"


def _milliseconds(count: int) -> str:
    return f"{count / 1000:.1f} s" if count >= 1000 else f"{count} ms"  # noqa: PLR2004 - a second


def _with_column(site: Site, source: Callable[[str], str]) -> Site:
    """Return the site with the column of its go statement, where the line holds exactly one."""
    lines = source(site.file).splitlines()
    if not 0 < site.line <= len(lines):
        return site
    found = [match.start() for match in _GO.finditer(lines[site.line - 1])]
    if len(found) != 1:
        return site
    column = len(lines[site.line - 1][: found[0]].encode()) + 1
    return Site(site.file, site.line, column, site.function, site.package)


def same_id_ordinals(violations: Iterable[Violation]) -> Iterator[Violation]:
    """Yield violations with ids of their own: the second of equal ones gets an ordinal."""
    seen: Counter[str] = Counter()
    for one in violations:
        seen[one.id] += 1
        if seen[one.id] == 1:
            yield one
        else:
            id_ = f"{one.id}-{seen[one.id]}"
            yield Violation(id_, one.rule, one.site, one.message, one.finding, one.labels, one.stack)
