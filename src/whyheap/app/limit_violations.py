"""What tests and benchmarks allocate, against the limits above them, and directives that make no sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from whyheap.app.violation_id import violation_id
from whyheap.collect.go_test_run import CheckedFile
from whyheap.model.site import Site
from whyheap.model.violation import Violation
from whyheap.parse.allocation_limits import AllocationLimit
from whyheap.parse.hook_report import Limited
from whyheap.units import format_bytes, format_count

CHANCE_BYTES = 8192
"""Seen in benchmarks of 100 operations: 2.9 KB (Go 1.22.10) and 5.3 KB (1.27.3) that were none of their own."""
MOST_SPARE_BYTES = 96


def limit_violations(
    files: Iterable[CheckedFile], limited: Sequence[tuple[str, Limited]]
) -> tuple[list[Violation], list[str], int]:
    """Return the limits that do not hold, those that nobody ran as `package.Function`, and how many were looked at.

    `limited` are what test binaries said, each with its package.
    """
    found: list[Violation] = []
    idle: list[str] = []
    count = 0
    for file in files:
        for limit in file.limits:
            said = [one for package, one in limited if package == file.package and _is_of(one, limit)]
            if said:
                count += 1
                found += _judged(file, limit, said)
            else:
                idle.append(f"{file.package}.{limit.function}")
    return found, idle, count


def wrong_directives(files: Iterable[CheckedFile]) -> Iterator[Violation]:
    """Yield the directives that cannot be obeyed."""
    for file in files:
        for wrong in file.wrong:
            yield _violation(
                "directive", file, wrong.line, wrong.column, "", wrong.text, f"{wrong.text}: {wrong.reason}"
            )


def _is_of(said: Limited, limit: AllocationLimit) -> bool:
    return said.name.partition("/")[0] == limit.function


def _judged(file: CheckedFile, limit: AllocationLimit, said: Sequence[Limited]) -> Iterator[Violation]:
    """Yield what is wrong with the worst of several runs of a test, or with the best of those of a benchmark's part.

    A benchmark counts what the whole process allocates: what the runtime adds by chance is only ever more.
    """
    for name in dict.fromkeys(one.name for one in said):
        runs = [one for one in said if one.name == name]
        if not limit.is_benchmark and any(one.parallel or one.parallel_parts for one in runs):
            what = "runs in parallel" if any(one.parallel for one in runs) else "has parallel parts"
            text = f"{limit.text}: {name} {what}, so what it allocates cannot be told from what others do"
            yield _violation("directive", file, limit.line, limit.column, limit.function, name, text)
            continue
        chosen = min if limit.is_benchmark else max
        allocs = chosen(one.allocs for one in runs)
        size = chosen(one.bytes for one in runs)
        spare = _spare_bytes(max(one.n for one in runs)) if limit.is_benchmark else 0
        over = []
        if limit.allocs is not None and allocs > limit.allocs:
            objects = "1 object" if allocs == 1 else f"{format_count(allocs)} objects"
            over.append(f"{objects} where at most {format_count(limit.allocs)} are allowed")
        if limit.bytes is not None and size > limit.bytes + spare:
            over.append(f"{format_bytes(size)} where at most {format_bytes(limit.bytes)} are allowed")
        if over:
            unit = f" (a mean of {format_count(max(one.n for one in runs))} operations)" if limit.is_benchmark else ""
            text = f"{name} allocates {', and '.join(over)}{unit}"
            labels = {"allocs": str(allocs), "bytes": str(size), "function": name, "package": file.package}
            yield _violation("limit", file, limit.line, limit.column, limit.function, name, text, labels)


def _spare_bytes(operations: int) -> int:
    """Return how many bytes an operation may seem to allocate for what the runtime did once in the whole run."""
    return min(CHANCE_BYTES // max(operations, 1), MOST_SPARE_BYTES)


def _violation(
    rule: str,
    file: CheckedFile,
    line: int,
    column: int,
    function: str,
    subject: str,
    message: str,
    labels: dict[str, str] | None = None,
) -> Violation:
    id_ = violation_id(rule, file.package, function, subject)
    site = Site(file.file, line, column, function, file.package)
    return Violation(id_, rule, site, message, labels=labels or {"package": file.package})
