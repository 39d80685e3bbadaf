"""Believable reports to render: oomshop as in UX.md's mock, and its variants (static, healthy, huge, hostile).

Run as a script it writes one page for each: `python tests/report/sample_report.py DIRECTORY`.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

from report import memory_sample, oomshop_sample
from report.oomshop_sample import MIB, PACKAGE, mebibytes
from whyheap.model.evidence import CalleeBytes
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Certainty, Finding, Fix, FixKind
from whyheap.model.gauge import Gap, Gauge
from whyheap.model.measure import Measure
from whyheap.model.report import EntryPoint, FlameNode, Report, Totals
from whyheap.model.site import Position, Site
from whyheap.model.verdict import CauseVerdict, Statement, Verdict

SOURCES = Path(__file__).parent / "testdata" / "oomshop"
WINDOW_SECONDS = 30.0

HOSTILE_NAMES = (
    "<script>globalThis.hacked = 1</script>",
    '</script><img src=x onerror="globalThis.hacked = 2">',
    '"\'`&lt;quotes&amp;" onmouseover="globalThis.hacked = 3"',
    "safe\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{POP DIRECTIONAL FORMATTING}",
    "<!--<script>",
    "line\u2028and\u2029paragraph\x00\x1b[31mred",
    "lone\udc80surrogate",
    "{{7*7}}${7*7}__proto__",
    "very.long/" + "x" * 10_240,
)


def oomshop() -> Report:
    """Return the demo service under load: a cache that only grows, and three hot lines."""
    return Report(
        targets=("./...", "http://127.0.0.1:6060"),
        go="go1.27.3",
        verdict=oomshop_sample.verdict(),
        findings=oomshop_sample.findings(),
        entry_points=(
            EntryPoint(f"{PACKAGE}.handleOrders", "http", mebibytes(28, 61 * 30)),
            EntryPoint(f"{PACKAGE}.handlePage", "http", mebibytes(240, 33 * 30)),
            EntryPoint(f"{PACKAGE}.refresh", "goroutine", mebibytes(9, 9 * 30)),
        ),
        gauges=oomshop_sample.gauges(),
        gaps=(
            Gap("kernel", "no cgroup of pid 4242 is visible from here", "Run on the node, or add pid:4242."),
            Gap("profile", "the deployed build is of revision 4be1c2a, the checkout is 2 commits ahead", ""),
        ),
        totals=Totals(
            heap_sites=214,
            packages=9,
            profile=mebibytes(283, 105 * 30),
            explained=mebibytes(276, 103 * 30),
            ranked_by="inuse",
            window_seconds=WINDOW_SECONDS,
            alloc_window_seconds=WINDOW_SECONDS,
        ),
        flame=oomshop_sample.flame(),
        sources={path.name: path.read_text() for path in sorted(SOURCES.glob("*.go"))},
        title="oomshop",
    )


def static_scan() -> Report:
    """Return a scan without any runtime witness: no verdict, no bytes, no flame graph."""
    report = oomshop()
    return replace(
        report,
        targets=("./...",),
        verdict=None,
        findings=tuple(
            replace(finding, measure=None, callees=(), certainty=Certainty.STATED) for finding in report.findings
        ),
        entry_points=(),
        gauges=(),
        gaps=(),
        totals=Totals(heap_sites=214, packages=9),
        flame=None,
    )


def long_lines() -> Report:
    """Return oomshop with all views, and lines that are wider than the page's view of the source."""
    report = recorded()
    made = next(finding for finding in report.findings if finding.site.position.line == 41)
    copied = "append(make([]byte, pageSize), renderPage(key)...)"
    text = report.sources["cache.go"]
    text = text.replace("body := renderPage(key)", f"body := {copied}")
    text = text.replace(
        "Rendered: time.Now()}", "Rendered: time.Now(), Hits: len(pageCache) + countOfHits(key, c.size)}"
    )
    text = text.replace(
        "pageCache[key] = p", "pageCache[strings.ToLower(strings.TrimPrefix(key, prefixOfAllKeysOfPages))] = p"
    )
    buffer = replace(
        made,
        id="3f9a01c3",
        pattern="variable-size-make",
        site=replace(made.site, line=40, column=21),
        subject="make([]byte, 65536)",
        message="made with 64 KiB",
        facts=(),
        calls=(),
        fixes=(),
    )
    sources = {**report.sources, "cache.go": text}
    return replace(report, findings=(*report.findings, buffer), sources=sources)


def healthy() -> Report:
    """Return a service that was judged and found in order."""
    return replace(oomshop(), verdict=Verdict())


def empty() -> Report:
    """Return a report in which nothing was found."""
    return Report(targets=("./empty",), go="go1.27.3", verdict=None, findings=(), title="empty")


def recorded() -> Report:
    """Return oomshop's post-mortem: its memory over half an hour, and how it ended."""
    return replace(
        oomshop(),
        targets=("./...", "shop.whyheap"),
        gauges=memory_sample.gauges(),
        events=memory_sample.EVENTS,
        account=memory_sample.TIMELINE[-1],
        timeline=memory_sample.TIMELINE,
    )


def many_findings(count: int = 30_000) -> Report:
    """Return a static scan of a very large program."""
    rng = random.Random(7)  # noqa: S311  a repeatable sample, not a secret
    patterns = ("variadic-any", "interface-boxing", "append-growth", "returned-address", "map-storage", "global-store")
    template = oomshop_sample.findings()[1]
    findings = tuple(
        replace(
            template,
            id=f"f{index:06d}",
            pattern=rng.choice(patterns),
            site=Site(
                f"pkg{index % 90}/file{index % 700}.go", 1 + index % 4000, 7, f"fn{index % 5000}", f"x/pkg{index % 90}"
            ),
            measure=None,
            callees=(),
            shared_with=(),
            certainty=Certainty.STATED,
        )
        for index in range(count)
    )
    return replace(static_scan(), findings=findings, totals=Totals(heap_sites=count, packages=90), sources={})


def many_frames(count: int = 100_000, depth: int = 60) -> Report:
    """Return a report whose flame graph has `count` nodes, in stacks of up to `depth` frames."""
    rng = random.Random(11)  # noqa: S311  a repeatable sample, not a secret
    report = oomshop()
    patterns = sorted({finding.pattern for finding in report.findings})
    parents = [-1]
    depths = [0]
    for _ in range(count - 1):
        parent = rng.randrange(len(parents)) if rng.random() < 0.6 else len(parents) - 1
        while depths[parent] >= depth - 1:
            parent = parents[parent]
        parents.append(parent)
        depths.append(depths[parent] + 1)
    nodes: list[FlameNode] = []
    children: list[list[FlameNode]] = [[] for _ in parents]
    for index in range(count - 1, -1, -1):
        own = Measure(rng.randrange(1 << 16), 1, rng.randrange(1 << 20), 4)
        function = rng.randrange(8000)
        node = FlameNode(
            name=f"example.com/shop/pkg{function % 90}.(*Type{function}).Method",
            file=f"pkg{function % 90}/file{function % 700}.go",
            line=1 + function,
            pattern=rng.choice(patterns) if function % 5 == 0 else "",
            measure=sum((child.measure for child in children[index]), own),
            children=tuple(reversed(children[index])),
        )
        if index:
            children[parents[index]].append(node)
        nodes.append(node)
    root = replace(nodes[-1], name="root", file="", line=0, pattern="")
    return replace(report, flame=root, totals=replace(report.totals, profile=root.measure, explained=root.measure))


def hostile() -> Report:
    """Return a report in which every text that a target controls is an attack."""
    base = oomshop()
    findings = tuple(_hostile_finding(index, name) for index, name in enumerate(HOSTILE_NAMES))
    leaves = tuple(
        FlameNode(name, name, 1 + index, name, mebibytes(10, 100)) for index, name in enumerate(HOSTILE_NAMES)
    )
    bad = HOSTILE_NAMES[0]
    return replace(
        base,
        targets=HOSTILE_NAMES,
        go=bad,
        title=HOSTILE_NAMES[1],
        findings=findings,
        entry_points=tuple(EntryPoint(name, name[:20], mebibytes(10, 100)) for name in HOSTILE_NAMES),
        gauges=tuple(
            Gauge(name, float("nan") if index else 5.0, name, name) for index, name in enumerate(HOSTILE_NAMES)
        ),
        gaps=tuple(Gap(name, name, name) for name in HOSTILE_NAMES),
        verdict=Verdict(
            tuple(
                CauseVerdict(name, Certainty.INFERRED, MIB, 0.1, name, (Statement(name, Certainty.STATED),), (name,))
                for name in HOSTILE_NAMES
            )
        ),
        flame=FlameNode(bad, bad, 1, bad, mebibytes(10 * len(leaves), 100 * len(leaves)), leaves),
        sources={name: f"package p\n{name}\nvar x = 1\n" for name in HOSTILE_NAMES},
    )


def _hostile_finding(index: int, name: str) -> Finding:
    at = Position(name, 2, 1)
    fact = CompilerFact(
        FactKind.HEAP, at, name, name, name, name, at, (), (Flow(name, name, (FlowStep(name, name, name, 2, 3),)),)
    )
    return Finding(
        id=name,
        pattern=name,
        site=Site(name, 2, 1, name, name),
        subject=name,
        message=name,
        certainty=Certainty.STATED,
        facts=(fact,),
        calls=(AllocatorCall(Site(name, 2), name, name, 1),),
        measure=mebibytes(10 - index, 100),
        callees=(CalleeBytes(name, name, mebibytes(1, 1)),),
        fixes=(Fix(name, FixKind.JUDGEMENT),),
        labels={name: name},
    )


SAMPLES = {
    "recorded": recorded,
    "oomshop": oomshop,
    "static": static_scan,
    "long_lines": long_lines,
    "healthy": healthy,
    "empty": empty,
    "many_findings": many_findings,
    "many_frames": many_frames,
    "hostile": hostile,
}


if __name__ == "__main__":
    from whyheap.report.to_html import to_html

    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for sample_name, build in SAMPLES.items():
        (directory / f"{sample_name}.html").write_text(to_html(build()), encoding="utf-8")
