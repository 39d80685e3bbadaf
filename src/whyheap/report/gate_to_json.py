"""A gate's result as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from whyheap.report.to_json import SCHEMA, encode
from whyheap.version import VERSION

if TYPE_CHECKING:
    from whyheap.model.violation import GateResult, Violation


def gate_to_json(result: GateResult) -> bytes:
    """Render as one indented JSON object with a newline at its end; equal results give equal bytes."""
    return msgspec.json.format(encode(_result(result)), indent=2) + b"\n"


def _result(result: GateResult) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tool": {"name": "whyheap", "version": VERSION},
        "title": result.title,
        "go": result.go,
        "platform": result.platform,
        "violations": [_violation(one) for one in result.violations],
        "unknown": list(result.unknown),
        "notes": list(result.notes),
        "checked": dict(result.checked),
        "failed": result.failed,
        "not_judged": list(result.not_judged),
    }


def _violation(violation: Violation) -> dict[str, Any]:
    site, finding = violation.site, violation.finding
    return {
        "id": violation.id,
        "rule": violation.rule,
        "site": {
            "file": site.file,
            "line": site.line,
            "column": site.column,
            "function": site.function,
            "package": site.package,
        },
        "message": violation.message,
        "finding": finding.id if finding is not None else None,
        "pattern": finding.pattern if finding is not None else None,
        "labels": dict(violation.labels),
    }
