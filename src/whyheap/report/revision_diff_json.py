"""The comparison of two git revisions as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from whyheap.model.report import Totals
from whyheap.model.revision_diff import SiteChange
from whyheap.report.benchmark_json import comparison_json
from whyheap.report.to_json import SCHEMA, encode, finding_json
from whyheap.version import VERSION

if TYPE_CHECKING:
    from whyheap.model.revision_diff import ChangedSite, RevisionDiff


def revision_diff_to_json(diff: RevisionDiff) -> bytes:
    """Render as one indented JSON object with a newline at its end; equal comparisons give equal bytes."""
    return msgspec.json.format(encode(_diff(diff)), indent=2) + b"\n"


def _diff(diff: RevisionDiff) -> dict[str, Any]:
    counts = diff.count()
    return {
        "schema": SCHEMA,
        "tool": {"name": "whyheap", "version": VERSION},
        "title": diff.title,
        "go": diff.go,
        "revisions": [{"name": one.name, "commit": one.commit or None} for one in diff.revisions],
        "changes": [_change(change) for change in diff.changes],
        "benchmarks": None if diff.benchmarks is None else [comparison_json(one) for one in diff.benchmarks],
        "totals": {
            "packages": list(diff.packages),
            "heap_sites": list(diff.sites),
            "allocator_calls": list(diff.calls),
            "moved_sites": diff.moved,
            **{f"{change.value}_sites": counts[change] for change in SiteChange},
        },
        "notes": list(diff.notes),
        "gaps": [{"witness": gap.witness, "reason": gap.reason, "hint": gap.hint} for gap in diff.gaps],
    }


def _change(change: ChangedSite) -> dict[str, Any]:
    site, nothing = change.site, Totals()
    return {
        "change": change.change.value,
        "id": change.finding.id,
        "pattern": change.finding.pattern,
        "site": {"file": site.file, "line": site.line, "function": site.function, "package": site.package},
        "source": change.text,
        "allocator_calls": list(change.calls),
        "before": None if change.before is None else finding_json(change.before, nothing),
        "after": None if change.after is None else finding_json(change.after, nothing),
    }
