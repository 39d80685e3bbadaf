"""What a report of the demo service oomshop is made of: its findings, verdict, numbers and stacks."""

from __future__ import annotations

from whyheap.model.evidence import Agreement, CalleeBytes
from whyheap.model.facts import AllocatorCall, CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Certainty, Finding, Fix, FixKind
from whyheap.model.gauge import Gauge
from whyheap.model.measure import Measure
from whyheap.model.report import FlameNode
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict, Statement, Verdict

PACKAGE = "example.com/oomshop"
MIB = 1 << 20


def mebibytes(inuse: float, alloc: float) -> Measure:
    """Return a measure of so many MiB, with plausible numbers of objects."""
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
        measure=mebibytes(201, 1.9 * 30),
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
    total = mebibytes(18, 61 * 30)
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
            CalleeBytes("fmt.Sprintf", "fmt.Sprintf", mebibytes(12, 41 * 30)),
            CalleeBytes("fmt.Sprintf", "fmt.newPrinter.func1", mebibytes(1, 2 * 30)),
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
        measure=mebibytes(9, 22.4 * 30),
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
        measure=mebibytes(2, 9.8 * 30),
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
            measure=mebibytes(inuse, alloc),
        )
        for index, (file, line, column, function, pattern, message, inuse, alloc) in enumerate(rows)
    )


def findings() -> tuple[Finding, ...]:
    """Return what is found in oomshop, worst first."""
    return (_global_store(), *_render_row(), _append_growth(), _concatenation(), *_small_findings())


def verdict() -> Verdict:
    """Return why it runs out of memory."""
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


def gauges() -> tuple[Gauge, ...]:
    """Return half a minute of its numbers."""
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


def flame() -> FlameNode:
    """Return its stacks."""

    def node(name: str, file: str, line: int, pattern: str, measure: Measure, *children: FlameNode) -> FlameNode:
        return FlameNode(name, file, line, pattern, measure, children)

    orders = node(
        f"{PACKAGE}.handleOrders",
        "orders.go",
        22,
        "",
        mebibytes(11, 33 * 30),
        node(
            f"{PACKAGE}.collect",
            "orders.go",
            30,
            "append-growth",
            mebibytes(9, 22.4 * 30),
            node("runtime.growslice", "runtime/slice.go", 178, "", mebibytes(9, 22.4 * 30)),
        ),
        node(
            f"{PACKAGE}.join",
            "render.go",
            61,
            "string-concatenation",
            mebibytes(2, 9.8 * 30),
            node("runtime.concatstrings", "runtime/string.go", 50, "", mebibytes(2, 9.8 * 30)),
        ),
    )
    row = node(
        f"{PACKAGE}.renderRow",
        "render.go",
        88,
        "variadic-any",
        mebibytes(18, 61 * 30),
        node(
            "fmt.Sprintf",
            "fmt/print.go",
            239,
            "",
            mebibytes(13, 43 * 30),
            node("fmt.newPrinter", "fmt/print.go", 152, "", mebibytes(1, 2 * 30)),
        ),
        node("runtime.concatstrings", "runtime/string.go", 50, "", mebibytes(5, 18 * 30)),
    )
    fill = node(
        f"{PACKAGE}.(*Cache).fill",
        "cache.go",
        41,
        "global-store",
        mebibytes(240, 64 * 30),
        node(f"{PACKAGE}.renderPage", "render.go", 21, "", mebibytes(38, 62 * 30), row),
    )
    page = node(
        f"{PACKAGE}.handlePage",
        "main.go",
        8,
        "",
        mebibytes(243, 67 * 30),
        node(f"{PACKAGE}.(*Cache).Get", "cache.go", 34, "", mebibytes(240, 64 * 30), fill),
        node("runtime.slicebytetostring", "runtime/string.go", 81, "", mebibytes(3, 3 * 30)),
    )
    serve = node(
        "net/http.(*conn).serve",
        "net/http/server.go",
        2102,
        "",
        mebibytes(262, 101 * 30),
        node(
            "net/http.serverHandler.ServeHTTP",
            "net/http/server.go",
            3302,
            "",
            mebibytes(256, 100 * 30),
            node(
                "net/http.(*ServeMux).ServeHTTP",
                "net/http/server.go",
                2841,
                "",
                mebibytes(255, 100 * 30),
                node(
                    "net/http.HandlerFunc.ServeHTTP",
                    "net/http/server.go",
                    2322,
                    "",
                    mebibytes(254, 100 * 30),
                    page,
                    orders,
                ),
            ),
        ),
        node("bufio.NewWriterSize", "bufio/bufio.go", 605, "", mebibytes(6, 1 * 30)),
    )
    other = node("runtime.main", "runtime/proc.go", 290, "", mebibytes(12, 2 * 30))
    return node("all", "", 0, "", mebibytes(283, 105 * 30), serve, other)
