"""What is said of two revisions and of their benchmarks, the same in every format."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from whyheap.model.benchmark import ALLOCATIONS, BYTES, TIME, BenchmarkChange
from whyheap.model.evidence import Agreement
from whyheap.model.revision_diff import SiteChange
from whyheap.report.plain_words import headline
from whyheap.units import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from whyheap.model.benchmark import BenchmarkSample, Comparison
    from whyheap.model.revision_diff import ChangedSite, RevisionDiff
    from whyheap.model.site import Site

_WORDS: Final = {
    SiteChange.ADDED: ("site added", "sites added"),
    SiteChange.MORE: ("allocates more", "allocate more"),
    SiteChange.OTHER: ("for another reason", "for another reason"),
    SiteChange.LESS: ("allocates less", "allocate less"),
    SiteChange.REMOVED: ("site removed", "sites removed"),
}
_SURE_P: Final = 0.001
_TIMES: Final = (("s", 1e9), ("ms", 1e6), ("us", 1e3))
_MOST_WHOLE: Final = 1e15
_FROM_TENTHS: Final = 100


def summary(diff: RevisionDiff) -> str:
    """Count the changes of each kind in one line."""
    counts = diff.count()
    parts = [
        f"{format_count(counts[kind])} {words[counts[kind] != 1]}" for kind, words in _WORDS.items() if counts[kind]
    ]
    return ", ".join(parts) or "no site is added, removed or changed"


def totals(diff: RevisionDiff) -> str:
    """Say how many sites and allocator calls each revision has."""
    sites, calls = (" -> ".join(map(format_count, pair)) for pair in (diff.sites, diff.calls))
    packages = " -> ".join(map(format_count, dict.fromkeys(diff.packages)))
    text = f"{sites} heap sites, {calls} allocator calls, in {packages} package{'' if diff.packages == (1, 1) else 's'}"
    if diff.moved:
        text += f"; {format_count(diff.moved)} only moved to another function or file"
    return text


def lines(changes: Iterable[ChangedSite]) -> list[tuple[ChangedSite, str]]:
    """Put changes of one kind on one line together: the first of them, and what is said of all."""
    found: dict[tuple[SiteChange, Site], tuple[ChangedSite, dict[str, int]]] = {}
    for change in changes:
        place = (change.change, replace(change.site, column=0))
        _, said = found.setdefault(place, (change, {}))
        text = told(change)
        said[text] = said.get(text, 0) + 1
    return [
        (change, ", ".join(f"{text} ({count} times)" if count > 1 else text for text, count in said.items()))
        for change, said in found.values()
    ]


def told(change: ChangedSite) -> str:
    """Say why a site is on the heap and, where it is in both revisions, what differs."""
    before, after = change.before, change.after
    if before is None or after is None:
        return headline(change.finding)
    reasons = headline(before), headline(after)
    if change.change is SiteChange.OTHER:
        return f"{reasons[0]} -> {reasons[1]}"
    how = [
        f"{'at times' if finding.agreement is Agreement.MAY_ALLOCATE else 'each time'}"
        if change.calls[0] == change.calls[1]
        else _calls(calls)
        for finding, calls in zip((before, after), change.calls, strict=True)
    ]
    differs = " -> ".join(how) if how[0] != how[1] else "by calls that run on other paths"
    return f"{reasons[1]}: {differs}" if reasons[0] == reasons[1] else f"{reasons[0]} -> {reasons[1]}: {differs}"


def _calls(count: int | None) -> str:
    return "calls unknown" if count is None else _counted(count, "allocator call")


def value_text(value: float, unit: str) -> str:
    """Print a median; whole numbers with all their digits, times in their unit."""
    if unit == TIME:
        name, size = next(((name, size) for name, size in _TIMES if abs(value) >= size), ("ns", 1.0))
        return f"{value / size:.4g} {name}"
    if abs(value) >= _MOST_WHOLE:
        number = f"{value:.4g}"
    elif value == round(value):
        number = f"{value:,.0f}"
    else:
        number = f"{value:,.1f}" if abs(value) >= _FROM_TENTHS else f"{value:.4g}"
    return f"{number} B" if unit == BYTES else number


def spread_text(sample: BenchmarkSample) -> str:
    """Print how far the interval of the median reaches: "\u00b12 %", "" where there is none or it has no width."""
    share = sample.half_width
    return f"\u00b1{100 * share:.0f} %" if share else ""


def change_text(one: Comparison) -> str:
    """Say what became of a number: "equal", "-25 %  p 0.002", "~ (p 0.41)"."""
    change = one.change
    if change is BenchmarkChange.EQUAL:
        return "equal"
    if change in {BenchmarkChange.ADDED, BenchmarkChange.REMOVED} or one.p is None:
        return "only after" if change is BenchmarkChange.ADDED else "only before"
    chance = f"p {one.p:.3f}" if one.p >= _SURE_P else "p < 0.001"
    if change is BenchmarkChange.UNSURE:
        return f"~ ({chance})"
    ratio = "from 0" if one.ratio is None else f"{100 * one.ratio:+.1f} %"
    return f"{ratio} ({chance})"


def benchmark_summary(comparisons: Sequence[Comparison]) -> str:
    """Count benchmarks by what became of their allocations, and the rounds."""
    names = {(one.package, one.benchmark) for one in comparisons}
    changes = {kind: _named(comparisons, kind) for kind in BenchmarkChange}
    kinds = (
        (BenchmarkChange.MORE, "with more"),
        (BenchmarkChange.LESS, "with less"),
        (BenchmarkChange.UNSURE, "not sure"),
    )
    parts = [f"{format_count(len(changes[kind]))} {word}" for kind, word in kinds if changes[kind]]
    equal = names - {name for kind, found in changes.items() if kind is not BenchmarkChange.EQUAL for name in found}
    parts += [f"{format_count(len(equal))} equal"] if equal else []
    rounds = max((len(side.values) for one in comparisons for side in (one.before, one.after) if side), default=0)
    many = f"{_counted(len(names), 'benchmark')}, {_counted(rounds, 'round')}"
    return f"{many}: allocations or bytes {', '.join(parts) or 'not told'}"


def _counted(count: int, word: str) -> str:
    return f"{format_count(count)} {word}{'' if count == 1 else 's'}"


def _named(comparisons: Iterable[Comparison], kind: BenchmarkChange) -> set[tuple[str, str]]:
    return {(one.package, one.benchmark) for one in comparisons if not one.is_information and one.change is kind}


def is_worth_showing(rows: Iterable[Comparison]) -> bool:
    """Whether a benchmark's allocations or bytes are anything but equal."""
    return any(one.change is not BenchmarkChange.EQUAL for one in rows if one.unit in {ALLOCATIONS, BYTES})
