"""What causes judge: a process over a window, and what grew in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from whyheap.causes.live_heap import LiveHeap, gc_percent, live_heap, non_heap_bytes, root_bytes
from whyheap.causes.trend import Trend, evenly, judge_trend
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.goruntime.heap_goal import NO_GOAL_BYTES, Pacing
from whyheap.goruntime.standard_library import is_standard
from whyheap.model.account import MemoryAccount
from whyheap.model.event import Event, EventKind
from whyheap.model.evidence import CalleeBytes
from whyheap.model.finding import Finding
from whyheap.model.root import Root
from whyheap.model.site import Site
from whyheap.parse.source_path import spell_foreign

LEAST_RISE_BYTES = 1 << 20
"""Less live heap than this, gained in a window, is not called growth."""

LIMITED_RISE_SHARE = 0.2
"""Of the live heap, that it must rise by where the collector's CPU was limited."""


def locate_by_path(site: Site) -> tuple[Site, bool]:
    """Spell a frame without a scan: well-known prefixes are cut, and what is not standard library is the user's own."""
    own = not is_standard(site.package) and "@" not in site.file
    return replace(site, file=spell_foreign(site.file)), own


@dataclass(frozen=True, slots=True)
class LineGrowth:
    """Bytes in use that a user line holds, in two heap profiles: at the window's start and at its end.

    `reason` says why the value is kept, as a sentence without a full stop ("it is stored in main.cache"); `pattern` is
    the finding's slug; both are empty when unknown. `root` is the one edge that keeps the value on the heap, where the
    source was scanned. `allocated_bytes` were allocated in the window, `objects` are in use at its end, and `callees`
    are the calls through which the line allocates, with what is in use of each.
    """

    site: Site
    before_bytes: int
    after_bytes: int
    pattern: str = ""
    reason: str = ""
    root: Root | None = None
    allocated_bytes: int = 0
    objects: int = 0
    callees: tuple[CalleeBytes, ...] = ()

    @property
    def grown_bytes(self) -> int:
        """What came in the window."""
        return self.after_bytes - self.before_bytes

    @property
    def place(self) -> str:
        """File and line, without the column: bytes belong to whole lines."""
        return f"{self.site.file}:{self.site.line}"


@dataclass(frozen=True, slots=True)
class Limit:
    """The memory limit that the process runs under, and what counts against it now (reclaimable cache left out)."""

    bytes: float
    usage_bytes: float
    name: str
    is_container: bool


@dataclass(frozen=True)
class RuntimeHistory:
    """A process over a window: samples in order of time, and the lines whose bytes changed.

    `limit_name` says whose limit the samples' `container_limit` is ("cgroup v2 /shop"). `locate` spells a frame of a
    goroutine's stack as findings are spelled, and says whether it is the user's own code. `events` are in order of
    time; `account` is of the last moment that told enough for one. `pid` is the process's number where it is known.
    """

    samples: tuple[RuntimeSample, ...]
    growth: tuple[LineGrowth, ...] = ()
    limit_name: str = ""
    findings: Sequence[Finding] = ()
    locate: Callable[[Site], tuple[Site, bool]] = locate_by_path
    events: tuple[Event, ...] = ()
    account: MemoryAccount | None = None
    pid: int | None = None

    @cached_property
    def last(self) -> dict[str, float]:
        """The latest value of each gauge."""
        values: dict[str, float] = {}
        for sample in self.samples:
            values |= sample.values
        told = next((one.values for one in reversed(self.samples) if "heap_alloc" in one.values), values)
        if not 0 <= told.get("heap_goal", -1.0) < NO_GOAL_BYTES:
            values.pop("heap_goal", None)
        return values

    @cached_property
    def grown_lines(self) -> tuple[LineGrowth, ...]:
        """The user's lines that hold more than before, the fastest first; a line of std does not tell who keeps it."""
        grown = [line for line in self.growth if line.grown_bytes > 0 and not is_standard(line.site.package)]
        return tuple(sorted(grown, key=lambda line: (-line.grown_bytes, line.site)))

    @property
    def seconds(self) -> float:
        """The window."""
        return self.samples[-1].seconds - self.samples[0].seconds if self.samples else 0.0

    @cached_property
    def pacing(self) -> Pacing:
        """GOGC and GOMEMLIMIT; see `gogc_is_known`."""
        limit = self.last.get("memory_limit")
        return Pacing(gc_percent(self.samples)[0], None if limit is None else int(limit))

    @cached_property
    def gogc_is_known(self) -> bool:
        """Whether GOGC was told rather than assumed."""
        return gc_percent(self.samples)[1]

    @cached_property
    def live(self) -> LiveHeap:
        """The live heap after each collection."""
        return live_heap(self.samples, self.pacing)

    @cached_property
    def live_trend(self) -> Trend | None:
        """Whether the live heap grows; None when that cannot be told."""
        least = LEAST_RISE_BYTES
        if self.limiter_ran:  # what is allocated while it marks so slowly counts as live until the next collection
            least = max(least, int(LIMITED_RISE_SHARE * (self.live.bytes or 0.0)))
        return judge_trend(evenly(self.live.points), least)

    @cached_property
    def limiter_ran(self) -> bool:
        """Whether the runtime limited its collector's CPU in the window: /gc/limiter/last-enabled:gc-cycle."""
        first = next((each.values["num_gc"] for each in self.samples if "num_gc" in each.values), 0.0)
        return self.last.get("gc_limiter_cycle", 0.0) > max(first, 0.0)

    @property
    def alloc_rate(self) -> float | None:
        """Bytes allocated a second over the window; None for a single sample."""
        if self.seconds <= 0 or "total_alloc" not in self.samples[0].values:
            return None
        return (self.last["total_alloc"] - self.samples[0].values["total_alloc"]) / self.seconds

    @cached_property
    def stack_rate(self) -> float:
        """Bytes of stacks gained a second; they count beside the heap, and again in its goal."""
        points = [(each.seconds, each.values["stack_inuse"]) for each in self.samples if "stack_inuse" in each.values]
        trend = judge_trend(points, 0.0)
        return trend.slope.value if trend is not None and trend.grows else 0.0

    @cached_property
    def limit(self) -> Limit | None:
        """The container's limit, else the machine's memory, else None."""
        for limit, usage in (("container_limit", "container_usage"), ("machine_memory", "machine_usage")):
            if self.last.get(limit, 0.0) >= 1:  # none is of zero bytes
                is_container = limit == "container_limit"
                default = "the container" if is_container else "the machine's memory"
                return Limit(self.last[limit], self.last.get(usage, 0.0), self.limit_name or default, is_container)
        return None

    @property
    def beside_heap_bytes(self) -> float:
        """What counts against the limit besides heap objects: stacks, metadata, code, fragments, other processes."""
        mapped = self.last.get("heap_sys", 0.0) - self.last.get("heap_released", 0.0)
        fragments = self.last.get("heap_inuse", 0.0) - self.last.get("heap_alloc", 0.0)
        runtime = (
            self.last.get("stack_inuse", 0.0) + self.last.get("runtime_metadata", 0.0) / 2
        )  # about half is resident
        charged = self.limit.usage_bytes - mapped if self.limit else 0.0
        return max(charged, runtime) + max(fragments, 0.0)

    @property
    def touched_share(self) -> float:
        """How much of the memory that Go has mapped is resident, 0..1: what the program never wrote is not charged."""
        mapped = self.last.get("heap_sys", 0.0) - self.last.get("heap_released", 0.0)
        charged = self.limit.usage_bytes if self.limit else 0.0
        return min(charged / mapped, 1.0) if mapped >= 1 and charged >= 1 else 1.0

    @property
    def heap_room_bytes(self) -> float:
        """How large the heap's objects may get before the limit is reached; infinity without a limit."""
        if self.limit is None:
            return float("inf")
        return max(self.limit.bytes - self.beside_heap_bytes, 0.0) / self.touched_share

    @cached_property
    def needed_bytes(self) -> float | None:
        """What cannot be collected: live heap and all that counts beside it; None when the live heap is not known."""
        return None if self.live.bytes is None else self.live.bytes * self.touched_share + self.beside_heap_bytes

    @cached_property
    def usage(self) -> tuple[tuple[float, float], ...]:
        """What counted against the limit at each moment, as (seconds, bytes)."""
        names = ("container_usage", "rss")
        name = next((name for name in names if any(name in sample.values for sample in self.samples)), "")
        return tuple((each.seconds, each.values[name]) for each in self.samples if name in each.values)

    @cached_property
    def outside_trend(self) -> Trend | None:
        """Whether what is used beside Go's mapped memory grows; None when that cannot be told."""
        points = []
        for sample in self.samples:
            values = sample.values
            if {"sys", "container_usage"} <= values.keys():
                mapped = values["sys"] - values.get("heap_released", 0.0)
                points.append((sample.seconds, max(values["container_usage"] - mapped, 0.0)))
        return judge_trend(points, 4 * LEAST_RISE_BYTES)

    @cached_property
    def demand_grows(self) -> bool:
        """Whether what is needed, rather than garbage, was still growing: live heap, stacks, or what is beside Go."""
        trends = (self.live_trend, self.outside_trend)
        return self.stack_rate > 0 or any(trend is not None and trend.grows for trend in trends)

    @cached_property
    def was_killed(self) -> bool:
        """Whether the kernel or the orchestrator says that the process ended for want of memory."""
        begun = self.samples[0].at if self.samples else ""
        named = {event.labels.get("pid", "") for event in self.events if event.kind is EventKind.OOM_KILL}
        if self.pid is not None and named and str(self.pid) not in named | {""}:
            return False  # the kernel has said who it was: a neighbour
        return any(
            event.kind in (EventKind.OOM_KILL, EventKind.OOM_COUNTED)
            or (event.kind is EventKind.TERMINATED and event.labels.get("reason") == "OOMKilled")
            for event in self.events
            if event.at >= begun  # an earlier run's end says nothing of this one
        )

    @property
    def root_bytes(self) -> float:
        """Stacks, which the heap goal counts as well."""
        return root_bytes(self.last)

    @property
    def non_heap_bytes(self) -> float:
        """What counts against GOMEMLIMIT besides heap objects."""
        return non_heap_bytes(self.last)
