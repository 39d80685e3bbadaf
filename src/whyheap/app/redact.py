"""Takes hosts and folders of this machine out of a report, so that it can be handed on."""

from __future__ import annotations

import re
from dataclasses import replace

from whyheap.model.report import Report

_HOST = re.compile(r"(https?://)[^/\s]+")
_FOLDER = re.compile(r"(?<![\w.@:/])/(?:[^/\s:]+/)+(?=[^/\s:]+)")


def redacted(report: Report) -> Report:
    """Return the report with hosts and absolute folders replaced in targets and gaps; findings have relative files."""
    return replace(
        report,
        targets=tuple(_clean(target) for target in report.targets),
        gaps=tuple(replace(gap, reason=_clean(gap.reason), hint=_clean(gap.hint)) for gap in report.gaps),
    )


def _clean(text: str) -> str:
    return _FOLDER.sub("…/", _HOST.sub(r"\1redacted", text))
