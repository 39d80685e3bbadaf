"""From what was gathered to the explanation of one line: only that line's function is judged, so that it is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from whyheap.app.directives import declaration_at
from whyheap.app.explain import about_file, spelled
from whyheap.app.gather import Gathered
from whyheap.app.line_code import function_allocations, listings
from whyheap.app.lines_with_code import lines_with_code
from whyheap.app.scan_report import go_numbers, title
from whyheap.escape_graph import EscapeGraph, Hanging, hang, path_to_root
from whyheap.join import join
from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.machine_code import FunctionCode
from whyheap.model.report import Report, Totals
from whyheap.model.root import PathStep
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.parse.go_symbol import function_name, split_symbol
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge
from whyheap.patterns.syntax import GoFile
from whyheap.report.line_details import LineDetails


@dataclass(frozen=True, slots=True)
class LineExplanation:
    """The report's part about one file (all findings of the line are in it), the file's name there, and the details."""

    report: Report
    file: str
    line: int
    details: LineDetails


class _Graph:
    """The escape graph of the scan, built when a path is asked for: most lines have none."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self.file = ""

    @cached_property
    def whole(self) -> EscapeGraph | None:
        scan = self._gathered.capture.scan
        return EscapeGraph(scan, self._gathered.files or self._gathered.capture.sources) if scan is not None else None

    @cached_property
    def _around(self) -> EscapeGraph | None:
        """The file's own values, and what the parameters of all functions leak: enough for the way of one value."""
        scan = self._gathered.capture.scan
        if scan is None:
            return None
        packages = tuple(
            replace(package, facts=tuple(fact for fact in package.facts if self._is_on_a_way(fact)))
            for package in scan.packages
        )
        sources = self._gathered.files or self._gathered.capture.sources
        return EscapeGraph(replace(scan, packages=packages), sources)

    def _is_on_a_way(self, fact: CompilerFact) -> bool:
        return fact.kind is not FactKind.STACK and (fact.kind is not FactKind.HEAP or fact.printed_at.file == self.file)

    def beyond(self, fact: CompilerFact) -> tuple[PathStep, ...]:
        """Return the way of a fact across functions."""
        return path_to_root(self._around, fact) if self._around is not None else ()


def explain_line(
    gathered: Gathered,
    file: str,
    line: int,
    folder: Path,
    *,
    binary: Path | None = None,
    whole_code: bool = False,
    with_roots: bool = False,
) -> LineExplanation:
    """Judge one line. `file` is as typed; `folder` is where it was typed.

    `binary` is the linked program whose code to show; `with_roots` names the findings' roots, a look at the whole
    program.

    Raises UsageError when `file` may be several files, FormatError when a profile in the capture is damaged.
    """
    capture = gathered.capture
    graph = _Graph(gathered)
    name = spelled(capture, file, folder)
    graph.file = name or ""
    if capture.scan is None or name is None or capture.profiles:
        report, name, evidence = _in_full(gathered, file, folder)
    else:
        report, evidence = _narrowed(gathered, capture.scan, graph.whole if with_roots else None, name, line)
    text = report.sources.get(name)
    if text is None and gathered.files is not None:
        text = gathered.files.get(name)
        report = replace(report, sources={name: text} if text is not None else {})
    here = next((one for one in evidence if one.site.file == name and one.site.line == line), None)
    findings = [finding for finding in report.findings if (finding.site.file, finding.site.line) == (name, line)]
    code = _functions_at(capture.scan, name, line, here)
    details = LineDetails(
        beyond=graph.beyond,
        said=_said(here),
        inlined=_inlined(capture.scan, name, line),
        listings=tuple(listings(gathered, here, code, binary, whole=whole_code)),
        functions=tuple(function_allocations(gathered, code, here.site.package)) if here is not None else (),
        near=tuple(one.site.line for one in evidence if one.site.file == name and _allocates(one)),
        with_code=tuple(lines_with_code(text)) if text is not None and not findings else None,
        last_line=len(text.splitlines()) if text is not None else 0,
        code_was_read=any(one.calls is not None for one in evidence),
        is_linked=bool(capture.scan and capture.scan.binary),
        never_instantiated=_never_instantiated(capture.scan, name, line, text) if not findings else "",
    )
    return LineExplanation(report, name, line, details)


def _in_full(gathered: Gathered, file: str, folder: Path) -> tuple[Report, str, tuple[Evidence, ...]]:
    """Judge all, as `why` does: bytes of a profile are spread over all lines."""
    from whyheap.app.analyse import View, analyse  # noqa: PLC0415 - brings profiles and causes

    analysis = analyse(gathered.capture, View(with_flame=False), gathered.files)
    report, name = about_file(analysis.report, gathered.capture, file, folder)
    return report, name, analysis.evidence


def _narrowed(
    gathered: Gathered, scan: Scan, graph: EscapeGraph | None, name: str, line: int
) -> tuple[Report, tuple[Evidence, ...]]:
    """Judge the functions of one line only: their findings have the ids that a whole scan gives them."""
    capture = gathered.capture
    sources: Mapping[str, str] = gathered.files if gathered.files is not None else capture.sources
    joined = join(replace(scan, packages=tuple(_about(package, name) for package in scan.packages)), None, sources)
    there = [one for one in joined.evidence if one.site.file == name]
    wanted = {function for one in there if one.site.line == line for function in _functions(one)}
    chosen = [one for one in there if not wanted.isdisjoint(_functions(one))]
    findings = judge(chosen, Context(go_numbers(scan.go), sources))
    hanging = hang(findings, graph) if graph is not None else Hanging(list(findings), (), frozenset())
    findings = hanging.findings
    shown = tuple(finding for finding in findings if finding.site.line == line)
    text = sources.get(name)
    report = Report(
        targets=capture.targets,
        go=scan.go,
        verdict=None,
        findings=shown,
        gauges=capture.gauges,
        gaps=(*capture.gaps, *scan.gaps),
        totals=Totals(heap_sites=len(shown), packages=len(scan.packages)),
        sources={name: text} if text is not None else {},
        title=title(scan),
        roots=hanging.under(shown),
    )
    return report, joined.evidence


def _about(package: ScannedPackage, file: str) -> ScannedPackage:
    """Keep what speaks of one file; that its functions were compiled is told by all that hold their code."""
    facts = tuple(fact for fact in package.facts if _is_about(fact, file))
    functions = package.functions
    if functions is not None:
        own = {function.symbol for function in functions if function.site.file == file}
        functions = tuple(function for function in functions if _holds(function, file, own))
    return replace(package, facts=facts, functions=functions)


def _is_about(fact: CompilerFact, file: str) -> bool:
    return any(place.file == file for place in (fact.printed_at, fact.site, *fact.inlined_at))


def _holds(function: FunctionCode, file: str, own: set[str]) -> bool:
    if function.site.file == file or not own.isdisjoint(function.inlined):
        return True
    return any(site.file == file for call in function.calls for site in (call.site, *call.inlined_at))


def _functions(evidence: Evidence) -> set[str]:
    return {evidence.site.function, *(fact.function for fact in evidence.facts)} - {""}


def _said(evidence: Evidence | None) -> tuple[CompilerFact, ...]:
    """Return what the compiler says of the line besides what is on the heap, each sentence once."""
    facts = evidence.facts if evidence is not None else ()
    said = {fact.message: fact for fact in facts if fact.kind in {FactKind.STACK, FactKind.PARAM_LEAK}}
    return tuple(said.values())


def _inlined(scan: Scan | None, file: str, line: int) -> tuple[CompilerFact, ...]:
    """Return the heap facts of other lines whose code is inlined into this one, each place once."""
    found: dict[object, CompilerFact] = {}
    for package in scan.packages if scan is not None else ():
        for fact in package.facts:
            if (
                fact.kind is not FactKind.HEAP
                or not fact.inlined_at
                or (fact.site.file, fact.site.line) == (file, line)
            ):
                continue
            if any((place.file, place.line) == (file, line) for place in fact.inlined_at):
                found.setdefault((fact.site, fact.message), fact)
    return tuple(sorted(found.values(), key=lambda fact: fact.site))


def _never_instantiated(scan: Scan | None, file: str, line: int, text: str | None) -> str:
    """Return the name of the generic function around a line that the compiler had no reason to compile; "" for others.

    What is instantiated has code in the scanned packages, or facts where it is inlined.
    """
    if scan is None or text is None or "[" not in text:
        return ""
    declared = declaration_at(GoFile(text), line)
    if declared is None or not declared.is_generic:
        return ""
    lines = range(declared.first_line, declared.last_line + 1)
    for package in scan.packages:
        if any(code.site.file == file and code.site.line in lines for code in package.functions or ()):
            return ""
        for fact in package.facts:
            if any(at.file == file and at.line in lines for at in (fact.printed_at, fact.site, *fact.inlined_at)):
                return ""
    return declared.name


def _allocates(evidence: Evidence) -> bool:
    is_heap = any(fact.kind is FactKind.HEAP for fact in evidence.facts)
    return is_heap or bool(evidence.calls) or bool(evidence.measure)


def _functions_at(scan: Scan | None, file: str, line: int, here: Evidence | None) -> tuple[FunctionCode, ...]:
    """Return the compiled functions that the line is written in; several for a generic one, none where unknown."""
    if scan is None:
        return ()
    codes = [one for package in scan.packages for one in package.functions or ()]
    calling = {call.symbol for call in here.calls or () if not call.inlined_at} if here is not None else set()
    if calling:
        return tuple(one for one in codes if one.symbol in calling)
    codes = [one for one in codes if one.site.file == file]
    if here is not None:
        names = _functions(here)
        return tuple(one for one in codes if function_name(split_symbol(one.symbol)[1]) in names)
    start = max((one.site.line for one in codes if one.site.line <= line), default=0)
    return tuple(one for one in codes if one.site.line == start)
