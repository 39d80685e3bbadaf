"""Compares two builds of a package's tests by its benchmarks: allocations and bytes first, time as information.

Both are run in turns, in an order drawn by lot in each round: what slows the machine for a while meets both. Each run
is one sample of each benchmark. Allocations are as a rule the same in every run; numbers that vary are compared by the
Mann-Whitney U test and their medians, as benchstat does.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from whyheap.errors import TargetError, UsageError
from whyheap.host.measured_program import ProgramRun, run_measured
from whyheap.model.benchmark import ALLOCATIONS, BYTES, TIME, BenchmarkOutput, BenchmarkSample, Comparison
from whyheap.parse.benchmark_text import parse_benchmarks
from whyheap.stats import mann_whitney, median_interval

ROUNDS = 8
"""Enough for an interval (6) and for a small p (4), with two to spare."""
BENCHTIME = "100ms"
SECONDS = 300.0
_MOST_ROUNDS = 1_000
_BENCHTIME = re.compile(r"[1-9]\d{0,9}x|(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|ms|s|m|h))+", re.ASCII)
_FRAME = re.compile(r"\.(Benchmark\w*)(?:\.func[\d.]+)?\(")
_FIRST_UNITS = (ALLOCATIONS, BYTES, TIME)
_LINES = 6

_Key = tuple[str, str, str]
_Values = dict[_Key, list[float]]


def compare(
    before: Path,
    after: Path,
    regex: str = ".",
    rounds: int = ROUNDS,
    *,
    folder: Path,
    folder_after: Path | None = None,
    names: tuple[str, str] = ("before", "after"),
    benchtime: str = BENCHTIME,
    seconds: float = SECONDS,
    env: Mapping[str, str] | None = None,
    lot: random.Random | None = None,
    progress: Callable[[str], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[Comparison, ...]:
    """Run the benchmarks that match `regex` in two test programs (of `go test -c`), `rounds` times each, in turns.

    `folder` is the package's, where tests expect to run; `folder_after` that of the program after, if it is another.
    `names` are what errors call the two, `seconds` limits each run of a program. `note` hears what was not understood.
    Returns a comparison for each unit of each benchmark, those of allocations and bytes first; nothing when no
    benchmark matches.

    Raises TargetError when a benchmark fails, panics or hangs, UsageError for options that make no sense.
    """
    check_options(rounds, benchtime)
    sides = ((names[0], before, folder), (names[1], after, folder_after or folder))
    values: tuple[_Values, _Values] = (defaultdict(list), defaultdict(list))
    lot = lot or random.Random()  # noqa: S311 - the order of runs is no secret
    unknown: list[BenchmarkOutput] = []
    with TemporaryDirectory(prefix="whyheap-bench-") as temporary:
        for number in range(rounds):
            order = [0, 1]
            lot.shuffle(order)
            for index in order:
                name, program, place = sides[index]
                progress(f"{name}: benchmarks, round {number + 1} of {rounds}")
                command = [str(program.resolve()), *_flags(regex, benchtime)]
                run = run_measured(command, place, env={**(env or {}), "TMPDIR": temporary}, seconds=seconds)
                output = _understood(run, name, regex, seconds)
                unknown += [output] if output.unknown or not run.is_whole else []
                _add(output, values[index])
            if not any(values):
                break
    _tell_unknown(unknown, note)
    return tuple(_compared(*values))


def check_options(rounds: int, benchtime: str) -> None:
    """Raise UsageError for a number of rounds or a benchtime that go would not take."""
    if not 1 <= rounds <= _MOST_ROUNDS:
        raise UsageError(f"{rounds} rounds of benchmarks make no comparison", f"Give 1 to {_MOST_ROUNDS}")
    if not _BENCHTIME.fullmatch(benchtime):
        raise UsageError(f"{benchtime!a} is no time to run a benchmark for", "Write 100ms, 1s or a count such as 1000x")


def _flags(regex: str, benchtime: str) -> list[str]:
    return [
        "-test.run=^$",
        f"-test.bench={regex}",
        "-test.benchmem",
        "-test.count=1",
        f"-test.benchtime={benchtime}",
        "-test.timeout=0",  # ours ends it, and says at which benchmark
    ]


def _understood(run: ProgramRun, name: str, regex: str, seconds: float) -> BenchmarkOutput:
    """Read what a run printed. Raises TargetError when it did not end well."""
    output = parse_benchmarks(run.output)
    if run.code == 0 and not output.failed:
        return output
    words = run.last_lines(_LINES)
    if any("invalid regexp" in line for line in words):
        raise UsageError(f"{regex!a} is no regular expression of Go: {words[-1]}", "See go.dev/s/re2syntax")
    which = next(iter(output.failed), output.begun) or _running(run)
    what = f"{which} ({name})" if which else f"a benchmark ({name})"
    if run.code is None:
        ending = f"did not end within {seconds:g} s"
    elif output.failed:
        ending = "failed"
    else:
        ending = f"ended with status {run.code}" if run.code >= 0 else f"was killed by signal {-run.code}"
    last = f"; its last lines: {' | '.join(words)}" if words else ""
    raise TargetError(f"{what} {ending}{last}", "Run it alone:  go test -run '^$' -bench REGEX")


def _running(run: ProgramRun) -> str:
    """Return the benchmark that the stacks of a crash name: in its first iteration nothing else does."""
    found = _FRAME.search(run.last_words.decode("utf-8", "replace"))
    return found[1] if found else ""


def _add(output: BenchmarkOutput, values: _Values) -> None:
    for result in output.results:
        for unit, value in result.values.items():
            values[result.configuration.get("pkg", ""), result.name, unit].append(value)


def _compared(before: _Values, after: _Values) -> Iterable[Comparison]:
    """Yield comparisons benchmark by benchmark, in the order that they ran, and of each allocations and bytes first."""
    seen = {key: at for at, key in enumerate(dict.fromkeys((*before, *after)))}
    first = {unit: at for at, unit in enumerate(_FIRST_UNITS)}
    places: dict[tuple[str, str], int] = {}
    for (package, name, _), at in seen.items():
        places.setdefault((package, name), at)
    for key in sorted(seen, key=lambda key: (places[key[:2]], first.get(key[2], len(first)), seen[key])):
        old, new = before.get(key), after.get(key)
        p = mann_whitney(old, new) if old and new else None
        yield Comparison(*key, _sample(old), _sample(new), p)


def _sample(values: Sequence[float] | None) -> BenchmarkSample | None:
    if not values:
        return None
    found = median_interval(values)
    return BenchmarkSample(tuple(values), found.median, found.low, found.high)


def _tell_unknown(outputs: Sequence[BenchmarkOutput], note: Callable[[str], None]) -> None:
    count = sum(output.unknown for output in outputs)
    if count:
        example = next(example for output in outputs for example in output.examples)
        note(f"{count} lines of the benchmarks' output were not understood, for example: {example}")
    if len(outputs) > sum(output.unknown > 0 for output in outputs):
        note("the benchmarks printed more than is read, so some results are missing")
