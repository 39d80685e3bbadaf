"""Hazards of a scan: risks that syntax shows and a bounds check confirms that the compiler kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from whyheap.app.scan_report import go_numbers
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.kept_checks import checks_by_line, kept_checks
from whyheap.model.finding import Finding, PatternKind
from whyheap.model.scan import Scan
from whyheap.patterns.catalogue import PATTERNS
from whyheap.patterns.context import Context
from whyheap.patterns.hazard import judge_hazards

_WRITTEN = re.compile(r"\bcopy\([^\n]*\[[^\n]*len\(")
"""What must stand in a file before its package's bounds checks are read: they are many."""
_HAZARDS = frozenset(one.slug for one in PATTERNS if one.kind is PatternKind.HAZARD)


def hazards(compiled: CompiledPackages, scan: Scan, texts: Mapping[str, str]) -> list[Finding]:
    """Return the hazards of all packages, by file and line."""
    found = []
    context = Context(go_numbers(scan.go), texts)
    for package in scan.packages:
        files = {file for file in package.files if _WRITTEN.search(texts.get(file, ""))}
        if files:
            checks = kept_checks(compiled.lines_of(package.package))
            lines = checks_by_line(package.package, (one for one in checks if one.site.file in files))
            found += judge_hazards(lines, context)
    return found


def is_hazard(finding: Finding) -> bool:
    """Whether a finding is of a risk, and allocates nothing."""
    return finding.pattern in _HAZARDS
