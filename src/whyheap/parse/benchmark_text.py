"""Output of go test -bench: the Go benchmark format (go.dev/design/14313-benchmark-format).

    goos: linux                                                      configuration, until the next line of that key
    pkg: example.com/shop
    BenchmarkGet/small-8   	 1000000	  104.5 ns/op	  16 B/op	  1 allocs/op
    Unit ns/op better=lower                                          what is known of a unit

A benchmark that prints to standard output tears its line: the name and a tab are written before it runs, the numbers
after. They are put together again when the numbers begin a line (testing/benchmark.go, processBench and
BenchmarkResult.String, Go 1.27). Everything else is for people and passed over. Values that are no finite numbers are
counted as not understood; so is what exceeds the limits below, which no real output comes near.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from whyheap.model.benchmark import BenchmarkOutput, BenchmarkResult
from whyheap.parse.finite import finite_number

MOST_RESULTS = 100_000
MOST_KEYS = 32
MOST_UNITS = 64
LONGEST_LINE = 16_384
_LONGEST_NAME = 2_048
_LONGEST_VALUE = 4_096
_EXAMPLES = 5
_LONGEST_EXAMPLE = 200
_MOST_NAMES = 1_000

_COUNT = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_REST = re.compile(r" *[1-9]\d{0,17}\t", re.ASCII)
_OUTCOME = re.compile(r"(?:Benchmark\S*\s+)?--- (FAIL|SKIP): (Benchmark\S+)")
_KEY = re.compile(r"([^\W\d_A-Z][^\sA-Z:]*):(?:[ \t]+(.*))?$")


def parse_benchmarks(text: str | bytes) -> BenchmarkOutput:
    """Read the results of one or several packages, in order; never raises."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    reading = _Reading()
    for line in text.split("\n"):
        reading.read(line.rstrip("\r"))
    return reading.output()


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    results: list[BenchmarkResult] = field(default_factory=list)
    configuration: Mapping[str, str] = field(default_factory=dict)
    units: dict[tuple[str, str], str] = field(default_factory=dict)
    outcomes: dict[str, list[str]] = field(default_factory=lambda: {"FAIL": [], "SKIP": []})
    begun: str = ""
    unknown: int = 0
    examples: list[str] = field(default_factory=list)

    def output(self) -> BenchmarkOutput:
        failed, skipped = (tuple(self.outcomes[word]) for word in ("FAIL", "SKIP"))
        examples = tuple(self.examples)
        return BenchmarkOutput(
            tuple(self.results), failed, skipped, self.begun, self.unknown, examples, dict(self.units)
        )

    def read(self, line: str) -> None:
        outcome = _OUTCOME.match(line) if "--- " in line[:LONGEST_LINE] else None
        if len(line) > LONGEST_LINE:
            if line.startswith("Benchmark"):
                self._not_understood(line)
        elif outcome is not None:
            names = self.outcomes[outcome[1]]
            if len(names) < _MOST_NAMES:
                names.append(outcome[2])
            self.begun = ""
        elif line.startswith("Benchmark"):
            self._read_result(line)
        elif self.begun and _REST.match(line):
            self._take(self.begun, line.split())
        elif " ns/op" in line:  # torn, as below
            self._not_understood(line)
        elif line.startswith("Unit "):
            self._read_unit(line.split()[1:])
        elif ":" in line:
            self._read_key(line)

    def _read_result(self, line: str) -> None:
        name, *fields = line.split()
        if len(name) > _LONGEST_NAME:
            self._not_understood(line)
        elif not fields or not _COUNT.fullmatch(fields[0]):
            if " ns/op" in line and len(fields) > 1:  # torn by what it printed without a line of its own
                self.begun = ""
                self._not_understood(line)
                return
            is_name = not name[len("Benchmark") :][:1].islower()
            if not fields or "\t" in line:  # it has begun (-v prints its name alone), and what follows is its own
                self.begun = name if is_name else self.begun
            elif is_name:
                self._not_understood(line)
        else:
            self._take(name, fields)

    def _take(self, name: str, fields: list[str]) -> None:
        """Add a result of "iterations value unit value unit ..."."""
        self.begun = ""
        values: dict[str, float] = {}
        pairs = list(zip(fields[1::2], fields[2::2], strict=False))
        for text, unit in pairs[:MOST_UNITS]:
            number = finite_number(text) if _NUMBER.fullmatch(text) else None
            if number is not None:
                values.setdefault(unit, number)
        if not values or len(self.results) >= MOST_RESULTS:
            self._not_understood(" ".join((name, *fields)))
            return
        if len(fields) % 2 == 0 or len(values) < len(pairs):
            self._not_understood(" ".join((name, *fields)))
        self.results.append(BenchmarkResult(name, int(fields[0]), values, self.configuration))

    def _read_unit(self, fields: list[str]) -> None:
        unit, pairs = fields[:1], fields[1:]
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if key and equals and len(self.units) < MOST_UNITS:
                self.units.setdefault((unit[0], key), value)

    def _read_key(self, line: str) -> None:
        found = _KEY.match(line)
        if found is None or len(line) > _LONGEST_VALUE:
            return
        key, value = found[1], (found[2] or "").rstrip()
        if found[2] is None and line != f"{key}:":
            return
        others = _without(self.configuration.items(), key)
        if value and len(others) < MOST_KEYS:
            others[key] = value
        self.configuration = others

    def _not_understood(self, line: str) -> None:
        self.unknown += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(line[:_LONGEST_EXAMPLE])


def _without(items: Iterable[tuple[str, str]], key: str) -> dict[str, str]:
    return {one: value for one, value in items if one != key}
