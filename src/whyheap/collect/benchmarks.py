"""Witness: the user's own benchmarks, for allocations alone. Runs the user's code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from whyheap.collect.benchmark_run import BenchmarkOptions, run_once
from whyheap.collect.compiled_packages import hint_for
from whyheap.collect.test_binary import build_tests
from whyheap.errors import TargetError
from whyheap.host.go import GoTool, first_line
from whyheap.model.benchmark import ALLOCATIONS, BYTES
from whyheap.parse.go_list import parse_go_list

_OPTIONS = BenchmarkOptions(".", benchtime="100x", count=3, cpu=1, seconds=600.0)
"""600 s is go test's own limit (cmd/go/internal/test/test.go, -timeout)."""


@dataclass(frozen=True, slots=True)
class BenchmarkAllocations:
    """The least that one benchmark allocates in an iteration; `name` with its sub-benchmarks, "BenchmarkRow/small"."""

    package: str
    name: str
    bytes: int
    allocations: int


def run_benchmarks(
    go: GoTool,
    folder: Path,
    packages: Iterable[str],
    tags: str = "",
    gcflags: str = "",
    *,
    not_understood: Callable[[str], None],
) -> list[BenchmarkAllocations]:
    """Return the fewest allocations and bytes per iteration of each benchmark, in three runs of 100 iterations.

    One processor, so that counts do not depend on the machine; the fewest, because what is added by chance (a pool
    that the collector emptied) is only ever more. `not_understood` hears of lines that may have been results.

    Raises TargetError when a benchmark or its build fails.
    """
    least: dict[tuple[str, str], BenchmarkAllocations] = {}
    with TemporaryDirectory(prefix="whyheap-bench-") as temporary:
        for package, place in _folders(go, folder, packages, tags).items():
            program = Path(temporary, "package.test")
            program.unlink(missing_ok=True)
            if not build_tests(go, package, folder, program, tags=tags, gcflags=gcflags):
                continue
            for one in _allocations(go, package, place, program, not_understood):
                known = least.get((package, one.name), one)
                size, count = min(known.bytes, one.bytes), min(known.allocations, one.allocations)
                least[package, one.name] = BenchmarkAllocations(package, one.name, size, count)
    return list(least.values())


def _folders(go: GoTool, folder: Path, packages: Iterable[str], tags: str) -> dict[str, Path]:
    """Return where the tests of each package run."""
    options = [f"-tags={tags}"] if tags else []
    done = go.run(["list", "-json=ImportPath,Dir", *options, *packages], folder)
    if done.returncode != 0:
        raise TargetError(f"go list failed: {first_line(done.stderr)}", hint_for(done.stderr))
    return {package.ImportPath: Path(package.Dir) for package in parse_go_list(done.stdout.encode())}


def _allocations(
    go: GoTool, package: str, folder: Path, program: Path, not_understood: Callable[[str], None]
) -> Iterable[BenchmarkAllocations]:
    """Yield the results of one package's benchmarks, several of each; those of go alone, which have both numbers."""
    try:
        run = run_once(program, folder, _OPTIONS, name=package, env=go.env)
    except TargetError as error:
        raise TargetError(f"the benchmarks failed: {error.message}", error.hint) from error
    if not run.is_whole:
        raise TargetError(
            f"the benchmarks of {package} print more than is read, so some results are missing",
            "Let them print less: whyheap reads what go test -bench prints",
        )
    for example in run.output.examples:
        not_understood(f"a benchmark of {package} printed: {example}")
    for result in run.output.results:
        if {ALLOCATIONS, BYTES} <= result.values.keys():
            size, count = int(result.values[BYTES]), int(result.values[ALLOCATIONS])
            yield BenchmarkAllocations(package, result.name, size, count)
