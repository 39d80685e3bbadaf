"""What a Go upgrade changes: lines that start or stop allocating."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from whyheap.model.facts import AllocatorCall
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.measure import Measure
from whyheap.model.site import Site


class Change(StrEnum):
    """What becomes of a line."""

    STOPS = "stops"
    LESS = "less"  # fewer allocations, or only on some paths or for some values
    MORE = "more"
    STARTS = "starts"


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line that allocates differently. `before` and `after` are its allocating findings under each version.

    `measure` is what a profile of the old version measured on the line itself, None without a profile.
    """

    site: Site
    change: Change
    before: tuple[Finding, ...]
    after: tuple[Finding, ...]
    measure: Measure | None = None


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """Two versions of Go over the same source. `go` is (old, new), as in ("go1.24.11", "go1.27.3").

    `lines` counts lines that allocate under each version. `profile` is all that the profile holds.
    """

    go: tuple[str, str]
    title: str
    packages: int
    changes: tuple[LineChange, ...]
    lines: tuple[int, int]
    profile: Measure | None = None
    gaps: tuple[Gap, ...] = ()


def calls_of_one_copy(findings: Iterable[Finding]) -> Sequence[AllocatorCall]:
    """Return the allocator calls of a line once, where inlining or generics copied it: those of the copy with most."""
    copies: dict[object, dict[int, AllocatorCall]] = {}
    for finding in findings:
        for call in finding.calls or ():
            copies.setdefault((call.symbol, call.inlined_at), {})[id(call)] = call
    most: dict[int, AllocatorCall] = max(copies.values(), key=len, default={})
    return tuple(most.values())
