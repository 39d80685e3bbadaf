"""Judgements about lines: patterns and findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from whyheap.model.edit import Proof
from whyheap.model.evidence import Agreement, CalleeBytes
from whyheap.model.facts import AllocatorCall, CompilerFact
from whyheap.model.measure import Measure
from whyheap.model.site import Site


class Certainty(StrEnum):
    """Who vouches for a claim: a count, the compiler or kernel, or our own conclusion."""

    MEASURED = "measured"
    STATED = "stated"
    INFERRED = "inferred"


class FixKind(StrEnum):
    """Whether the compiler can verify the change, or a person must decide."""

    MECHANICAL = "mechanical"
    JUDGEMENT = "judgement"


class PatternKind(StrEnum):
    """What a pattern costs: allocations, or a risk."""

    ALLOCATES = "allocates"
    HAZARD = "hazard"


@dataclass(frozen=True, slots=True)
class Fix:
    """One alternative, as a verb phrase. `proof` is what `whyheap fix` did to prove it, None elsewhere."""

    title: str
    kind: FixKind
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A named pattern at a site, with the witnesses' words.

    `facts` are the compiler facts behind it (one as a rule). `measure` is None without a profile; `callees` are calls
    whose bytes are part of it. `shared_with` are ids of findings on the same line that the same bytes may belong to.
    """

    id: str
    pattern: str
    site: Site
    subject: str
    message: str
    certainty: Certainty
    agreement: Agreement = Agreement.UNKNOWN
    facts: tuple[CompilerFact, ...] = ()
    calls: tuple[AllocatorCall, ...] | None = None
    measure: Measure | None = None
    callees: tuple[CalleeBytes, ...] = ()
    shared_with: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    root: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
