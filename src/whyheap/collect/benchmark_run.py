"""Runs the benchmarks of one test program, once, and reads what it prints. Runs the user's code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from whyheap.errors import TargetError, UsageError
from whyheap.host.measured_program import ProgramRun, run_measured
from whyheap.model.benchmark import BenchmarkOutput
from whyheap.parse.benchmark_text import parse_benchmarks

_FRAME = re.compile(r"\.(Benchmark\w*)(?:\.func[\d.]+)?\(")
_LINES = 6


@dataclass(frozen=True, slots=True)
class BenchmarkOptions:
    """Which benchmarks, for how long and how often; names and values are those of go test's flags.

    `cpu` 0 means all processors. `seconds` limits the run of the whole program.
    """

    regex: str
    benchtime: str
    count: int = 1
    cpu: int = 0
    seconds: float = 300.0

    @property
    def flags(self) -> list[str]:
        """Return the flags of a test program, as `go test` would hand them over."""
        return [
            "-test.run=^$",
            f"-test.bench={self.regex}",
            "-test.benchmem",
            f"-test.count={self.count}",
            f"-test.benchtime={self.benchtime}",
            *([f"-test.cpu={self.cpu}"] if self.cpu else []),
            "-test.timeout=0",  # ours ends it, and says at which benchmark
        ]


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """What one run printed; `is_whole` is false where that was more than is kept, so that results are missing."""

    output: BenchmarkOutput
    is_whole: bool


def run_once(
    program: Path, folder: Path, options: BenchmarkOptions, *, name: str, env: Mapping[str, str] | None = None
) -> BenchmarkRun:
    """Run the benchmarks of a test program (of `go test -c`) in the package's folder, where tests expect to be.

    `name` is what errors call it, `env` are changes to our environment. Temporary files of the benchmarks are removed.

    Raises TargetError when a benchmark fails, panics or hangs, UsageError for a regex that Go does not take.
    """
    with TemporaryDirectory(prefix="whyheap-bench-") as temporary:
        command = [str(program.resolve()), *options.flags]
        run = run_measured(command, folder, env={**(env or {}), "TMPDIR": temporary}, seconds=options.seconds)
    output = parse_benchmarks(run.output)
    if run.code != 0 or output.failed:
        raise _failure(run, output, name, options)
    return BenchmarkRun(output, run.is_whole)


def _failure(
    run: ProgramRun, output: BenchmarkOutput, name: str, options: BenchmarkOptions
) -> TargetError | UsageError:
    """Say which benchmark failed, and how."""
    words = run.last_lines(_LINES)
    if any("invalid regexp" in line for line in words):
        return UsageError(f"{options.regex!a} is no regular expression of Go: {words[-1]}", "See go.dev/s/re2syntax")
    which = next(iter(output.failed), output.begun) or _running(run)
    what = f"{which} ({name})" if which else f"a benchmark ({name})"
    if run.code is None:
        ending = f"did not end within {options.seconds:g} s"
    elif output.failed:
        ending = "failed"
    else:
        ending = f"ended with status {run.code}" if run.code >= 0 else f"was killed by signal {-run.code}"
    last = f"; its last lines: {' | '.join(words)}" if words else ""
    return TargetError(f"{what} {ending}{last}", "Run it alone:  go test -run '^$' -bench REGEX")


def _running(run: ProgramRun) -> str:
    """Return the benchmark that the stacks of a crash name: in its first iteration nothing else does."""
    found = _FRAME.search(run.last_words.decode("utf-8", "replace"))
    return found[1] if found else ""
