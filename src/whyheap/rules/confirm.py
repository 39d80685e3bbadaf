"""Whether a witness confirms what a rule's syntax shows, and which of its words do.

The compiler says lines and columns: its word counts when it stands inside the matched code. Machine code and profiles
say lines: theirs count when the line is one of the match's. `printed_at` is where the compiler prints a fact about
inlined code, so a match around the call finds it, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind
from whyheap.model.finding import Certainty
from whyheap.model.measure import Measure
from whyheap.model.site import Position
from whyheap.rules.rule import Requires

Lines = Mapping[int, Evidence]
"""Evidence of one file by line."""


@dataclass(frozen=True, slots=True)
class Span:
    """Matched code: from its first to behind its last byte; 1-based lines and byte columns."""

    start: tuple[int, int]
    end: tuple[int, int]

    def has(self, at: Position, file: str) -> bool:
        """Whether a position lies inside; one without a column lies in its whole line."""
        if at.file != file:
            return False
        if not at.column:
            return self.start[0] <= at.line <= self.end[0]
        return self.start <= (at.line, at.column) < self.end


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a witness adds to a match. `measure` is None without a profile."""

    certainty: Certainty
    facts: tuple[CompilerFact, ...] = ()
    calls: tuple[AllocatorCall, ...] | None = None
    measure: Measure | None = None
    callees: tuple[CalleeBytes, ...] = ()
    bounds: tuple[Position, ...] = field(default=())


def confirm(
    requires: Requires, file: str, span: Span, lines: Lines, bounds: Sequence[Position] = ()
) -> Confirmed | None:
    """Return what the required witness says of a match, None when it does not confirm it.

    `bounds` are the positions of bounds checks that the compiler kept.
    """
    there = [one for line in range(span.start[0], span.end[0] + 1) if (one := lines.get(line)) is not None]
    facts = tuple(
        fact
        for one in there
        for fact in one.facts
        if fact.kind is FactKind.HEAP and (span.has(fact.site, file) or span.has(fact.printed_at, file))
    )
    known = [one.calls for one in there if one.calls is not None]
    calls = tuple(call for group in known for call in group if call.path is not CallPath.COLD) if known else None
    measure = sum((one.measure for one in there), Measure()) if any(one.profiled for one in there) else None
    callees = tuple(callee for one in there for callee in one.callees)
    if requires is Requires.NONE:
        return Confirmed(Certainty.INFERRED, facts, calls, measure, callees)
    if requires is Requires.HEAP:
        return Confirmed(Certainty.STATED, facts, calls, measure, callees) if facts else None
    if requires is Requires.ALLOCATES:
        if not calls and not measure:
            return None
        certainty = Certainty.MEASURED if measure else Certainty.STATED
        return Confirmed(certainty, facts, calls, measure, callees)
    kept = tuple(at for at in bounds if span.has(at, file))
    return Confirmed(Certainty.STATED, facts, calls, measure, callees, kept) if kept else None
