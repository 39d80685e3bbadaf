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

from whyheap.collect.benchmark_run import BenchmarkOptions, run_once
from whyheap.errors import UsageError
from whyheap.model.benchmark import ALLOCATIONS, BYTES, TIME, BenchmarkOutput, BenchmarkSample, Comparison
from whyheap.stats import mann_whitney, median_interval

ROUNDS = 8
"""Enough for an interval (6) and for a small p (4), with two to spare."""
BENCHTIME = "100ms"
SECONDS = 300.0
_MOST_ROUNDS = 1_000
_BENCHTIME = re.compile(r"[1-9]\d{0,9}x|(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|ms|s|m|h))+", re.ASCII)
_FIRST_UNITS = (ALLOCATIONS, BYTES, TIME)

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
    options = BenchmarkOptions(regex, benchtime, seconds=seconds)
    sides = ((names[0], before, folder), (names[1], after, folder_after or folder))
    values: tuple[_Values, _Values] = (defaultdict(list), defaultdict(list))
    lot = lot or random.Random()  # noqa: S311 - the order of runs is no secret
    unknown: list[BenchmarkOutput] = []
    for number in range(rounds):
        order = [0, 1]
        lot.shuffle(order)
        for index in order:
            name, program, place = sides[index]
            progress(f"{name}: benchmarks, round {number + 1} of {rounds}")
            run = run_once(program, place, options, name=name, env=env)
            unknown += [run.output] if run.output.unknown or not run.is_whole else []
            _add(run.output, values[index])
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
