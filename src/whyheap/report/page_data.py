"""The data island of the page: a Report as compact columns, every text interned once.

The browser reads it as `PageData` in web/src/data.ts; both files change together. Everything is bounded, and what was
left out is counted, so that a page of a huge program still opens.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from whyheap.model.evidence import Agreement
from whyheap.model.measure import Measure
from whyheap.report.decision_path import decision_path
from whyheap.report.page_memory import page_memory
from whyheap.report.plain_words import chain, conclusion, headline
from whyheap.report.ranked_lines import RankedLine, bytes_of, ranked_lines
from whyheap.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from whyheap.model.evidence import CalleeBytes
    from whyheap.model.facts import CompilerFact, Flow
    from whyheap.model.finding import Finding
    from whyheap.model.gauge import Gauge
    from whyheap.model.report import FlameNode, Report, Totals
    from whyheap.model.site import Site
    from whyheap.model.verdict import Verdict
    from whyheap.report.decision_path import PathStep

PAGE_SCHEMA: Final = 1
LONGEST_TEXT: Final = 20_000
LARGEST_SOURCE: Final = 400_000
LARGEST_SOURCES: Final = 8_000_000
MOST_FLAME_NODES: Final = 150_000
MOST_GAUGE_POINTS: Final = 600
MOST_CALLS: Final = 40
MOST_DETAILED: Final = 5_000
"""Findings beyond these, in the ranked order, are rows of the table only."""
MOST_ROOTS: Final = 2_000

Json = dict[str, Any]


@dataclass(slots=True)
class _Strings:
    """Texts in order of first use; a text is written once and named by its number."""

    texts: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> int:
        number = self.numbers.get(text)
        if number is None:
            number = self.numbers[text] = len(self.texts)
            self.texts.append(clip(text))
        return number


def page_data(report: Report) -> Json:
    """Derive all that the page shows; only JSON values, no NaN, texts clipped at `LONGEST_TEXT` characters."""
    strings = _Strings()
    numbers = {finding.id: index for index, finding in enumerate(report.findings)}
    roots = {root.id: index for index, root in enumerate(report.roots[:MOST_ROOTS])}
    lines = _lines(report.findings, report.totals.ranked_by, strings)
    order = [index for group in lines["findings"] for index in group]
    detailed = set(order[:MOST_DETAILED])
    return {
        "schema": PAGE_SCHEMA,
        "tool": f"whyheap {VERSION}",
        "title": clip(report.title),
        "go": clip(report.go),
        "targets": [clip(target) for target in report.targets],
        "verdict": _verdict(report.verdict, strings),
        "totals": _totals(report.totals),
        "gauges": _gauges(report.gauges),
        "memory": page_memory(report),
        "gaps": [[clip(gap.witness), clip(gap.reason), clip(gap.hint)] for gap in report.gaps],
        "entries": [[clip(entry.function), clip(entry.kind), *_bytes(entry.measure)] for entry in report.entry_points],
        "roots": _roots(report, strings),
        "lines": lines,
        "findings": [
            _finding(finding, roots, strings)
            | (_detail(finding, numbers, strings) if index in detailed else {"cut": True})
            for index, finding in enumerate(report.findings)
        ],
        "sources": _sources(report, strings),
        "flame": None if report.flame is None else _flame(report.flame, report.totals.ranked_by, strings),
        "strings": strings.texts,
    }


def clip(text: str) -> str:
    """Cut a text that nobody can read in full, and say how much is gone."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]} … {len(text) - LONGEST_TEXT} more characters"


def _verdict(verdict: Verdict | None, strings: _Strings) -> Json | None:
    if verdict is None:
        return None
    return {
        "causes": [
            {
                "cause": clip(cause.cause),
                "certainty": cause.certainty.value,
                "bytes": cause.bytes,
                "share": _finite(cause.share),
                "summary": clip(cause.summary),
                "evidence": [
                    [clip(said.text), said.certainty.value, *([] if said.site is None else _place(said.site, strings))]
                    for said in cause.evidence
                ],
                "advice": [clip(advice) for advice in cause.advice],
            }
            for cause in verdict.causes
        ]
    }


def _place(site: Site, strings: _Strings) -> list[int]:
    return [strings(site.file), site.line]


def _totals(totals: Totals) -> Json:
    return {
        "heapSites": totals.heap_sites,
        "packages": totals.packages,
        "profile": None if totals.profile is None else _bytes(totals.profile),
        "explained": None if totals.explained is None else _bytes(totals.explained),
        "rankedBy": totals.ranked_by,
        "rss": totals.rss_bytes,
        "rssExplained": totals.rss_explained_bytes,
        "window": _finite(totals.rate_seconds),
    }


_NOT_SHOWN = frozenset({"previous_gc", "earlier_gc"})
"""What only places the profiles in time, and is nothing to look at."""


def _gauges(gauges: Iterable[Gauge]) -> list[Json]:
    """Group by name in order of first use; each with its values over time, thinned evenly when there are many."""
    series: defaultdict[tuple[str, str], list[Gauge]] = defaultdict(list)
    for gauge in gauges:
        if math.isfinite(gauge.value) and gauge.name not in _NOT_SHOWN:
            series[gauge.name, gauge.unit].append(gauge)
    return [
        {
            "name": clip(name),
            "unit": clip(unit),
            "values": [gauge.value for gauge in _thinned(points)],
            "seconds": _seconds(_thinned(points)),
            "at": clip(points[-1].at),
        }
        for (name, unit), points in series.items()
    ]


def _seconds(points: list[Gauge]) -> list[float]:
    """Seconds since 1970 of each point, or the order of the points where a time cannot be read."""
    try:
        return [datetime.fromisoformat(point.at).timestamp() for point in points]
    except (ValueError, OverflowError):
        return [float(index) for index in range(len(points))]


def _thinned(points: list[Gauge]) -> list[Gauge]:
    if len(points) <= MOST_GAUGE_POINTS:
        return points
    step = (len(points) - 1) / (MOST_GAUGE_POINTS - 1)
    return [points[round(index * step)] for index in range(MOST_GAUGE_POINTS)]


def _lines(findings: tuple[Finding, ...], ranked_by: str, strings: _Strings) -> Json:
    """Write the ranked lines as the terminal ranks them, then, without a rank, the lines that never allocate."""
    places = {id(finding): index for index, finding in enumerate(findings)}
    ranked = ranked_lines(findings, ranked_by)
    silent = [finding for finding in findings if finding.agreement is Agreement.NEVER_ALLOCATES]
    lines = [*ranked, *(RankedLine(finding.site, (finding,), finding.measure or Measure()) for finding in silent)]
    profiled = [any(finding.measure is not None for finding in line.findings) for line in lines]
    return {
        "ranked": len(ranked),
        "file": [strings(line.site.file) for line in lines],
        "line": [line.site.line for line in lines],
        "function": [strings(line.site.function) for line in lines],
        "package": [strings(line.site.package) for line in lines],
        "inuse": [line.measure.inuse_bytes if known else None for line, known in zip(lines, profiled, strict=True)],
        "alloc": [line.measure.alloc_bytes if known else None for line, known in zip(lines, profiled, strict=True)],
        "findings": [[places[id(finding)] for finding in line.findings] for line in lines],
    }


def _roots(report: Report, strings: _Strings) -> Json:
    """Write the first roots, in the report's order."""
    rows = []
    for root in report.roots[:MOST_ROOTS]:
        file, line = (root.site.file, root.site.line) if root.site is not None else ("", 0)
        measure = (None, None) if root.measure is None else (root.measure.inuse_bytes, root.measure.alloc_bytes)
        rows.append(
            [
                clip(root.id),
                root.kind.value,
                strings(root.title),
                strings(file),
                line,
                strings(root.pattern),
                root.sites,
                root.files,
                *measure,
            ]
        )
    return {"rows": rows, "leftOut": max(len(report.roots) - MOST_ROOTS, 0)}


def _finding(finding: Finding, roots: dict[str, int], strings: _Strings) -> Json:
    """Write what a row of the table needs, for there may be 30,000 findings."""
    entry: Json = {
        "id": clip(finding.id),
        "pattern": strings(finding.pattern),
        "column": finding.site.column,
        "subject": strings(finding.subject),
        "message": strings(headline(finding)),
        "certainty": finding.certainty.value,
        "agreement": finding.agreement.value,
    }
    if finding.measure is not None:
        measure = finding.measure
        entry["measure"] = [*_bytes(measure), measure.inuse_objects, measure.alloc_objects]
    if finding.root in roots:
        entry["root"] = roots[finding.root]
    return entry


def _detail(finding: Finding, numbers: dict[str, int], strings: _Strings) -> Json:
    """Write what the panel of one finding shows; what is empty is left out."""
    entry: Json = {}
    if finding.facts:
        entry["facts"] = [_fact(fact, finding.pattern, strings) for fact in finding.facts]
    if finding.calls is not None:
        entry["calls"] = [
            [strings(call.callee), strings(call.type), call.address] for call in finding.calls[:MOST_CALLS]
        ]
    if finding.callees:
        entry["callees"] = [_callee(callee, strings) for callee in finding.callees[:MOST_CALLS]]
    if finding.shared_with:
        entry["shared"] = [numbers[other] for other in finding.shared_with if other in numbers]
    if finding.fixes:
        entry["fixes"] = [[strings(fix.title), fix.kind.value] for fix in finding.fixes]
    if finding.root in numbers:
        entry["root"] = numbers[finding.root]
    if finding.labels:
        entry["labels"] = [[strings(name), strings(text)] for name, text in sorted(finding.labels.items())]
    return entry


def _callee(callee: CalleeBytes, strings: _Strings) -> list[int]:
    return [strings(callee.callee), strings(callee.leaf), *_bytes(callee.measure)]


def _fact(fact: CompilerFact, pattern: str, strings: _Strings) -> Json:
    """Write a compiler fact: its flow in plain words (`says`, `so`) and verbatim (`flow`)."""
    entry: Json = {
        "message": strings(fact.message),
        "subject": strings(fact.subject),
        "site": [strings(fact.site.file), fact.site.line, fact.site.column],
        "says": [
            [strings(sentence.text), strings(sentence.at.file), sentence.at.line, sentence.at.column]
            for sentence in chain(fact, pattern)
        ],
        "so": strings(conclusion(fact)),
        "path": [_path_step(step, strings) for step in decision_path(fact, pattern)],
    }
    if fact.inlined_at:
        entry["inlined"] = [[strings(at.file), at.line, at.column] for at in fact.inlined_at]
    if fact.flow:
        entry["flow"] = [[strings(flow.to), strings(flow.from_), _steps(flow, strings)] for flow in fact.flow]
    return entry


def _path_step(step: PathStep, strings: _Strings) -> list[int | str]:
    """Write one node of the decision path; line 0: a conclusion, which stands nowhere."""
    at = step.at
    place = [strings(at.file), at.line, at.column] if at is not None else [strings(""), 0, 0]
    return [step.stage.value, strings(step.text), *place, strings(step.reason)]


def _steps(flow: Flow, strings: _Strings) -> list[list[int]]:
    return [
        [strings(step.expr), strings(step.reason), strings(step.file), step.line, step.column] for step in flow.steps
    ]


def _sources(report: Report, strings: _Strings) -> Json:
    """Keep the text of files that have findings, most important first, until the page would get too heavy."""
    texts: dict[int, str] = {}
    left_out = 0
    room = LARGEST_SOURCES
    for file in dict.fromkeys(finding.site.file for finding in report.findings):
        text = report.sources.get(file)
        if text is None:
            continue
        if len(text) > min(room, LARGEST_SOURCE):
            left_out += 1
            continue
        texts[strings(file)] = text
        room -= len(text)
    return {"files": list(texts), "texts": list(texts.values()), "leftOut": left_out}


def _flame(root: FlameNode, ranked_by: str, strings: _Strings) -> Json:
    """Write the call tree in preorder, widest child first; order and depth are the tree. Equal frames stand once."""
    floor, left_out = _flame_floor(root)
    frames: dict[tuple[str, str, int, str], int] = {}
    frame_column: list[int] = []
    depth_column: list[int] = []
    inuse_column: list[int] = []
    alloc_column: list[int] = []
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        frame = (node.name, node.file, node.line, node.pattern)
        frame_column.append(frames.setdefault(frame, len(frames)))
        depth_column.append(depth)
        inuse_column.append(node.measure.inuse_bytes)
        alloc_column.append(node.measure.alloc_bytes)
        kept = [child for child in node.children if _weight(child) >= floor]
        kept.sort(key=lambda child: (bytes_of(child.measure, ranked_by), child.measure.alloc_bytes, child.name))
        waiting.extend((child, depth + 1) for child in kept)
    return {
        "frames": {
            "name": [strings(name) for name, _, _, _ in frames],
            "file": [strings(file) for _, file, _, _ in frames],
            "line": [line for _, _, line, _ in frames],
            "pattern": [strings(pattern) for _, _, _, pattern in frames],
        },
        "frame": frame_column,
        "depth": depth_column,
        "inuse": inuse_column,
        "alloc": alloc_column,
        "leftOut": left_out,
    }


def _flame_floor(root: FlameNode) -> tuple[float, int]:
    """Weight below which nodes are left out so that at most `MOST_FLAME_NODES` remain, and how many those are."""
    weights: list[float] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        weights.append(_weight(node))
        waiting.extend(node.children)
    if len(weights) <= MOST_FLAME_NODES:
        return -math.inf, 0
    weights.sort(reverse=True)
    floor = math.nextafter(weights[MOST_FLAME_NODES], math.inf)
    return floor, sum(weight < floor for weight in weights)


def _weight(node: FlameNode) -> float:
    return max(node.measure.inuse_bytes, node.measure.alloc_bytes)


def _bytes(measure: Measure) -> list[int]:
    return [measure.inuse_bytes, measure.alloc_bytes]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
