"""Results of Go benchmarks, and two builds compared by them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ALLOCATIONS, BYTES, TIME = "allocs/op", "B/op", "ns/op"
SIGNIFICANT_P = 0.05
"""Up to this p a difference is not chance; benchstat's default."""


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """One line of results. `name` is as printed ("BenchmarkGet/small-8"), `values` by unit ("ns/op", "allocs/op").

    `configuration` is what the lines above it say ("goos", "pkg", "cpu", ...).
    """

    name: str
    iterations: int
    values: Mapping[str, float]
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BenchmarkOutput:
    """What a benchmark run printed. `failed` and `skipped` are names; `begun` is one that began and has no result yet.

    `unknown` counts what begins as a result and was not understood, `examples` are the first such lines; `units` is
    what lines of the form "Unit NAME KEY=VALUE" say, by unit and key.
    """

    results: tuple[BenchmarkResult, ...]
    failed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    begun: str = ""
    unknown: int = 0
    examples: tuple[str, ...] = ()
    units: Mapping[tuple[str, str], str] = field(default_factory=dict)


class BenchmarkChange(StrEnum):
    """What becomes of one number of a benchmark."""

    EQUAL = "equal"  # every run of both builds gave the same value
    LESS = "less"
    MORE = "more"
    UNSURE = "unsure"  # the values differ, but not by more than chance explains
    REMOVED = "removed"  # only the build before has it
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class BenchmarkSample:
    """One number as measured in each round, its median, and the interval that holds the true one with 95 % at least.

    `low` and `high` are infinite where there are too few rounds: fewer than 6.
    """

    values: tuple[float, ...]
    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float | None:
        """How far the interval reaches from the median at most, as a share of it; None where that makes no sense."""
        if not self.median or not math.isfinite(self.high - self.low):
            return 0.0 if self.low == self.high == self.median else None
        return max(self.high - self.median, self.median - self.low) / abs(self.median)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One unit of one benchmark in the builds before and after; a side is None where that build has no such number.

    `p` is the chance of such a difference between two builds that do not differ (Mann-Whitney), None with one side.
    """

    package: str
    benchmark: str
    unit: str
    before: BenchmarkSample | None
    after: BenchmarkSample | None
    p: float | None

    @property
    def change(self) -> BenchmarkChange:
        """What the two samples say."""
        if self.before is None or self.after is None or self.p is None:
            return BenchmarkChange.ADDED if self.before is None else BenchmarkChange.REMOVED
        if len({*self.before.values, *self.after.values}) == 1:
            return BenchmarkChange.EQUAL
        if self.p > SIGNIFICANT_P or self.before.median == self.after.median:
            return BenchmarkChange.UNSURE
        return BenchmarkChange.LESS if self.after.median < self.before.median else BenchmarkChange.MORE

    @property
    def ratio(self) -> float | None:
        """The change of the median as a share of the one before, -0.25 for a quarter less; None from 0 or nothing."""
        if self.before is None or self.after is None or not self.before.median:
            return None
        return self.after.median / self.before.median - 1

    @property
    def is_information(self) -> bool:
        """Whether it is no matter of memory: time, throughput and what a benchmark reports of its own."""
        return self.unit not in {ALLOCATIONS, BYTES}
