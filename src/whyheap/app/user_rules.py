"""The user's own rules on a scan: what they match, confirmed by what the scan knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.kept_checks import kept_checks
from whyheap.collect.sources import SourceFiles
from whyheap.model.evidence import Evidence
from whyheap.model.scan import Scan
from whyheap.model.site import Position
from whyheap.rules.matching import Matches, match_rules
from whyheap.rules.rule import UserRules


def apply_rules(
    rules: UserRules, compiled: CompiledPackages, scan: Scan, evidence: Iterable[Evidence], sources: SourceFiles
) -> Matches:
    """Match all rules against the scanned files."""
    files = {file: package.package for package in scan.packages for file in package.files}
    return match_rules(rules, files, sources, evidence, lambda package: kept_bounds(compiled.lines_of(package)))


def kept_bounds(builds: Iterable[bytes]) -> Sequence[Position]:
    """Return where the compiler kept bounds checks, innermost and as printed, from a package's fact lines.

    The join leaves these facts out, as they are many: they are read only where a rule asks for them.
    """
    places: dict[Position, None] = {}
    for fact in kept_checks(builds):
        places[fact.site] = None
        places[fact.printed_at] = None
    return list(places)
