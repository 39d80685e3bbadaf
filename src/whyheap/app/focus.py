"""What --focus keeps of findings: those it names, and of others the bytes of stacks that pass through its frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure


def in_focus(finding: Finding, focus: re.Pattern[str]) -> bool:
    """Whether a finding's function, file or pattern matches."""
    site = finding.site
    return any(focus.search(text) for text in (site.symbol, str(site.position), finding.pattern))


def focused(findings: Iterable[Finding], evidence: Iterable[Evidence], focus: re.Pattern[str]) -> list[Finding]:
    """Return the findings that the focus names, as they are, and others with what is left of their bytes.

    `findings` are judged without a focus, so that ids do not depend on it; `evidence` is of the stacks in focus.
    """
    lines = {(one.site.file, one.site.line): one for one in evidence}
    kept = list(_kept(findings, lines, focus))
    ids = {finding.id for finding in kept}
    return [
        finding
        if ids.issuperset(finding.shared_with)
        else replace(finding, shared_with=tuple(other for other in finding.shared_with if other in ids))
        for finding in kept
    ]


def _kept(
    findings: Iterable[Finding], lines: dict[tuple[str, int], Evidence], focus: re.Pattern[str]
) -> Iterator[Finding]:
    for finding in findings:
        if in_focus(finding, focus):
            yield finding
        elif finding.measure:
            left = _left(finding, lines.get((finding.site.file, finding.site.line)))
            if left.measure:
                yield left


def _left(finding: Finding, line: Evidence | None) -> Finding:
    """Return a measured finding with its share of a line's bytes in focus."""
    if line is None:
        return replace(finding, measure=Measure(), callees=())
    called = sum((one.measure for one in finding.callees), Measure())
    own = line.direct if finding.measure != called else Measure()
    names = {(one.callee, one.leaf) for one in finding.callees}
    callees = tuple(one for one in line.callees if (one.callee, one.leaf) in names)
    return replace(finding, measure=sum((one.measure for one in callees), own), callees=callees)
