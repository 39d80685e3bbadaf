"""Findings merged by source line and ranked by bytes: what a table shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.model.evidence import Agreement
from whyheap.model.measure import Measure
from whyheap.report.plain_words import headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from whyheap.model.finding import Finding
    from whyheap.model.site import Site


@dataclass(frozen=True, slots=True)
class RankedLine:
    """One line with its findings, the heaviest first. `measure` counts bytes that findings share once."""

    site: Site
    findings: tuple[Finding, ...]
    measure: Measure

    @property
    def lead(self) -> Finding:
        """The finding that names the line's reason."""
        return self.findings[0]


def ranked_lines(findings: Iterable[Finding], ranked_by: str) -> list[RankedLine]:
    """Merge findings of one line, heaviest line first; lines without bytes keep the given order at the end.

    What never allocates is left out. `ranked_by` is "inuse" or "alloc".
    """
    places: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        if finding.agreement is not Agreement.NEVER_ALLOCATES:
            places.setdefault((finding.site.file, finding.site.line), []).append(finding)
    lines = [_merge(group, ranked_by) for group in places.values()]
    return sorted(lines, key=lambda line: _weight(line.measure, ranked_by), reverse=True)


def bytes_of(measure: Measure, column: str) -> int:
    """Pick the bytes of "inuse" or "alloc"."""
    return measure.alloc_bytes if column == "alloc" else measure.inuse_bytes


def by_place(findings: Iterable[Finding]) -> list[RankedLine]:
    """Give a row to every reason of every line, in the order of the source; what never allocates is included."""
    rows: dict[tuple[str, int, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: (finding.site, finding.pattern, finding.id)):
        rows.setdefault((finding.site.file, finding.site.line, headline(finding)), []).append(finding)
    return [RankedLine(group[0].site, tuple(group), _counted_once(group)) for group in rows.values()]


def _merge(group: list[Finding], ranked_by: str) -> RankedLine:
    group.sort(key=lambda finding: _weight(finding.measure or Measure(), ranked_by), reverse=True)
    return RankedLine(group[0].site, tuple(group), _counted_once(group))


def _counted_once(group: Sequence[Finding]) -> Measure:
    """Add up a line's bytes: each call's, and once what findings share (`shared_with`), the line's own."""
    calls = sum((callee.measure for finding in group for callee in finding.callees), Measure())
    pools: list[tuple[set[str], Measure]] = []
    for finding in group:
        ids, own = {finding.id, *finding.shared_with}, _own(finding)
        apart: list[tuple[set[str], Measure]] = []
        for pool_ids, pool_own in pools:
            if pool_ids.isdisjoint(ids):
                apart.append((pool_ids, pool_own))
            else:
                ids, own = ids | pool_ids, _smaller(own, pool_own)
        pools = [*apart, (ids, own)]
    return sum((own for _, own in pools), calls)


def _own(finding: Finding) -> Measure:
    """Return the bytes of a finding without those of its calls, which no other finding shares."""
    measure = finding.measure or Measure()
    calls = sum((callee.measure for callee in finding.callees), Measure())
    return Measure(
        max(measure.inuse_bytes - calls.inuse_bytes, 0),
        max(measure.inuse_objects - calls.inuse_objects, 0),
        max(measure.alloc_bytes - calls.alloc_bytes, 0),
        max(measure.alloc_objects - calls.alloc_objects, 0),
    )


def _smaller(one: Measure, other: Measure) -> Measure:
    return Measure(
        min(one.inuse_bytes, other.inuse_bytes),
        min(one.inuse_objects, other.inuse_objects),
        min(one.alloc_bytes, other.alloc_bytes),
        min(one.alloc_objects, other.alloc_objects),
    )


def _weight(measure: Measure, ranked_by: str) -> tuple[int, int]:
    inuse, alloc = measure.inuse_bytes, measure.alloc_bytes
    return (alloc, inuse) if ranked_by == "alloc" else (inuse, alloc)
