"""Compiles a program before and after the cut of a root, and compares what is on the heap with what was promised."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.sources import SourceFiles
from whyheap.errors import WhyheapError
from whyheap.escape_graph.graph import EscapeGraph
from whyheap.escape_graph.hooks import Hook
from whyheap.escape_graph.roots import hang
from whyheap.host.files import write_atomically
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.lab.cut.cutter import Cutter, UncuttableError
from whyheap.lab.cut.edits import Edits, old_column, ways_back
from whyheap.lab.cut.tree import Tree
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding
from whyheap.model.root import Root, RootKind
from whyheap.model.scan import Scan
from whyheap.parse.go_signature import GoSource, Signature
from whyheap.parse.go_symbol import split_symbol
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

LAUNDER = Path(__file__).with_name("launder.go.txt")
_VERSION = re.compile(r"go(\d+)\.(\d+)")
_BESIDE = "zz_whycut.go"
Place = tuple[str, int, int]
"""File, line and column of a heap value."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cut did. `kept` were promised and are still on the heap, `extra` left it without being promised.

    `fresh` are on the heap only since the cut. `problem` says why nothing was cut or compiled, empty otherwise.
    """

    root: Root
    promised: Counter[Place]
    kept: Counter[Place]
    extra: Counter[Place]
    fresh: Counter[Place]
    problem: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the promised sites, and only those, have left the heap."""
        return not self.problem and not self.kept and not self.extra


class Proof:
    """A program, its roots, and cuts in it."""

    def __init__(self, go: GoTool, folder: Path, patterns: Sequence[str], work: Path) -> None:
        """Compile the packages as they are; `work` is a folder for overlays."""
        self._go = go
        self._options = ScanOptions(folder, tuple(patterns))
        self._work = work
        self.scan = compile_packages(go, self._options).load()
        self.sources = SourceFiles(self.scan)
        self.graph = EscapeGraph(self.scan, self.sources)
        hanging = hang(_findings(self.scan, self.sources), self.graph)
        self.findings, self.roots = hanging.findings, hanging.roots
        self._held_twice = hanging.held_twice
        self._hooks: dict[str, tuple[Hook, list[int]]] = {}
        for finding in self.findings:
            for fact in finding.facts:
                number = self.graph.number_of(fact)
                if finding.root is not None and number is not None:
                    hook, last = self.graph.hook_of(number)
                    self._hooks.setdefault(finding.root, (hook, []))[1].append(last)

    def promised(self, root: Root) -> Counter[Place]:
        """Return the places of the values under a root."""
        return _places(one for one in self.findings if one.root == root.id and one.id not in self._held_twice)

    def cut(self, root: Root) -> Outcome:
        """Cut a root, compile, compare."""
        hook, last = self._hooks[root.id]
        promised = self.promised(root)
        nothing: Counter[Place] = Counter()
        cutter = Cutter(self.graph, self.sources, self._signatures(hook))
        try:
            edits = cutter.cut(hook, sorted(set(last)))
            after = self._after(edits, cutter.trees)
        except (UncuttableError, WhyheapError) as problem:
            return Outcome(root, promised, nothing, nothing, nothing, str(problem))
        before = _places(self.findings)
        expected = before - promised
        kept = Counter({at: min(count, promised[at]) for at, count in (after - expected).items() if at in promised})
        extra, fresh = _paired(expected - after, (after - before) - kept)
        return Outcome(root, promised, kept, extra, fresh)

    def _after(self, edits: Edits, trees: dict[str, Tree]) -> Counter[Place]:
        """Return where values are on the heap after the edits, in the columns of the text before."""
        overlay = self._overlay(edits)
        flags = f"{self._go.env.get('GOFLAGS', os.environ.get('GOFLAGS', ''))} -overlay={overlay}".strip()
        go = GoTool(self._go.command, {**self._go.env, "GOFLAGS": flags})
        compiled = compile_packages(go, self._options)
        if compiled.failure is not None:
            raise compiled.failure
        scan = compiled.load()
        back = ways_back(edits, trees)
        findings = _findings(scan, SourceFiles(self.scan))
        places: Counter[Place] = Counter()
        for file, line, column in _places(findings).elements():
            old = (file, line, old_column(back.get((file, line), []), column))
            places[(file, *edits.moved[old]) if old in edits.moved else old] += 1
        return Counter({place: count for place, count in places.items() if not place[0].endswith(_BESIDE)})

    def _overlay(self, edits: Edits) -> Path:
        folders = {file: package.folder for package in self.scan.packages for file in package.files}
        replaced: dict[str, str] = {}
        for number, file in enumerate(edits.files):
            text = self.sources[file]
            new = self._work / f"cut-{number}.go"
            new.write_text(edits.applied(file, text), encoding="utf-8", errors="surrogateescape")
            folder = folders[file]
            replaced[str(Path(folder, file.rpartition("/")[2]))] = str(new)
            beside = self._work / f"beside-{number}.go"
            beside.write_text(
                f"package {_package_clause(text)}\n\n{LAUNDER.read_text(encoding='utf-8')}", encoding="utf-8"
            )
            replaced[str(Path(folder, _BESIDE))] = str(beside)
        overlay = self._work / "overlay.json"
        write_atomically(overlay, json.dumps({"Replace": replaced}).encode())
        return overlay

    def _signatures(self, hook: Hook) -> dict[str, Signature]:
        """Read what a function outside the scan declares."""
        if hook.kind is not RootKind.CALLEE:
            return {}
        package, function = split_symbol(hook.function)
        listed = self._go.run(["list", "-f", "{{.Dir}}", package or "."], self._options.folder)
        folder = Path(listed.stdout.strip())
        if listed.returncode or not package or not folder.is_dir():
            return {}
        for file in sorted(folder.glob("*.go")):
            found = GoSource(file.read_text(encoding="utf-8", errors="replace")).declared(function)
            if found is not None:
                return {hook.function: found}
        return {}


def _findings(scan: Scan, sources: SourceFiles) -> list[Finding]:
    """Return what is on the heap, one finding for each place and expression."""
    return judge(join(scan, None).evidence, Context(go_numbers(scan.go), sources))


def _places(findings: Iterable[Finding]) -> Counter[Place]:
    places: Counter[Place] = Counter()
    for finding in findings:
        count = sum(fact.kind is FactKind.HEAP for fact in finding.facts)
        if count:
            places[finding.site.file, finding.site.line, finding.site.column] += count
    return places


def go_numbers(version: str) -> tuple[int, int]:
    """Turn `go1.27.3` into (1, 27); (0, 0) when it does not say."""
    found = _VERSION.search(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _paired(extra: Counter[Place], fresh: Counter[Place]) -> tuple[Counter[Place], Counter[Place]]:
    """Take out of both what is one value: the compiler gives a column at one time and none at another."""
    for place in list(extra):
        for other in [one for one in fresh if one[:2] == place[:2] and 0 in {one[2], place[2]}]:
            both = min(extra[place], fresh[other])
            extra[place] -= both
            fresh[other] -= both
    return +extra, +fresh


def _package_clause(text: str) -> str:
    for line in text.splitlines():
        if line.startswith("package "):
            return line.split()[1]
    raise UncuttableError("the file has no package clause")
