"""The comparison of two Go versions as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from whyheap.model.report import Totals
from whyheap.report.to_json import SCHEMA, encode, finding_json
from whyheap.version import VERSION

if TYPE_CHECKING:
    from whyheap.model.version_diff import LineChange, VersionDiff


def version_diff_to_json(diff: VersionDiff) -> bytes:
    """Render as one indented JSON object with a newline at its end; equal comparisons give equal bytes."""
    return msgspec.json.format(encode(_diff(diff)), indent=2) + b"\n"


def _diff(diff: VersionDiff) -> dict[str, Any]:
    totals = Totals(profile=diff.profile)
    return {
        "schema": SCHEMA,
        "tool": {"name": "whyheap", "version": VERSION},
        "title": diff.title,
        "go": list(diff.go),
        "changes": [_change(change, totals) for change in diff.changes],
        "totals": {
            "packages": diff.packages,
            "allocating_lines": list(diff.lines),
            "changed_lines": len(diff.changes),
            "profile_bytes": diff.profile.alloc_bytes if diff.profile else None,
        },
        "gaps": [{"witness": gap.witness, "reason": gap.reason, "hint": gap.hint} for gap in diff.gaps],
    }


def _change(change: LineChange, totals: Totals) -> dict[str, Any]:
    site = change.site
    return {
        "change": change.change.value,
        "site": {"file": site.file, "line": site.line, "function": site.function, "package": site.package},
        "alloc_bytes": change.measure.alloc_bytes if change.measure is not None else None,
        "inuse_bytes": change.measure.inuse_bytes if change.measure is not None else None,
        "before": [finding_json(finding, totals) for finding in change.before],
        "after": [finding_json(finding, totals) for finding in change.after],
    }
