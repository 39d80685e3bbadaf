"""What the recordings say in one cell: pattern x Go version -> verdict, call, allocations of Bad and Good."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whyheap.lab.functions import Function, functions
from whyheap.lab.recording import LineRecord, Numbers, Recording
from whyheap.patterns.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Cell:
    """One pattern on one Go version, told by the first Bad and the first Good function that take equal arguments.

    Where no two do, by the first of each that was measured.

    `verdict` is the compiler's word on the Bad function's lines of this pattern: heap, silent, or "" when the pattern
    was not found there; `call` the allocator that machine code calls there, without "runtime.".
    """

    verdict: str
    call: str
    bad: Numbers | None
    good: Numbers | None
    failures: int = 0

    @property
    def allocations(self) -> str:
        """Allocations per call, `8 -> 1`."""
        return f"{_count(self.bad)} -> {_count(self.good)}"

    def __str__(self) -> str:
        """Print as the matrix does."""
        words = [part for part in (self.verdict or "-", self.call, self.allocations) if part]
        return ", ".join(words) + (f", {self.failures} FAILED" if self.failures else "")


def cell(pattern: Pattern, recording: Recording) -> Cell:
    """Sum up one recording."""
    numbers = {one.name: one for one in recording.functions}
    found = functions(pattern.example)
    measured = [one for one in found if one.name in numbers and not numbers[one.name].unmeasured]
    bad, good = _pair(measured)
    lines: list[LineRecord] = []
    if bad is not None:
        after = (one.line for one in found if one.line > bad.line)
        end = next(after, len(pattern.example.splitlines()) + 1)
        lines = [one for one in recording.lines if bad.line <= one.line < end]
    own = [one for one in lines if any(slug == pattern.slug for slug, _, _ in one.verdicts)]
    verdict = next((word for one in own for slug, word, _ in one.verdicts if slug == pattern.slug), "")
    return Cell(
        verdict,
        _first_call(own),
        numbers[bad.name] if bad else None,
        numbers[good.name] if good else None,
        len(recording.failures),
    )


def _pair(measured: Sequence[Function]) -> tuple[Function | None, Function | None]:
    bads, goods = ([one for one in measured if one.kind == kind] for kind in ("Bad", "Good"))
    alike = ((bad, good) for bad in bads for good in goods if bad.arguments and bad.arguments == good.arguments)
    return next(alike, (next(iter(bads), None), next(iter(goods), None)))


def _first_call(lines: Iterable[LineRecord]) -> str:
    for one in lines:
        for call in one.calls or ():
            return re.sub(r"^runtime\.", "", call.callee)
    return ""


def _count(numbers: Numbers | None) -> str:
    return f"{numbers.allocs_per_op:g}" if numbers is not None else "-"
