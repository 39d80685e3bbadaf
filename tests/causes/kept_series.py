"""Made-up goroutines, lines and compiler's words, for the causes that say what keeps a growing heap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from causes.series import MIB
from whyheap.causes.history import LineGrowth
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.evidence import CalleeBytes
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep, GoroutineGroup
from whyheap.model.finding import Certainty, Finding
from whyheap.model.measure import Measure
from whyheap.model.root import Root, RootKind
from whyheap.model.site import Position, Site

SHOP = "example.com/shop"
SERVE = Site("net/http/server.go", 2157, 0, "(*conn).serve", "net/http")


def at(file: str, line: int, function: str, package: str = SHOP) -> Site:
    return Site(file, line, 0, function, package)


def rising(second: float) -> float:
    return (40 + 4 * second) * MIB


def with_goroutines(
    samples: Sequence[RuntimeSample], groups: Callable[[float], Sequence[GoroutineGroup]]
) -> tuple[RuntimeSample, ...]:
    """Give each moment these goroutines."""
    return tuple(
        replace(
            sample,
            goroutines=tuple(groups(sample.seconds)),
            values={**sample.values, "goroutines": float(sum(group.count for group in groups(sample.seconds)))},
        )
        for sample in samples
    )


def with_values(
    samples: Sequence[RuntimeSample], values: Callable[[float], Mapping[str, float]]
) -> tuple[RuntimeSample, ...]:
    """Give each moment these numbers besides its own."""
    return tuple(replace(sample, values={**sample.values, **values(sample.seconds)}) for sample in samples)


def grown(
    site: Site,
    mebibytes: float,
    *,
    pattern: str = "",
    reason: str = "",
    root: Root | None = None,
    allocated: float | None = None,
    objects: int = 0,
    callees: Mapping[str, tuple[float, int]] | None = None,
) -> LineGrowth:
    """Return a line that held nothing at first; `callees` are (MiB, objects) in use by the function called."""
    calls = tuple(
        CalleeBytes(symbol, symbol, Measure(int(size * MIB), count, 0, 0))
        for symbol, (size, count) in (callees or {}).items()
    )
    alloc = mebibytes if allocated is None else allocated
    return LineGrowth(site, 0, int(mebibytes * MIB), pattern, reason, root, int(alloc * MIB), objects, calls)


def callee(symbol: str) -> Root:
    return Root("r1", RootKind.CALLEE, None, symbol, "")


def found(site: Site, subject: str, *steps: tuple[str, str], pattern: str = "pointer-store") -> Finding:
    """Return a finding whose value reaches the heap by these steps; none for a silent one."""
    place = Position(site.file, site.line)
    flow = Flow("{heap}", "&x", tuple(FlowStep(text, reason, site.file, site.line, 1) for text, reason in steps))
    message = f"{subject} escapes to heap"
    fact = CompilerFact(FactKind.HEAP, place, site.function, site.package, message, subject, place, (), (flow,))
    facts = (fact,) if steps else ()
    return Finding(f"f{site.line}", pattern, site, subject, "kept", Certainty.STATED, facts=facts)
