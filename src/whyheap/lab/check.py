"""Holds the wants of an example against what whyheap finds in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from whyheap.lab.wants import Want, wants
from whyheap.lab.workspace import FILE, MODULE
from whyheap.model.evidence import Agreement, Evidence
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.site import Site
from whyheap.patterns.context import Context
from whyheap.patterns.hazard import judge_hazards
from whyheap.patterns.judge import judge
from whyheap.patterns.pattern import Pattern

NO_CALL = "none"
"""`call=none`: machine code calls no allocator at this line, but for paths that end in a panic."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A want that does not hold."""

    line: int
    want: str
    got: str

    def __str__(self) -> str:
        """Print as compilers do: file, line, words."""
        return f"{FILE}:{self.line}: want {self.want}, got {self.got}"


def place(pattern: Pattern) -> str:
    """Return how Site.file spells a pattern's example in the lab's module."""
    return f"{pattern.slug}/{FILE}"


def judged(
    pattern: Pattern, evidence: Iterable[Evidence], go: tuple[int, int], *, source: bool = True
) -> dict[int, list[Finding]]:
    """Return the findings by line, as a scan would find them.

    Measured bytes are taken where a want speaks of a measurement only: agreement=allocates-silently and callee=. What
    the compiler or machine code tell elsewhere must be told without a profile.
    """
    file, text = place(pattern), pattern.example
    demanded = wants(text, go)
    lines = {one.site.line: one for one in evidence if one.site.file == file}
    seen = []
    for line in sorted(lines.keys() | demanded.keys()):
        one = lines.get(line) or Evidence(Site(file, line, 0, "", f"{MODULE}/{pattern.slug}"))
        want = demanded.get(line, Want())
        direct = one.direct if want.agreement == Agreement.ALLOCATES_SILENTLY else Measure()
        callees = tuple(callee for callee in one.callees if callee.callee == want.callee)
        seen.append(replace(one, direct=direct, callees=callees, profiled=bool(direct or callees)))
    found: dict[int, list[Finding]] = defaultdict(list)
    context = Context(go, {file: text} if source else {})
    for finding in (*judge(seen, context), *judge_hazards(seen, context)):
        found[finding.site.line].append(finding)
    return found


def failures(
    pattern: Pattern, found: Mapping[int, list[Finding]], evidence: Iterable[Evidence], go: tuple[int, int]
) -> list[Failure]:
    """Return the wants that do not hold, and findings that no want names, by line; `evidence` is what was seen."""
    demanded = wants(pattern.example, go)
    seen = {one.site.line: one for one in evidence if one.site.file == place(pattern)}
    was_read = any(one.calls is not None for one in seen.values())
    failed = []
    for line in sorted(demanded.keys() | {line for line, findings in found.items() if findings}):
        want = demanded.get(line, Want())
        findings = found.get(line, [])
        failed += _of_patterns(line, want, findings)
        if was_read:  # a line without code calls nothing, which a call= word must not pass over
            failed += _of_machine_code(line, want, (seen[line].calls or ()) if line in seen else ())
        if line in seen:
            failed += _of_bytes(line, want, seen[line])
    return failed


def _of_patterns(line: int, want: Want, findings: list[Finding]) -> list[Failure]:
    got = {one.pattern for one in findings}
    if got != want.patterns:
        return [Failure(line, _spelled(want.patterns), _spelled(got))]
    failed = []
    agreements = {str(one.agreement) for one in findings}
    if want.agreement and want.agreement not in agreements:
        failed.append(Failure(line, f"agreement={want.agreement}", _listed(agreements, "agreement")))
    subjects = {one.subject for one in findings}
    if want.callee and subjects != {want.callee}:
        failed.append(Failure(line, f"callee={want.callee}", _listed(subjects, "callee")))
    return failed


def _of_machine_code(line: int, want: Want, calls: tuple[AllocatorCall, ...]) -> list[Failure]:
    """Hold the call= words against the line's calls in machine code."""
    names = {call.callee.removeprefix("runtime.") for call in calls if call.path is not CallPath.COLD}
    missing = {
        wanted
        for wanted in want.calls
        if (bool(names) if wanted == NO_CALL else not any(name.startswith(wanted) for name in names))
    }
    return [Failure(line, f"call={wanted}", _listed(names, "call")) for wanted in sorted(missing)]


def _of_bytes(line: int, want: Want, evidence: Evidence) -> list[Failure]:
    """Hold a promise that nothing is allocated against what was measured when the function ran.

    Where machine code calls an allocator on the line, the bytes may be those of another value than the promised one.
    """
    objects = evidence.direct.alloc_objects
    if want.agreement != Agreement.NEVER_ALLOCATES or evidence.calls or not objects:
        return []
    return [Failure(line, f"agreement={want.agreement}", f"{objects} objects allocated here")]


def _spelled(patterns: set[str]) -> str:
    return _listed(patterns, "pattern")


def _listed(values: Iterable[str], key: str) -> str:
    return " ".join(f"{key}={value}" for value in sorted(values)) or "none"
