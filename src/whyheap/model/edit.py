"""Edits of source text, and what proves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """Replace `text[start:end]` of one file (indexes of characters) by `new`."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One mechanical fix in one file, spelled as Site.file.

    `changes` do not overlap. `imports` are import paths that the new text needs; imports that nothing needs any more
    are dropped where edits are put together. `brings` are regular expressions for the subjects of heap facts that the
    new text may have in place of the old ones (the one array that is made at once). `stays` says that the compiler
    will print the old words as before: only a measurement can tell. `lines` are the 1-based lines whose allocations
    are to be compared, of the text before.
    `drops` are regular expressions for functions that the edited function calls no more. `unchecks` says that it saves
    no allocation: the bounds checks of its findings are to be gone. `caution` says what it changes besides, for the
    reader to judge: no test may ask for it.
    """

    pattern: str
    file: str
    title: str
    changes: tuple[Change, ...]
    findings: tuple[str, ...] = ()
    imports: frozenset[str] = frozenset()
    brings: tuple[str, ...] = ()
    stays: bool = False
    lines: tuple[int, ...] = ()
    drops: tuple[str, ...] = ()
    unchecks: bool = False
    caution: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a finding is not edited automatically, as the end of a sentence: "the slice is filled under a condition"."""

    reason: str


class Standing(StrEnum):
    """What came of a proof."""

    PROVEN = "proven"  # built, vetted, no test fails for it, and the allocation is gone or was measured to be less
    UNMEASURED = "unmeasured"  # built, vetted, no test fails for it; nothing ran it, and no fact tells
    REFUTED = "refuted"  # it does not build, vet or pass, it brings new heap facts, or it saves nothing


class OfTests(StrEnum):
    """What the package's tests say of an edit."""

    PASS = "pass"  # noqa: S105 - no secret
    FAIL_WITHOUT = "fail without it too"  # the same tests, with and without it
    FAIL = "fail"
    NONE = "none"
    SKIPPED = "skipped"
    TIMED_OUT = "took too long"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was done to prove an edit, and what it showed.

    `gone` are the compiler's words, or the calls of the allocator, that are there no more. The counts are objects
    allocated at the edit's lines while the package's tests ran once, with every allocation counted; None where the
    tests never came there, or were not run. `measured_by` says by what: "tests" or "benchmark" (objects per call).
    `reason` says why it was refuted, or not measured.
    """

    standing: Standing
    tests: OfTests = OfTests.SKIPPED
    gone: tuple[str, ...] = ()
    objects_before: int | None = None
    objects_after: int | None = None
    bytes_before: int | None = None
    bytes_after: int | None = None
    measured_by: str = ""
    reason: str = ""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ProvenEdit:
    """An edit with its proof, and the unified diff that it makes alone."""

    edit: Edit
    proof: Proof
    diff: str = ""
