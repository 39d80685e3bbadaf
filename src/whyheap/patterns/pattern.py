"""What a pattern is: a name, its documentation and the helper that makes its findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from whyheap.model.evidence import Agreement, Evidence
from whyheap.model.facts import AllocatorCall, CompilerFact
from whyheap.model.finding import Certainty, Finding, Fix, FixKind, PatternKind
from whyheap.model.site import Site
from whyheap.patterns.allocation import agreement, silent_agreement
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape

HEADINGS = ("What it is", "Why it costs", "How to see it", "Fix", "When to leave it")
_HEADING = re.compile(rf"^({'|'.join(HEADINGS)}):\s*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One named way to the heap. `doc` maps each of HEADINGS to its text; `fixes` are alternatives in general terms."""

    slug: str
    title: str
    fixes: tuple[Fix, ...]
    doc: Mapping[str, str] = field(repr=False, compare=False)
    kind: PatternKind = PatternKind.ALLOCATES
    folder: Path | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        doc: str | None,
        file: str,
        *,
        slug: str,
        title: str,
        fixes: tuple[Fix, ...],
        kind: PatternKind = PatternKind.ALLOCATES,
    ) -> Pattern:
        """Make the pattern that a module documents: pass the module's `__doc__` and `__file__`."""
        return cls(slug, title, fixes, headings(doc or ""), kind, Path(file).parent)

    @property
    def example(self) -> str:
        """Return the text of example.go beside the pattern, or "" if there is none."""
        path = self.folder / "example.go" if self.folder else None
        return path.read_text(encoding="utf-8") if path and path.is_file() else ""

    def heap(
        self,
        evidence: Evidence,
        escape: Escape,
        message: str,
        *,
        fixes: tuple[Fix, ...] = (),
        inferred: bool = False,
    ) -> Finding:
        """Return the finding for a value that the compiler says is on the heap. `inferred`: syntax or names decided."""
        agreed = agreement(escape, evidence)
        calls = () if escape.calls and agreed is Agreement.NEVER_ALLOCATES else escape.calls  # those of its neighbours
        return Finding(
            id="",
            pattern=self.slug,
            site=_site(evidence.site, escape.fact),
            subject=escape.subject,
            message=message,
            certainty=Certainty.INFERRED if inferred else Certainty.STATED,
            agreement=agreed,
            facts=(escape.fact,),
            calls=calls,
            fixes=fixes or self.fixes,
            labels={"callee": escape.callee} if escape.callee else {},
        )

    def silent(
        self,
        evidence: Evidence,
        subject: str,
        message: str,
        *,
        facts: tuple[CompilerFact, ...] = (),
        fixes: tuple[Fix, ...] = (),
        calls: tuple[AllocatorCall, ...] | None = None,
    ) -> Finding:
        """Return the finding for a line that allocates where the compiler speaks of no escape.

        `calls` are the allocator calls behind it; without any, bytes were measured there.
        """
        return Finding(
            id="",
            pattern=self.slug,
            site=_site(evidence.site, facts[0] if facts else None),
            subject=subject,
            message=message,
            certainty=Certainty.MEASURED if evidence.direct else Certainty.STATED,
            agreement=silent_agreement(evidence, calls or ()),
            facts=facts,
            calls=calls if calls is not None else evidence.calls,
            fixes=fixes or self.fixes,
        )

    def hazard(
        self, site: Site, subject: str, message: str, facts: tuple[CompilerFact, ...], fixes: tuple[Fix, ...] = ()
    ) -> Finding:
        """Return the finding of a risk that syntax shows and `facts` confirm: it allocates nothing."""
        return Finding(
            id="",
            pattern=self.slug,
            site=site,
            subject=subject,
            message=message,
            certainty=Certainty.STATED,
            facts=facts,
            fixes=fixes or self.fixes,
        )


class Rule(Protocol):
    """The module of a pattern."""

    PATTERN: Pattern

    def match(self, evidence: Evidence, context: Context) -> Iterator[Finding]:
        """Yield the findings that this pattern sees in one line's evidence."""
        ...

    # A pattern whose fix is mechanical has `edit.py` in its folder besides, with
    #     def edit(finding: Finding, source: EditSource) -> Edit
    # and a line in patterns/editors.py. `finding` is one that `match` yielded, `source` its file with syntax and types
    # (patterns/edit_source.py). It returns source.edit(finding, title, changes, ...) when the meaning is kept for sure:
    # order and number of evaluations, aliasing, shadowed names, nil, the go line of go.mod (source.language); otherwise
    # it raises UneditableError("the end of a sentence that says why"). Imports are named by path and mended by
    # proof/composition.py; proof/prove.py finds out whether it builds, passes vet and the tests, and saves anything.


def headings(doc: str) -> dict[str, str]:
    """Split a docstring into its headings: name -> text, one paragraph each."""
    parts = _HEADING.split(doc)
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def mechanical(title: str) -> Fix:
    """Return a fix that the compiler can verify."""
    return Fix(title, FixKind.MECHANICAL)


def judgement(title: str) -> Fix:
    """Return a fix that a person must decide on."""
    return Fix(title, FixKind.JUDGEMENT)


def _site(site: Site, fact: CompilerFact | None) -> Site:
    """Return the line's site with the fact's column and function, which do not depend on a profile.

    What is inlined has the function that it was inlined into: then the line's own is the right one, if it is known.
    """
    if fact is None:
        return site
    places = (fact.printed_at, fact.site)
    column = next((at.column for at in places if (at.file, at.line) == (site.file, site.line)), site.column)
    names = (site.function, fact.function) if fact.inlined_at else (fact.function, site.function)
    return Site(site.file, site.line, column, names[0] or names[1], fact.package or site.package)
