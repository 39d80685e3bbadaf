"""Says why a value that the compiler puts on the heap never allocates: what its line's machine code does instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from whyheap.collect.machine_code import CodeLibrary
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding


def with_reasons(findings: Iterable[Finding], library: CodeLibrary) -> list[Finding]:
    """Return the findings, those that never allocate with the label `instead` (see Instead in line_notes.py)."""
    return [_with_reason(one, library) if one.agreement is Agreement.NEVER_ALLOCATES else one for one in findings]


def _with_reason(finding: Finding, library: CodeLibrary) -> Finding:
    fact = next(iter(finding.facts), None)
    if fact is None or finding.calls is None:
        return finding
    found = library.instead(fact.package, finding.site.file, finding.site.line)
    if found is None:
        return finding
    return replace(finding, labels={**finding.labels, "instead": found.value})
