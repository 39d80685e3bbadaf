"""Believable reports to render: oomshop as in UX.md's mock, and its variants (static, healthy, huge, hostile).

Run as a script it writes one page for each: `python tests/report/sample_report.py DIRECTORY`.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

from report import memory_sample
from whyheap.model.evidence import Agreement, CalleeBytes
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Certainty, Finding, Fix, FixKind
from whyheap.model.gauge import Gap, Gauge
from whyheap.model.measure import Measure
from whyheap.model.report import EntryPoint, FlameNode, Report, Totals
from whyheap.model.site import Position, Site
from whyheap.model.verdict import CauseVerdict, Statement, Verdict

SOURCES = Path(__file__).parent / "testdata" / "oomshop"
PACKAGE = "example.com/oomshop"
MIB = 1 << 20
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
    findings = (
        _global_store(),
        *_render_row(),
        _append_growth(),
        _concatenation(),
        *_small_findings(),
    )
    return Report(
        targets=("./...", "http://127.0.0.1:6060"),
        go="go1.27.3",
        verdict=_verdict(),
        findings=findings,
        entry_points=(
            EntryPoint(f"{PACKAGE}.handleOrders", "http", _mib(28, 61 * 30)),
            EntryPoint(f"{PACKAGE}.handlePage", "http", _mib(240, 33 * 30)),
            EntryPoint(f"{PACKAGE}.refresh", "goroutine", _mib(9, 9 * 30)),
        ),
        gauges=_gauges(),
        gaps=(
            Gap("kernel", "no cgroup of pid 4242 is visible from here", "Run on the node, or add pid:4242."),
            Gap("profile", "the deployed build is of revision 4be1c2a, the checkout is 2 commits ahead", ""),
        ),
        totals=Totals(
            heap_sites=214,
            packages=9,
            profile=_mib(283, 105 * 30),
            explained=_mib(276, 103 * 30),
            ranked_by="inuse",
            window_seconds=WINDOW_SECONDS,
        ),
        flame=_flame(),
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
    template = _render_row()[0]
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
    leaves = tuple(FlameNode(name, name, 1 + index, name, _mib(10, 100)) for index, name in enumerate(HOSTILE_NAMES))
    bad = HOSTILE_NAMES[0]
    return replace(
        base,
        targets=HOSTILE_NAMES,
        go=bad,
        title=HOSTILE_NAMES[1],
        findings=findings,
        entry_points=tuple(EntryPoint(name, name[:20], _mib(10, 100)) for name in HOSTILE_NAMES),
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
        flame=FlameNode(bad, bad, 1, bad, _mib(10 * len(leaves), 100 * len(leaves)), leaves),
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
        measure=_mib(10 - index, 100),
        callees=(CalleeBytes(name, name, _mib(1, 1)),),
        fixes=(Fix(name, FixKind.JUDGEMENT),),
        labels={name: name},
    )


def _mib(inuse: float, alloc: float) -> Measure:
    return Measure(int(inuse * MIB), int(inuse * 900), int(alloc * MIB), int(alloc * 20_000))


def _site(file: str, line: int, column: int, function: str) -> Site:
    return Site(file, line, column, function, PACKAGE)


def _fact(site: Site, subject: str, message: str, *flow: Flow) -> CompilerFact:
    return CompilerFact(FactKind.HEAP, site.position, site.function, PACKAGE, message, subject, site.position, (), flow)


def _flow(to: str, from_: str, file: str, *steps: tuple[str, str, int, int]) -> Flow:
    return Flow(to, from_, tuple(FlowStep(expr, reason, file, line, column) for expr, reason, line, column in steps))


def _global_store() -> Finding:
    site = _site("cache.go", 41, 7, "(*Cache).fill")
    fact = _fact(
        site,
        "&Page{...}",
        "&Page{...} escapes to heap",
        _flow(
            "p",
            "&{storage for &Page{...}}",
            "cache.go",
            ("&Page{...}", "spill", 41, 7),
            ("p := &Page{...}", "assign", 41, 4),
        ),
        _flow("{heap}", "p", "cache.go", ("pageCache[key] = p", "assign", 43, 17)),
    )
    return Finding(
        id="3f9a01c2",
        pattern="global-store",
        site=site,
        subject="&Page{...}",
        message="stored in a package-level map",
        certainty=Certainty.STATED,
        agreement=Agreement.AGREE,
        facts=(fact,),
        calls=(AllocatorCall(site, "runtime.newobject", "main.Page", 0x5A3C40),),
        measure=_mib(201, 1.9 * 30),
        fixes=(Fix("bound the cache: it only grows", FixKind.JUDGEMENT),),
    )


def _render_row() -> tuple[Finding, Finding]:
    boxing_site = _site("render.go", 88, 37, "renderRow")
    boxing = _fact(
        boxing_site,
        "n",
        "n escapes to heap",
        _flow(
            "{storage for ... argument}",
            "&{storage for n}",
            "render.go",
            ("n", "spill", 88, 37),
            ("... argument", "slice-literal-element", 88, 30),
        ),
        _flow(
            "{heap}",
            "{storage for ... argument}",
            "render.go",
            ("... argument", "spill", 88, 30),
            ('fmt.Sprintf("%d", ... argument...)', "call parameter", 88, 30),
        ),
    )
    sum_site = _site("render.go", 88, 17, "renderRow")
    text = 'padding + fmt.Sprintf("%d", ... argument...)'
    concatenation = _fact(
        sum_site,
        text,
        f"{text} escapes to heap",
        _flow(
            "~r0",
            f"&{{storage for {text}}}",
            "render.go",
            (text, "spill", 88, 17),
            (f"return {text}", "return", 88, 2),
        ),
    )
    total = _mib(18, 61 * 30)
    first = Finding(
        id="77b0de11",
        pattern="variadic-any",
        site=boxing_site,
        subject="n",
        message="boxed into ...any for fmt.Sprintf",
        certainty=Certainty.MEASURED,
        agreement=Agreement.AGREE,
        facts=(boxing,),
        calls=(
            AllocatorCall(boxing_site, "runtime.convT64", "int", 0x5A4011),
            AllocatorCall(boxing_site, "fmt.Sprintf", "", 0x5A4033),
        ),
        measure=total,
        callees=(
            CalleeBytes("fmt.Sprintf", "fmt.Sprintf", _mib(12, 41 * 30)),
            CalleeBytes("fmt.Sprintf", "fmt.newPrinter.func1", _mib(1, 2 * 30)),
        ),
        shared_with=("77b0de12",),
        fixes=(
            Fix('fmt.Sprintf("%d", n) -> strconv.Itoa(n)', FixKind.MECHANICAL),
            Fix("append to the caller's buffer with strconv.AppendInt", FixKind.JUDGEMENT),
        ),
    )
    second = Finding(
        id="77b0de12",
        pattern="string-concatenation",
        site=sum_site,
        subject=text,
        message="two strings are joined with +",
        certainty=Certainty.MEASURED,
        agreement=Agreement.AGREE,
        facts=(concatenation,),
        measure=total,
        shared_with=("77b0de11",),
        fixes=(Fix("write both parts to the strings.Builder that renderPage has", FixKind.MECHANICAL),),
    )
    return first, second


def _append_growth() -> Finding:
    site = _site("orders.go", 30, 15, "collect")
    fact = _fact(
        site,
        "append(out, row)",
        "append escapes to heap",
        _flow(
            "out",
            "&{storage for append(out, row)}",
            "orders.go",
            ("append(out, row)", "spill", 30, 15),
            ("out = append(out, row)", "assign", 30, 7),
        ),
        _flow("~r0", "out", "orders.go", ("return out", "return", 32, 2)),
    )
    return Finding(
        id="c0ffee30",
        pattern="append-growth",
        site=site,
        subject="append(out, row)",
        message="slice grows 17 times by append",
        certainty=Certainty.MEASURED,
        agreement=Agreement.AGREE,
        facts=(fact,),
        measure=_mib(9, 22.4 * 30),
        fixes=(Fix("var out []Row -> out := make([]Row, 0, len(ids))", FixKind.MECHANICAL),),
    )


def _concatenation() -> Finding:
    site = _site("render.go", 61, 0, "join")
    return Finding(
        id="d00d0061",
        pattern="string-concatenation",
        site=site,
        subject="text += row.Name",
        message="+= in a loop",
        certainty=Certainty.MEASURED,
        agreement=Agreement.ALLOCATES_SILENTLY,
        calls=(AllocatorCall(site, "runtime.concatstring2", "", 0x5A4201),),
        measure=_mib(2, 9.8 * 30),
        fixes=(Fix("collect into a strings.Builder", FixKind.MECHANICAL),),
    )


def _small_findings() -> tuple[Finding, ...]:
    rows = (
        ("main.go", 9, 41, "handlePage", "string-conversion", "bytes are copied into a string", 1.1, 60.0),
        ("main.go", 10, 25, "handlePage", "string-conversion", "a string is copied into bytes", 0.9, 48.0),
        ("orders.go", 29, 37, "collect", "string-concatenation", "two strings are joined with +", 0.6, 21.0),
        ("render.go", 34, 18, "chunk", "append-growth", "slice grows by append", 0.5, 15.0),
        ("render.go", 41, 34, "title", "closure-by-reference", "captured by a closure that escapes", 0.0, 4.0),
        ("render.go", 19, 15, "renderPage", "string-conversion", "the built string is copied into bytes", 0.0, 0.0),
        ("cache.go", 16, 17, "init", "map-storage", "a map that lives as long as the program", 0.2, 0.2),
    )
    return tuple(
        Finding(
            id=f"5a{index:06d}",
            pattern=pattern,
            site=_site(file, line, column, function),
            subject="",
            message=message,
            certainty=Certainty.INFERRED if index == 4 else Certainty.STATED,
            agreement=Agreement.NEVER_ALLOCATES if alloc == 0 else Agreement.AGREE,
            measure=_mib(inuse, alloc),
        )
        for index, (file, line, column, function, pattern, message, inuse, alloc) in enumerate(rows)
    )


def _verdict() -> Verdict:
    return Verdict(
        (
            CauseVerdict(
                cause="live-heap-growth",
                certainty=Certainty.MEASURED,
                bytes=201 * MIB,
                share=0.71,
                summary="live heap grows 3.1 MiB/s: the limit is reached in about 75 s (60-95 s)",
                evidence=(
                    Statement(
                        "cache.go:41 holds 201 MiB, 71 % of the live heap",
                        Certainty.MEASURED,
                        _site("cache.go", 41, 7, "(*Cache).fill"),
                    ),
                    Statement(
                        "it is stored in main.pageCache, which only grows",
                        Certainty.STATED,
                        _site("cache.go", 43, 17, "(*Cache).fill"),
                    ),
                ),
                advice=("bound the cache: it only grows", "GOMEMLIMIT=900MiB buys about 40 s, not a cure"),
            ),
            CauseVerdict(
                cause="gc-headroom",
                certainty=Certainty.MEASURED,
                bytes=283 * MIB,
                share=0.28,
                summary="GOGC=100: the heap may double before it is collected, 566 MiB now",
                evidence=(Statement("GOGC is 100 and GOMEMLIMIT is not set", Certainty.STATED),),
                advice=("set GOMEMLIMIT to 90 % of the container's limit",),
            ),
        )
    )


def _gauges() -> tuple[Gauge, ...]:
    heap = [190.0, 199.5, 207.1, 218.9, 231.0, 240.2, 249.9, 263.4, 271.0, 283.0]
    rss = [410.0, 421.0, 433.0, 452.0, 470.0, 489.0, 497.0, 520.0, 541.0, 566.0]
    gauges = [
        Gauge(name, value * MIB, "bytes", f"2026-01-05T03:00:{second:02d}Z")
        for name, values in (("heap_alloc", heap), ("rss", rss))
        for second, value in zip(range(0, 30, 3), values, strict=True)
    ]
    at = "2026-01-05T03:00:30Z"
    return (
        *gauges,
        Gauge("container_limit", 1024 * MIB, "bytes", at),
        Gauge("heap_goal", 566 * MIB, "bytes", at),
        Gauge("goroutines", 1234, "count", at),
        Gauge("gc_cpu", 0.083, "share", at),
        Gauge("gogc", 100, "count", at),
        Gauge("num_gc", 412, "count", at),
    )


def _flame() -> FlameNode:
    def node(name: str, file: str, line: int, pattern: str, measure: Measure, *children: FlameNode) -> FlameNode:
        return FlameNode(name, file, line, pattern, measure, children)

    orders = node(
        f"{PACKAGE}.handleOrders",
        "orders.go",
        22,
        "",
        _mib(11, 33 * 30),
        node(
            f"{PACKAGE}.collect",
            "orders.go",
            30,
            "append-growth",
            _mib(9, 22.4 * 30),
            node("runtime.growslice", "runtime/slice.go", 178, "", _mib(9, 22.4 * 30)),
        ),
        node(
            f"{PACKAGE}.join",
            "render.go",
            61,
            "string-concatenation",
            _mib(2, 9.8 * 30),
            node("runtime.concatstrings", "runtime/string.go", 50, "", _mib(2, 9.8 * 30)),
        ),
    )
    row = node(
        f"{PACKAGE}.renderRow",
        "render.go",
        88,
        "variadic-any",
        _mib(18, 61 * 30),
        node(
            "fmt.Sprintf",
            "fmt/print.go",
            239,
            "",
            _mib(13, 43 * 30),
            node("fmt.newPrinter", "fmt/print.go", 152, "", _mib(1, 2 * 30)),
        ),
        node("runtime.concatstrings", "runtime/string.go", 50, "", _mib(5, 18 * 30)),
    )
    fill = node(
        f"{PACKAGE}.(*Cache).fill",
        "cache.go",
        41,
        "global-store",
        _mib(240, 64 * 30),
        node(f"{PACKAGE}.renderPage", "render.go", 21, "", _mib(38, 62 * 30), row),
    )
    page = node(
        f"{PACKAGE}.handlePage",
        "main.go",
        8,
        "",
        _mib(243, 67 * 30),
        node(f"{PACKAGE}.(*Cache).Get", "cache.go", 34, "", _mib(240, 64 * 30), fill),
        node("runtime.slicebytetostring", "runtime/string.go", 81, "", _mib(3, 3 * 30)),
    )
    serve = node(
        "net/http.(*conn).serve",
        "net/http/server.go",
        2102,
        "",
        _mib(262, 101 * 30),
        node(
            "net/http.serverHandler.ServeHTTP",
            "net/http/server.go",
            3302,
            "",
            _mib(256, 100 * 30),
            node(
                "net/http.(*ServeMux).ServeHTTP",
                "net/http/server.go",
                2841,
                "",
                _mib(255, 100 * 30),
                node(
                    "net/http.HandlerFunc.ServeHTTP", "net/http/server.go", 2322, "", _mib(254, 100 * 30), page, orders
                ),
            ),
        ),
        node("bufio.NewWriterSize", "bufio/bufio.go", 605, "", _mib(6, 1 * 30)),
    )
    other = node("runtime.main", "runtime/proc.go", 290, "", _mib(12, 2 * 30))
    return node("all", "", 0, "", _mib(283, 105 * 30), serve, other)


SAMPLES = {
    "recorded": recorded,
    "oomshop": oomshop,
    "static": static_scan,
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
