"""What a job hands to the report room."""

from __future__ import annotations

from dataclasses import dataclass, field

from whyheap.model.account import MemoryAccount
from whyheap.model.event import Event
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gap, Gauge
from whyheap.model.measure import Measure
from whyheap.model.root import Root
from whyheap.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """The first user frame above net/http, gRPC or `go`; `kind` is "http", "grpc", "goroutine", "main" or "init"."""

    function: str
    kind: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class Totals:
    """Bytes counted once. `profile` is all that was sampled, `explained` what findings carry, the rest is unexplained.

    `ranked_by` is "inuse" or "alloc": the column that *_bytes in JSON refers to. RSS is None without that witness.
    `window_seconds` lie between the two profiles. `alloc_window_seconds` lie between the collections whose allocations
    the profiles show: what rates divide by. It is 0.0 when no collection showed any, None when it is not known.
    """

    heap_sites: int = 0
    packages: int = 0
    profile: Measure | None = None
    explained: Measure | None = None
    ranked_by: str = "inuse"
    rss_bytes: int | None = None
    rss_explained_bytes: int | None = None
    window_seconds: float | None = None
    alloc_window_seconds: float | None = None

    @property
    def rate_seconds(self) -> float | None:
        """What bytes allocated are divided by, None where they are since the process began."""
        return (self.alloc_window_seconds or self.window_seconds) if self.window_seconds else None

    @property
    def is_rate_least(self) -> bool:
        """Whether a rate is at least what it says: the window holds allocations that no collection has shown yet."""
        return bool(self.window_seconds) and not self.alloc_window_seconds


@dataclass(frozen=True, slots=True)
class FlameNode:
    """A frame of the merged call tree, root downwards. `pattern` is the finding's pattern at this frame, "" if none."""

    name: str
    file: str
    line: int
    pattern: str
    measure: Measure
    children: tuple[FlameNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answer. `verdict` is None when no runtime witness spoke; `sources` maps files to text, for excerpts.

    `in_repository` is the main module's folder in its git repository, with forward slashes; "" = its root or unknown.
    `account` is where memory went at the last moment that told enough, `timeline` the same at each moment, thinned to
    what can be drawn; `events` are in order of time.
    """

    targets: tuple[str, ...]
    go: str
    verdict: Verdict | None
    findings: tuple[Finding, ...]
    entry_points: tuple[EntryPoint, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    gaps: tuple[Gap, ...] = ()
    totals: Totals = field(default_factory=Totals)
    flame: FlameNode | None = None
    sources: dict[str, str] = field(default_factory=dict)
    title: str = ""
    roots: tuple[Root, ...] = ()
    events: tuple[Event, ...] = ()
    account: MemoryAccount | None = None
    timeline: tuple[MemoryAccount, ...] = ()
    in_repository: str = ""
