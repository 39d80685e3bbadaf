"""What `whyheap fix` found, as JSON: the report's shape with `edits` and `refused` beside it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from whyheap.model.edit import ProvenEdit, Refusal
from whyheap.model.finding import Finding, FixKind
from whyheap.model.report import Report
from whyheap.report.to_json import encode, proof_json, report_json


def alternatives(finding: Finding) -> tuple[str, ...]:
    """Return what to do by hand about a finding: what needs judgement, else what is mechanical elsewhere."""
    by_judgement = tuple(one.title for one in finding.fixes if one.kind is FixKind.JUDGEMENT)
    return by_judgement or tuple(one.title for one in finding.fixes)


def fixes_to_json(report: Report, edits: Sequence[ProvenEdit], refused: Sequence[tuple[Finding, Refusal]]) -> bytes:
    """Render one indented JSON object."""
    whole = {
        **report_json(report),
        "edits": [
            {
                "pattern": one.edit.pattern,
                "file": one.edit.file,
                "title": one.edit.title,
                "caution": one.edit.caution,
                "findings": list(one.edit.findings),
                "proof": proof_json(one.proof),
                "diff": one.diff,
            }
            for one in edits
        ],
        "refused": [
            {
                "finding": finding.id,
                "pattern": finding.pattern,
                "file": finding.site.file,
                "line": finding.site.line,
                "reason": refusal.reason,
                "alternatives": list(alternatives(finding)),
            }
            for finding, refusal in refused
        ],
    }
    return msgspec.json.format(encode(whole), indent=2) + b"\n"
