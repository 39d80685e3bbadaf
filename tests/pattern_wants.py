"""Reads the `// want` comments of an example.go, and judges an example from recorded compiler output."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.facts import CompilerFact
from whyheap.model.finding import Finding
from whyheap.model.measure import Measure
from whyheap.model.site import Site
from whyheap.parse.compiler_text import parse_block, split_blocks
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge
from whyheap.patterns.pattern import Pattern

FILE = "example.go"
BYTES = Measure(inuse_bytes=64, inuse_objects=1, alloc_bytes=640, alloc_objects=10)
_WANT = re.compile(r"// want (.+?)(?= // want|$)")


@dataclass
class Want:
    """What one line's comment demands of one Go version; `patterns` is empty for `want none`."""

    patterns: set[str] = field(default_factory=set)
    agreement: str = ""
    callee: str = ""

    def demand(self, key: str, value: str, where: str) -> None:
        """Take one word of a comment."""
        if key == "pattern":
            self.patterns.add(value)
        elif key == "agreement":
            self.agreement = value
        elif key == "callee":
            self.callee = value
        elif key not in {"none", "since", "until"}:
            raise ValueError(f"{where}: {key!r} is no word of a want comment")


def wants(text: str, go: tuple[int, int]) -> dict[int, Want]:
    """Return the wants by line that hold for a Go version."""
    found: dict[int, Want] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for comment in _WANT.findall(line):
            want = found.setdefault(number, Want())
            words = [word.partition("=") for word in comment.split()]
            bounds = {key: version(value) for key, _, value in words if key in {"since", "until"}}
            if not bounds.get("since", go) <= go or ("until" in bounds and go >= bounds["until"]):
                continue
            for key, _, value in words:
                want.demand(key, value, f"line {number}")
    return found


def version(text: str) -> tuple[int, int]:
    """Return "1.27.3" as (1, 27)."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def facts(recorded: str) -> list[CompilerFact]:
    """Parse recorded -m=2 text; every line must be understood."""
    found: list[CompilerFact] = []
    for block in split_blocks(recorded.splitlines()):
        parsed = parse_block(block, lambda path: Path(path).name)
        assert not parsed.unknown
        found += parsed.facts
    return found


def judged(pattern: Pattern, recorded: str, go: tuple[int, int], *, source: bool = True) -> dict[int, list[Finding]]:
    """Return the findings by line; lines whose want needs a profile get bytes, as a profile would give them."""
    by_line: dict[int, list[CompilerFact]] = defaultdict(list)
    for fact in facts(recorded):
        if fact.printed_at.file == FILE:
            by_line[fact.printed_at.line].append(fact)
    demanded = wants(pattern.example, go)
    evidence = []
    for line in sorted(by_line.keys() | demanded.keys()):
        want = demanded.get(line, Want())
        silent = want.agreement == "allocates-silently"
        callees = (CalleeBytes(want.callee, "runtime.makeslice", BYTES),) if want.callee else ()
        evidence.append(
            Evidence(
                Site(FILE, line, 0, f"line{line}", f"example.test/{pattern.slug}"),
                tuple(by_line.get(line, ())),
                direct=BYTES if silent else Measure(),
                callees=callees,
                profiled=silent or bool(callees),
            )
        )
    context = Context(go, {FILE: pattern.example} if source else {})
    found: dict[int, list[Finding]] = defaultdict(list)
    for finding in judge(evidence, context):
        found[finding.site.line].append(finding)
    return found
