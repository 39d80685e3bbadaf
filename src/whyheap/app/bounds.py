"""The job of `whyheap scan --bounds`: the bounds checks that the compiler kept, and the risks that they confirm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from whyheap.app.hazards import hazards
from whyheap.app.scan_report import go_numbers
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.kept_checks import kept_checks
from whyheap.collect.sources import SourceFiles
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap
from whyheap.model.kept_check import KeptCheck
from whyheap.patterns.context import Context
from whyheap.patterns.top_level import function_of

_INDEX = "isInBounds"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Kept checks by package, file and line, and hazards."""

    checks: tuple[KeptCheck, ...]
    hazards: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


def bounds(compiled: CompiledPackages) -> Bounds:
    """Read the checks of all packages. Inlined code is told where it stands, once for each place it is inlined at."""
    scan = compiled.load()
    texts = SourceFiles(scan)
    context = Context(go_numbers(scan.go), texts)
    checks = [one for package in scan.packages for one in _checks(compiled, package.package, context)]
    return Bounds(tuple(dict.fromkeys(checks)), tuple(hazards(compiled, scan, texts)), scan.gaps)


def _checks(compiled: CompiledPackages, package: str, context: Context) -> Iterator[KeptCheck]:
    names: dict[tuple[str, int], str] = {}
    facts = kept_checks(compiled.lines_of(package))
    for fact in sorted(facts, key=lambda one: (one.site, one.printed_at, one.message)):
        at = (fact.site.file, fact.site.line)
        if at not in names:
            file = context.file_at(fact.site.file)
            names[at] = "" if file is None else function_of(file, fact.site.line)
        yield KeptCheck(fact.site, fact.printed_at, names[at], package, is_index=fact.message == _INDEX)
