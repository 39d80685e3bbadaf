"""Judges an example from what was recorded of it: the compiler's text, and the lab's calls and bytes per line."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from whyheap.lab.check import failures, place
from whyheap.lab.check import judged as judge_example
from whyheap.lab.recording import LineRecord, Recording
from whyheap.lab.wants import Want, version, wants
from whyheap.lab.workspace import MODULE
from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.site import Position, Site
from whyheap.parse.compiler_text import parse_block, split_blocks
from whyheap.patterns.pattern import Pattern

__all__ = ["Want", "evidence", "facts", "failed", "judged", "version", "wants"]

BYTES = Measure(inuse_bytes=64, inuse_objects=1, alloc_bytes=640, alloc_objects=10)


def facts(pattern: Pattern, recorded: str) -> list[CompilerFact]:
    """Parse recorded -m=2 text; every line must be understood."""
    found: list[CompilerFact] = []
    for block in split_blocks(recorded.splitlines()):
        parsed = parse_block(block, lambda path: f"{pattern.slug}/{Path(path).name}")
        assert not parsed.unknown
        found += parsed.facts
    return found


def evidence(pattern: Pattern, text: str, recording: Recording | None, go: tuple[int, int]) -> list[Evidence]:
    """Put the witnesses of each line side by side; without a recording, bytes stand where a want needs some."""
    file = place(pattern)
    by_line: dict[int, list[CompilerFact]] = defaultdict(list)
    for fact in facts(pattern, text):
        if fact.printed_at.file == file:
            by_line[fact.printed_at.line].append(fact)
    demanded = wants(pattern.example, go)
    records = {one.line: one for one in recording.lines} if recording is not None else {}
    found = []
    for line in sorted(by_line.keys() | demanded.keys() | records.keys()):
        want = demanded.get(line, Want())
        callees = (CalleeBytes(want.callee, "runtime.makeslice", BYTES),) if want.callee else ()
        assumed = LineRecord(line, direct=BYTES, callees=callees)
        seen = records.get(line, LineRecord(line)) if recording is not None else assumed
        site = Site(file, line, 0, f"line{line}", f"{MODULE}/{pattern.slug}")
        checks = [Position(file, line, column) for column in seen.checks]
        kept = [CompilerFact(FactKind.BOUNDS, at, "", site.package, "isSliceInBounds", "", at) for at in checks]
        found.append(Evidence(site, (*by_line.get(line, ()), *kept), seen.direct, seen.callees, calls=seen.calls))
    return found


def judged(
    pattern: Pattern, text: str, go: tuple[int, int], *, source: bool = True, recording: Recording | None = None
) -> dict[int, list[Finding]]:
    """Return the findings by line; lines whose want needs a profile get the bytes that were measured."""
    return judge_example(pattern, evidence(pattern, text, recording, go), go, source=source)


def failed(pattern: Pattern, text: str, go: tuple[int, int], recording: Recording) -> list[str]:
    """Return the wants that do not hold of what was recorded."""
    seen = evidence(pattern, text, recording, go)
    return [str(one) for one in failures(pattern, judge_example(pattern, seen, go), seen, go)]
