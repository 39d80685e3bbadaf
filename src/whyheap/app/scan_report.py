"""From compiled packages to a Report: join and judge, without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from whyheap.app.focus import in_focus
from whyheap.app.never_allocates import with_reasons
from whyheap.app.scan import ScanRequest
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.sources import SourceFiles
from whyheap.escape_graph import EscapeGraph, hang
from whyheap.host.repository import folder_in_repository
from whyheap.join import join
from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.model.report import Report, Totals
from whyheap.model.scan import Scan
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge
from whyheap.rules.matching import Matches


def scan_report(compiled: CompiledPackages, request: ScanRequest) -> Report:
    """Judge all lines of the compiled packages."""
    scan = compiled.load()
    if request.binary is not None:
        from whyheap.app.linked_code import link  # noqa: PLC0415 - only with --binary

        scan = link(scan, request.binary)
    sources = SourceFiles(scan)
    joined = join(scan, None)
    findings = with_reasons(judge(joined.evidence, Context(go_numbers(scan.go), sources)), compiled.library)
    hanging = hang(findings, EscapeGraph(scan, sources))
    heap_sites = hanging.findings
    matched = _matched(request, compiled, scan, joined.evidence, sources)
    findings = [*heap_sites, *matched.findings]  # a rule speaks of sites that are counted already: it hangs nowhere
    if request.focus is not None:
        heap_sites = [finding for finding in heap_sites if in_focus(finding, request.focus)]
        findings = [finding for finding in findings if in_focus(finding, request.focus)]
    return Report(
        targets=request.options.patterns,
        go=scan.go,
        verdict=None,
        findings=tuple(findings),
        gaps=(*scan.gaps, *matched.gaps),
        totals=Totals(heap_sites=len(heap_sites), packages=count_packages(scan)),
        sources=shown_sources(findings, sources) if request.keep_sources else {},
        title=title(scan),
        roots=hanging.under(findings),
        in_repository=folder_in_repository(Path(scan.root)),
    )


def _matched(
    request: ScanRequest,
    compiled: CompiledPackages,
    scan: Scan,
    evidence: Iterable[Evidence],
    sources: SourceFiles,
) -> Matches:
    """Apply the user's own rules, if there are any."""
    if not request.rules.rules and not request.rules.problems:
        return Matches(())
    from whyheap.app.user_rules import apply_rules  # noqa: PLC0415 - only where there are rules

    return apply_rules(request.rules, compiled, scan, evidence, sources)


def go_numbers(version: str) -> tuple[int, int]:
    """Turn `go1.27.3` into (1, 27); (0, 0) when it does not say."""
    found = re.search(r"go(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def title(scan: Scan) -> str:
    """Return what a report calls the program: the module's last element, else the folder."""
    return re.sub(r"/v\d+$", "", scan.module).rsplit("/", 1)[-1] or Path(scan.root).name


def count_packages(scan: Scan) -> int:
    """Count the packages that could be scanned."""
    return sum(not package.error for package in scan.packages)


def shown_sources(findings: list[Finding], sources: SourceFiles, limit: int = 200) -> dict[str, str]:
    """Return the text of the files that the first findings stand in, for excerpts."""
    shown: dict[str, str] = {}
    for finding in findings:
        if len(shown) >= limit:
            break
        text = sources.get(finding.site.file)
        if text is not None:
            shown[finding.site.file] = text
    return shown
