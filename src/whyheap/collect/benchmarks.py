"""Witness: the user's own benchmarks, for allocations alone. Runs the user's code."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import TargetError
from whyheap.host.go import GoTool
from whyheap.model.benchmark import ALLOCATIONS, BYTES
from whyheap.parse.benchmark_text import parse_benchmarks

_ITERATIONS, _RUNS = 100, 3
_FAILED = re.compile(r"^(?:--- FAIL|panic:|FAIL\b|.*\bbuild failed|.+\.go:\d+:\d+: )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BenchmarkAllocations:
    """The least that one benchmark allocates in an iteration; `name` with its sub-benchmarks, "BenchmarkRow/small"."""

    package: str
    name: str
    bytes: int
    allocations: int


def run_benchmarks(
    go: GoTool, folder: Path, packages: Iterable[str], tags: str = "", gcflags: str = ""
) -> list[BenchmarkAllocations]:
    """Return the fewest allocations and bytes per iteration of each benchmark, in three runs of 100 iterations.

    One processor, so that counts do not depend on the machine; the fewest, because what is added by chance (a pool
    that the collector emptied) is only ever more. Raises TargetError when a benchmark or its build fails.
    """
    flags = ["-run=^$", "-bench=.", "-benchmem", f"-benchtime={_ITERATIONS}x", f"-count={_RUNS}", "-cpu=1"]
    more = [f"-tags={tags}"] if tags else []
    more += [f"-gcflags={gcflags}"] if gcflags else []
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with go.start(["test", *flags, *more, *packages], folder, stdout, stderr) as process:
            status = process.wait()
        stdout.seek(0)
        stderr.seek(0)
        said = stdout.read().decode("utf-8", "replace")
        errors = stderr.read().decode("utf-8", "replace")
    if status:
        lines = [line for line in f"{errors}\n{said}".splitlines() if _FAILED.match(line)]
        reason = lines[0].strip() if lines else f"exit status {status}"
        raise TargetError(f"the benchmarks failed: {reason}", "Run them by themselves:  go test -run='^$' -bench=.")
    least: dict[tuple[str, str], BenchmarkAllocations] = {}
    for result in parse_benchmarks(said).results:
        if not {ALLOCATIONS, BYTES} <= result.values.keys():
            continue
        key = result.configuration.get("pkg", ""), result.name
        size, count = int(result.values[BYTES]), int(result.values[ALLOCATIONS])
        known = least.get(key)
        if known is not None:
            size, count = min(known.bytes, size), min(known.allocations, count)
        least[key] = BenchmarkAllocations(*key, size, count)
    return list(least.values())
