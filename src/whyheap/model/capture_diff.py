"""What changed between two captures of a service: lines, kinds of memory, numbers, goroutines."""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.model.gauge import Gap
from whyheap.model.measure import Measure
from whyheap.model.site import Site


@dataclass(frozen=True, slots=True)
class LineDifference:
    """What a line of the user's code holds, and has allocated since the start, in each capture; a moved line is two.

    `reason` says why its values are on the heap, "" when that is not known.
    """

    site: Site
    before: Measure
    after: Measure
    reason: str = ""

    @property
    def grown_bytes(self) -> int:
        """What the line holds more, negative for less."""
        return self.after.inuse_bytes - self.before.inuse_bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """One number or kind of memory before and after; None where a capture does not tell it."""

    name: str
    title: str
    unit: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class GoroutineDifference:
    """Goroutines that stand at one place of the user's code in one state."""

    site: Site
    state: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class CaptureDiff:
    """Two captures compared, `targets` and `moments` are (older, newer); a moment is RFC 3339 UTC, "" if unknown.

    `profile` are all bytes of each heap profile, None where there is none.
    """

    targets: tuple[str, str]
    moments: tuple[str, str]
    title: str = ""
    lines: tuple[LineDifference, ...] = ()
    parts: tuple[Difference, ...] = ()
    numbers: tuple[Difference, ...] = ()
    goroutines: tuple[GoroutineDifference, ...] = ()
    profile: tuple[Measure | None, Measure | None] = (None, None)
    gaps: tuple[Gap, ...] = ()
