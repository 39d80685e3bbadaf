"""Goroutines that pile up: blocked ones with one stack whose number grows, and what they keep.

Goroutines that net/http starts beside a request or an outgoing call go with its pile; they are no pile of their own:

| goroutine | beside | source, Go 1.22 to 1.27 |
|---|---|---|
| net/http.(*connReader).backgroundRead | a request that is served | net/http/server.go, startBackgroundRead |
| net/http.(*persistConn).readLoop, writeLoop | a call that waits for its answer | net/http/transport.go, dialConn |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.trend import Trend, judge_trend
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.goruntime.runtime_layout import LEAKED
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site, Stack
from whyheap.units import format_count, format_duration

LEAST_RISE = 10.0
"""Fewer goroutines than this, gained in a window, do not pile up."""
MOST_PILES = 50
SMALLEST_STACK_BYTES = 2048  # runtime/stack.go, stackMin
SERVED = "net/http.(*conn).serve"
ASKED = "net/http.(*persistConn).roundTrip"
CLIENT_READ = "net/http.(*connReader).backgroundRead"
REQUEST_ROOTS = frozenset(
    {
        SERVED,
        "net/http.(*http2serverConn).runHandler",  # net/http/h2_bundle.go, 1.22 to 1.26
        "net/http/internal/http2.(*serverConn).runHandler",  # net/http/internal/http2/server.go, 1.27
        "google.golang.org/grpc.(*Server).handleStream",
        "net/rpc.(*service).call",
        "github.com/valyala/fasthttp.(*workerPool).workerFunc",
    }
)
"""Functions under which a server runs the user's handler, once for each request or connection."""
_BESIDE = {
    CLIENT_READ: SERVED,
    "net/http.(*persistConn).readLoop": ASKED,
    "net/http.(*persistConn).writeLoop": ASKED,
}
_RUNNING = ("running", "runnable", "syscall")
_WRAPPER = re.compile(r"\.gowrap\d+$")  # cmd/compile/internal/typecheck, since 1.21
_CLOSURE = re.compile(r"(?:\.func\d+|\.gowrap\d+|\.\d+|-fm|-range\d+)+$")


@dataclass(frozen=True, slots=True)
class Pile:
    """Blocked goroutines with one stack whose number grows, or many of which the runtime found leaked.

    `own` are the user's frames, innermost first; `beside` is how many goroutines of net/http go with them; `leaked` how
    many a leak profile found, and where these do not grow, or not enough was seen to tell, `trend` is None.
    """

    group: GoroutineGroup
    trend: Trend | None
    own: tuple[Site, ...]
    leaf: Site
    beside: int = 0
    leaked: int = 0

    @property
    def per_second(self) -> float:
        """How many more there are each second."""
        return self.trend.slope.value if self.trend else 0.0

    @property
    def blocked_at(self) -> Site:
        """The user's line that waits; the leaf where there is none."""
        return self.own[0] if self.own else self.leaf

    @property
    def rise_words(self) -> str:
        """How many more there are than at first (", 40 more in 10 s"); "" when they do not grow."""
        if self.trend is None:
            return ""
        return f", {format_count(self.trend.rise)} more in {format_duration(self.trend.seconds)}"

    @property
    def count(self) -> int:
        """How many there are, those beside them included."""
        return self.group.count + self.beside

    @property
    def symbols(self) -> frozenset[str]:
        """The functions on the stack."""
        return frozenset(site.symbol for site in self.group.stack)

    @property
    def entry(self) -> Site:
        """The user's function in which each began; the compiler's wrapper around a go statement's call is left out."""
        written = [site for site in self.own if not _WRAPPER.search(site.function)]
        return written[-1] if written else self.group.stack[-1]

    @property
    def is_request(self) -> bool:
        """Whether each is a request that a server is handling: the user's code runs under the server's."""
        return bool(self.own) and not self.symbols.isdisjoint(REQUEST_ROOTS)


def piles(history: RuntimeHistory) -> tuple[Pile, ...]:
    """Return what piles up, the fastest first, then what is leaked and does not grow, the most first."""
    with_stacks = samples_with_stacks(history)
    if not with_stacks:
        return ()
    counts = [(sample.seconds, _counts(sample.goroutines)) for sample in with_stacks]
    found = []
    for group, leaked in _by_stack(with_stacks[-1].goroutines):
        if not group.stack or group.state in _RUNNING or group.count < LEAST_RISE:
            continue
        points = [(seconds, float(by_stack.get(group.stack, 0))) for seconds, by_stack in counts]
        trend = judge_trend(points, LEAST_RISE)
        if trend is not None and not trend.grows:
            trend = None
        if trend is not None or leaked >= LEAST_RISE:
            located = [history.locate(site) for site in group.stack]
            own = tuple(site for site, is_own in located if is_own)
            found.append(Pile(group, trend, own, located[0][0], leaked=leaked))
    return _with_companions(sorted(found, key=lambda pile: (-pile.per_second, -pile.count))[:MOST_PILES])


def _by_stack(groups: Iterable[GoroutineGroup]) -> list[tuple[GoroutineGroup, int]]:
    """Join groups with one stack, in the state of most of them; with how many of them were found leaked."""
    joined: dict[Stack, tuple[GoroutineGroup, int]] = {}
    for group in sorted(groups, key=lambda group: -group.count):
        is_leaked = group.state.endswith(LEAKED)
        leaked = group.count if is_leaked else 0
        if group.stack in joined:
            first, so_far = joined[group.stack]
            joined[group.stack] = replace(first, count=first.count + group.count), so_far + leaked
        else:
            joined[group.stack] = replace(group, state=group.state.removesuffix(LEAKED)), leaked
    return list(joined.values())


def samples_with_stacks(history: RuntimeHistory) -> list[RuntimeSample]:
    """Return the samples in which goroutines were read."""
    return [sample for sample in history.samples if sample.goroutines]


def _with_companions(found: Sequence[Pile]) -> tuple[Pile, ...]:
    """Put the goroutines that net/http starts beside others with those, where these pile up as well."""
    beside: dict[int, int] = {}
    kept: list[Pile] = []
    for pile in found:
        partner = _BESIDE.get(pile.group.stack[-1].symbol)
        others = (at for at, one in enumerate(found) if one is not pile and one.own and partner in one.symbols)
        leader = next(others, None) if partner else None
        if leader is None:
            kept.append(pile)
        else:
            beside[leader] = beside.get(leader, 0) + pile.group.count
    return tuple(replace(pile, beside=beside.get(at, 0)) for at, pile in enumerate(found) if pile in kept)


def _counts(groups: Iterable[GoroutineGroup]) -> dict[Stack, int]:
    counts: dict[Stack, int] = {}
    for group in groups:
        counts[group.stack] = counts.get(group.stack, 0) + group.count
    return counts


def stack_bytes_each(history: RuntimeHistory) -> float:
    """Return what one goroutine's stack takes: by how stack memory rose with their number, at least the minimum."""
    first = next((sample.values for sample in history.samples if "goroutines" in sample.values), {})
    more = history.last.get("goroutines", 0.0) - first.get("goroutines", 0.0)
    if more <= 0:
        return SMALLEST_STACK_BYTES
    grown = history.last.get("stack_inuse", 0.0) - first.get("stack_inuse", 0.0)
    return max(grown / more, SMALLEST_STACK_BYTES)


def heap_bytes_each(history: RuntimeHistory, goroutines_per_second: float) -> float:
    """Return how many bytes the live heap gains with each goroutine, when both grow."""
    trend = history.live_trend
    return trend.slope.value / goroutines_per_second if trend is not None and trend.grows else 0.0


def lines_of(history: RuntimeHistory, found: Sequence[Pile]) -> list[LineGrowth]:
    """Return the growing lines that allocate for these goroutines."""
    functions = {
        (site.package, name)
        for pile in found
        for site in pile.own
        for name in (site.function, enclosing(site.function))
        if name != "main"
    }
    roots = REQUEST_ROOTS if any(pile.is_request for pile in found) else frozenset[str]()
    return [
        line
        for line in history.grown_lines
        if (line.site.package, line.site.function) in functions
        or sum(one.measure.inuse_bytes for one in line.callees if one.callee in roots) * 2 > line.after_bytes
    ]


def enclosing(function: str) -> str:
    """Return the function that a closure stands in: `(*T).M.func1.2` -> `(*T).M`."""
    return _CLOSURE.sub("", function)
