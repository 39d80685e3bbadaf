"""The comparison of two captures as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from whyheap.report.to_json import SCHEMA, encode
from whyheap.version import VERSION

if TYPE_CHECKING:
    from whyheap.model.capture_diff import CaptureDiff, Difference, LineDifference
    from whyheap.model.site import Site


def capture_diff_to_json(diff: CaptureDiff) -> bytes:
    """Render as one indented JSON object with a newline at its end; equal comparisons give equal bytes."""
    return msgspec.json.format(encode(_diff(diff)), indent=2) + b"\n"


def _diff(diff: CaptureDiff) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tool": {"name": "whyheap", "version": VERSION},
        "title": diff.title,
        "targets": list(diff.targets),
        "moments": list(diff.moments),
        "lines": [_line(line) for line in diff.lines],
        "parts": [_difference(part) for part in diff.parts],
        "numbers": [_difference(number) for number in diff.numbers],
        "goroutines": [
            {"site": _site(one.site), "state": one.state, "before": one.before, "after": one.after}
            for one in diff.goroutines
        ],
        "totals": {
            "inuse_bytes": [None if whole is None else whole.inuse_bytes for whole in diff.profile],
            "alloc_bytes": [None if whole is None else whole.alloc_bytes for whole in diff.profile],
        },
        "gaps": [{"witness": gap.witness, "reason": gap.reason, "hint": gap.hint} for gap in diff.gaps],
    }


def _line(line: LineDifference) -> dict[str, Any]:
    return {
        "site": _site(line.site),
        "inuse_bytes": [line.before.inuse_bytes, line.after.inuse_bytes],
        "alloc_bytes": [line.before.alloc_bytes, line.after.alloc_bytes],
        "grown_bytes": line.grown_bytes,
        "reason": line.reason,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"name": one.name, "title": one.title, "unit": one.unit, "before": one.before, "after": one.after}


def _site(site: Site) -> dict[str, Any]:
    return {"file": site.file, "line": site.line, "function": site.function, "package": site.package}
