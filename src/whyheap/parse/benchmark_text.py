"""What `go test -bench -benchmem` prints: allocations and bytes of an iteration.

Source: testing/benchmark.go, BenchmarkResult.String and MemString (Go 1.22 to 1.27).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"^(Benchmark\S*)\s+\d+\s.*?(\d+) B/op\s+(\d+) allocs/op")
_PACKAGE = re.compile(r"^pkg: (\S+)")


@dataclass(frozen=True, slots=True)
class BenchmarkAllocations:
    """One run of one benchmark, per iteration; `name` with its sub-benchmarks, "BenchmarkRender/small"."""

    package: str
    name: str
    bytes: int
    allocations: int


def parse_benchmarks(text: str) -> Iterator[BenchmarkAllocations]:
    """Yield each benchmark's line; other output is passed over."""
    package = ""
    for line in text.splitlines():
        found = _PACKAGE.match(line)
        if found is not None:
            package = found[1]
        found = _LINE.match(line)
        if found is not None:
            yield BenchmarkAllocations(package, found[1], int(found[2]), int(found[3]))
