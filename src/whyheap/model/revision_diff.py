"""What a change of the source adds to the heap and takes off it: sites of two git revisions, and their benchmarks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from whyheap.model.benchmark import Comparison
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.site import Site


class SiteChange(StrEnum):
    """What becomes of a site."""

    ADDED = "added"
    MORE = "more"  # allocates more surely, or by more calls
    OTHER = "other"  # allocates as before, for another reason
    LESS = "less"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Revision:
    """One side. `name` is as it was asked for, `commit` the full commit id, "" for the working tree."""

    name: str
    commit: str

    @property
    def title(self) -> str:
        """The name, with the commit's first digits where the name is something else."""
        return self.name if not self.commit or self.commit.startswith(self.name) else f"{self.name} ({self.commit[:8]})"


@dataclass(frozen=True, slots=True)
class ChangedSite:
    """A site that one revision has, or both have but differently. `text` is its line, of the newer one where it has it.

    `calls` are the allocator calls of the line before and after, None where machine code did not tell.
    """

    change: SiteChange
    before: Finding | None
    after: Finding | None
    text: str
    calls: tuple[int | None, int | None]

    @property
    def finding(self) -> Finding:
        """The newer finding, else the older one."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a changed site is in one revision at least")
        return found

    @property
    def site(self) -> Site:
        """Where it is, in the newer revision if it is there."""
        return self.finding.site


@dataclass(frozen=True, slots=True)
class RevisionDiff:
    """Two revisions compared. `sites` and `calls` count (before, after): ways to the heap, and calls of the allocator.

    `moved` counts sites that only stand in another function, file or package. `benchmarks` is None when none were run.
    """

    revisions: tuple[Revision, Revision]
    title: str
    go: str
    packages: tuple[int, int]
    sites: tuple[int, int]
    calls: tuple[int, int]
    changes: tuple[ChangedSite, ...]
    moved: int = 0
    benchmarks: tuple[Comparison, ...] | None = None
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def count(self) -> Counter[SiteChange]:
        """Count the changes of each kind."""
        return Counter(one.change for one in self.changes)
