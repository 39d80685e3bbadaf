"""Judgements about a process: causes, ranked."""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.model.finding import Certainty
from whyheap.model.site import Site


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of evidence, with who vouches for it and the line it speaks of, where there is one."""

    text: str
    certainty: Certainty
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class CauseVerdict:
    """A named cause. `bytes` is the memory it explains, `share` of the live heap or of the limit, 0..1."""

    cause: str
    certainty: Certainty
    bytes: int
    share: float
    summary: str
    evidence: tuple[Statement, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Causes ordered by what explains most; empty = judged healthy."""

    causes: tuple[CauseVerdict, ...] = ()
