"""Measures how long a census of a Go process takes and how well it agrees with the program's own MemStats.

    .venv/bin/python -m bench.census_speed [--heap 1024] [--largest 1000] [--repeats 30] [--go 1.22.10,1.27.3]

The program of tests/collect/census_program fills a heap (with blocks so small that it has some 130,000 spans), reads
its own numbers and holds still. `read` is what a sample asks for (the runtime's accounts), `spans` the count of every
span. Times are wall clock and our CPU time; ratios are those to 20 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import toolchains  # noqa: E402 - the tests' own toolchains and program
from collect.census_target import Target, build, running  # noqa: E402 - as above
from whyheap.collect.census import Census  # noqa: E402 - as above

_LIMIT_SECONDS = 0.020
_TRIES = 4


def main() -> None:
    """Print a line for each Go, with symbols and without."""
    parser = argparse.ArgumentParser(description="the census's speed and agreement")
    parser.add_argument("--heap", type=int, default=1024, help="MiB of heap")
    parser.add_argument("--largest", type=int, default=1000, help="bytes of the largest block")
    parser.add_argument("--repeats", type=int, default=30, help="how often each is read")
    parser.add_argument("--go", default=",".join(toolchains.versions()), help="versions")
    given = parser.parse_args()
    print(f"heap {given.heap} MiB; milliseconds: least and median of {given.repeats}; ratio of the least to 20 ms")
    for version in given.go.split(","):
        for name, flags in (("with symbols", ()), ("stripped", ("-trimpath", "-ldflags=-s -w"))):
            with tempfile.TemporaryDirectory() as folder:
                program = build(Path(folder), version, *flags)
                with running(program, "-heap", str(given.heap), "-largest", str(given.largest)) as target:
                    _measure(f"go{version} {name}", target, given.repeats)


def _measure(name: str, target: Target, repeats: int) -> None:
    began = time.perf_counter()
    census = Census.open(target.pid)
    opened = time.perf_counter() - began
    census.read()
    spans = census.spans()
    print(f"{name}: {len(spans.npages):,} spans, opened in {opened * 1000:.0f} ms")
    for what, read in (("read", census.read), ("spans", census.spans)):
        wall, cpu = _times(read, repeats)
        least = min(wall)
        print(
            f"  {what:<6} {least * 1000:7.2f} {statistics.median(wall) * 1000:7.2f} ms,"
            f" CPU {min(cpu) * 1000:6.2f} {statistics.median(cpu) * 1000:6.2f} ms, ratio {least / _LIMIT_SECONDS:.3f}"
        )
    worst, number = _worst(target, census)
    counted = abs(spans.heap_alloc - census.read()["heap_alloc"]) / census.read()["heap_alloc"]
    print(f"  largest difference to MemStats and runtime/metrics: {worst:.4%} ({number}), of the spans: {counted:.4%}")


def _times(read: Callable[[], object], repeats: int) -> tuple[list[float], list[float]]:
    wall, cpu = [], []
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        read()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return wall, cpu


def _worst(target: Target, census: Census) -> tuple[float, str]:
    """Return the largest difference of any number; the least of some tries, as the program may collect in between."""
    found = []
    for _ in range(_TRIES):
        ours, theirs = census.read(), target.told()
        found.append(max((abs(ours[name] - value) / max(abs(value), 1e-9), name) for name, value in theirs.items()))
    return min(found)


if __name__ == "__main__":
    main()
