"""Witness: the runtime. Numbers and goroutines of a Go service over a window, through net/http/pprof.

What it costs the target, per sample: one `heap?debug=1` (stops the world for some ten microseconds to read MemStats,
then formats the profile) and, rarer when it is slow, one `goroutine?debug=1` (stops the world while stacks are noted,
about 1 us a goroutine). Sampling slows down by itself so that each takes at most 2 % of the time: see series.py. Never
asked for: `?gc=1` and `debug=2`, which force a collection or stop the world for long; `goroutineleak` only where the
user asks for it (leak_profile.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from whyheap.collect.local_process import LocalProcess, find_local_process
from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries, values_from_memstats
from whyheap.collect.series import CHEAP_SHARE, observe
from whyheap.errors import FormatError, TargetError
from whyheap.host.procfs import PROC
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap
from whyheap.parse.expvar import parse_expvar
from whyheap.parse.goroutine_names import parse_frame_names
from whyheap.parse.goroutine_text import UNCERTAIN_STATES, parse_goroutine_total, parse_goroutines
from whyheap.parse.heap_text import parse_memstats
from whyheap.parse.prometheus_text import parse_prometheus

if TYPE_CHECKING:
    from whyheap.collect.census import Census

WITNESS = "runtime"
TIMEOUT_SECONDS = 10.0
EXTRA_TIMEOUT_SECONDS = 3.0
MOST_NAME_READS = 3

Fetch = Callable[[str, float], bytes]
"""Gets a path below the base URL ("/debug/pprof/heap?debug=1") within seconds; raises TargetError."""

_HEAP = "/debug/pprof/heap?debug=1"
_PROFILE = "/debug/pprof/heap"
_STACKS = "/debug/pprof/goroutine?debug=1"
_STACK_NAMES = "/debug/pprof/goroutine"
_COMMAND_LINE = "/debug/pprof/cmdline"
_METRICS = "/metrics"
_EXPVAR = "/debug/vars"
_FROM_METRICS = {
    "go_goroutines": "goroutines",
    "go_threads": "threads",
    "process_resident_memory_bytes": "rss",
    "go_gc_gogc_percent": "gogc",
    "go_gc_gomemlimit_bytes": "memory_limit",
    # the names that client_golang makes of runtime/metrics' (prometheus/collectors, GoRuntimeMetricsRule)
    "go_gc_heap_live_bytes": "heap_marked",
    "go_gc_limiter_last_enabled_gc_cycle": "gc_limiter_cycle",
    "go_gc_scan_globals_bytes": "globals_scan",
    "go_gc_scan_stack_bytes": "stack_scan",
    "go_gc_finalizers_queued_finalizers_total": "finalizers_queued",
    "go_gc_finalizers_executed_finalizers_total": "finalizers_executed",
    "go_gc_cleanups_queued_cleanups_total": "cleanups_queued",
    "go_gc_cleanups_executed_cleanups_total": "cleanups_executed",
}
_CHEAP_METRICS_SECONDS = 0.05
_NO_MEMORY_LIMIT_BYTES = 2.0**62


class RuntimeWitness:
    """Reads one service repeatedly. Remembers which endpoints answer, and what each costs."""

    def __init__(self, base_url: str, fetch: Fetch, *, proc: Path = PROC, spell: Callable[[str], str] = str) -> None:
        """`spell` turns source files into the contract's spelling."""
        self._base_url = base_url
        self._fetch = fetch
        self._proc = proc
        self._spell = spell
        self._started: float | None = None
        self._local: LocalProcess | None = None
        self._looked = False
        self._left_over: tuple[Event, ...] = ()
        self._metrics_are_cheap = False
        self._extra: dict[str, float] = {}
        self._names: dict[int, str] = {}
        self._name_reads = 0
        self._stacks_cost_seconds = 0.0
        self._stacks_read_at = float("-inf")
        self._gaps: list[Gap] = []
        self._census: Census | None = None
        self.cost_seconds = 0.0

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read so far."""
        local = tuple(self._local.gaps) if self._local else ()
        return (*self._gaps, *local)

    @property
    def pid(self) -> int | None:
        """The process, when it is on this machine."""
        return self._local.pid if self._local else None

    @property
    def limit_name(self) -> str:
        """Whose limit the process runs under, when it is on this machine."""
        return self._local.limit_name if self._local else ""

    def profile(self) -> bytes:
        """Read the heap profile as it is now, in the binary form. Raises TargetError.

        It is read from outside where that is allowed: asked for it, the service formats it in memory of its own, which
        it may not have any more.
        """
        if self._census is not None:
            with suppress(TargetError):
                found = self._census.heap_profile()
                if found is not None:
                    return found
        return self._fetch(_PROFILE, TIMEOUT_SECONDS)

    def events(self) -> tuple[Event, ...]:
        """Return what happened to the process and its container since the last call, when they are on this machine."""
        left, self._left_over = self._left_over, ()
        return (*left, *(self._local.events() if self._local else ()))

    def sample(self, *, stacks: bool = True) -> RuntimeSample:
        """Read one moment; `stacks` asks for goroutines, which are also read when that is cheap.

        Raises:
            TargetError: the service gives neither its heap's numbers nor its goroutines.
        """
        begun = time.monotonic()
        if self._started is None:
            self._started = begun
        if not self._looked or (self._local is not None and not self._local.is_alive()):
            self._look_around()
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        seconds = time.monotonic() - self._started
        asked = time.monotonic()
        values, failure = self._read_census() or self._read_memstats()
        if self._metrics_are_cheap and self._census is None:
            self._extra = self._read_metrics() or self._extra
        self.cost_seconds = 0.0 if self._census else time.monotonic() - asked
        groups: tuple[GoroutineGroup, ...] = ()
        if stacks or time.monotonic() - self._stacks_read_at > self._stacks_cost_seconds / CHEAP_SHARE:
            total, groups = self._read_stacks(failure)
            if total is not None:
                values["goroutines"] = float(total)
        local = self._local.read() if self._local else {}
        values = {**self._extra, **local, **values}
        if "threads" in local:  # C's count as well, which a census does not know
            values["threads"] = local["threads"]
        if self._extra.get("gogc") is not None:  # what runs now, rather than what it was started with
            values["gogc"] = self._extra["gogc"]
        return RuntimeSample(at, seconds, values, groups)

    def _look_around(self) -> None:
        """Read once what does not change in a process: tuning from /metrics, the process behind a local port."""
        self._looked = True
        ended = self._local
        if ended is not None:  # what is known of its end would go with it
            self._left_over = (*self._left_over, *ended.events())
        self._local, gaps = find_local_process(
            self._base_url, lambda: self._fetch(_COMMAND_LINE, EXTRA_TIMEOUT_SECONDS), self._proc
        )
        if ended is not None and self._local is None:
            self._local = ended  # it knows how its group fared, and whose limit it was
        self._gaps.extend(gap for gap in gaps if gap not in self._gaps)
        self._census = self._open_census()
        self._extra = self._read_metrics()
        if self._local is None and "gogc" not in self._extra:
            reason = "GOGC and GOMEMLIMIT are not told over HTTP: GOGC=100 and no memory limit are assumed"
            self._gaps.append(Gap(WITNESS, reason, "Serve /metrics with the Go collector, or run on the same machine."))

    def _read_metrics(self) -> dict[str, float]:
        """Return what a Go collector at /metrics tells; few services have one, so its absence is no Gap by itself."""
        asked = time.monotonic()
        try:
            metrics = parse_prometheus(self._fetch(_METRICS, EXTRA_TIMEOUT_SECONDS).decode("utf-8", "replace"))
        except TargetError:
            metrics = {}
        values = {ours: metrics[theirs] for theirs, ours in _FROM_METRICS.items() if theirs in metrics}
        if values.get("memory_limit", 0.0) >= _NO_MEMORY_LIMIT_BYTES:
            del values["memory_limit"]
        self._metrics_are_cheap = bool(values) and time.monotonic() - asked < _CHEAP_METRICS_SECONDS
        if not self._metrics_are_cheap:  # what changes would look flat
            values = {name: value for name, value in values.items() if name in {"gogc", "memory_limit"}}
        return values

    def _open_census(self) -> Census | None:
        """Read a process of this machine from outside where that is allowed: it costs the service nothing."""
        if self._local is None or self._proc != PROC:
            return None
        from whyheap.collect.census import Census  # noqa: PLC0415 - brings DWARF; remote services need none

        try:
            census = Census.open(self._local.pid)
        except TargetError:  # no rights, or no Go program of a kind that is understood: it tells by HTTP
            return None
        self._local.arenas = census.arenas
        return census

    def _read_census(self) -> tuple[dict[str, float], TargetError | None] | None:
        if self._census is None:
            return None
        try:
            return self._census.read(), None
        except TargetError:
            self._census = None  # it ended, or is not understood after all
            return None

    def _read_memstats(self) -> tuple[dict[str, float], TargetError | None]:
        failure: TargetError
        try:
            text = self._fetch(_HEAP, TIMEOUT_SECONDS).decode("utf-8", "replace")
            memstats = parse_memstats(text)
            if not memstats:
                raise FormatError(f"{_HEAP} has no runtime.MemStats", "Is net/http/pprof behind this address?")
            return values_from_memstats(memstats), None
        except TargetError as error:
            failure = error
        try:
            return values_from_memstats(parse_expvar(self._fetch(_EXPVAR, EXTRA_TIMEOUT_SECONDS))), None
        except TargetError:
            self._note(Gap(WITNESS, f"the heap's numbers could not be read: {failure.message}", failure.hint))
            return {}, failure

    def _read_stacks(self, failure: TargetError | None) -> tuple[int | None, tuple[GoroutineGroup, ...]]:
        """Return the number of goroutines and their groups. Raises `failure` again when this fails too."""
        asked = time.monotonic()
        if self._census is not None:
            try:
                total, groups = self._census.goroutines()
            except TargetError:
                self._census = None
            else:
                self._stacks_read_at = time.monotonic()
                self._stacks_cost_seconds = self._stacks_read_at - asked
                return total, groups
        try:
            text = self._fetch(_STACKS, TIMEOUT_SECONDS).decode("utf-8", "replace")
            total = parse_goroutine_total(text)
            groups = parse_goroutines(text, self._names, self._spell)
            if any(group.state in UNCERTAIN_STATES for group in groups) and self._read_names():
                groups = parse_goroutines(text, self._names, self._spell)
        except TargetError as error:
            if failure is not None:
                raise failure from error
            self._note(Gap(WITNESS, f"the goroutines could not be read: {error.message}", error.hint))
            return None, ()
        self._stacks_read_at = time.monotonic()
        self._stacks_cost_seconds = self._stacks_read_at - asked
        return total, groups

    def _read_names(self) -> bool:
        """Read the runtime's functions by address, which last as long as the process; a few times at most."""
        if self._name_reads == MOST_NAME_READS:
            return False
        self._name_reads += 1
        try:
            self._names |= parse_frame_names(self._fetch(_STACK_NAMES, TIMEOUT_SECONDS))
        except TargetError:
            return False
        return True

    def _note(self, gap: Gap) -> None:
        if gap not in self._gaps:
            self._gaps.append(gap)


def sample_runtime(
    base_url: str, fetch: Fetch, *, proc: Path = PROC, spell: Callable[[str], str] = str
) -> RuntimeSeries:
    """Read one moment of a service.

    Raises:
        TargetError: the service gives neither its heap's numbers nor its goroutines.
    """
    return observe(RuntimeWitness(base_url, fetch, proc=proc, spell=spell), 0.0)


def collect_runtime(
    base_url: str,
    fetch: Fetch,
    seconds: float,
    interval_seconds: float | None = None,
    *,
    stop: threading.Event | None = None,
    on_sample: Callable[[RuntimeSample], None] | None = None,
    proc: Path = PROC,
    spell: Callable[[str], str] = str,
) -> RuntimeSeries:
    """Sample a service over `seconds`, as `observe` does. Raises TargetError when it never answers."""
    witness = RuntimeWitness(base_url, fetch, proc=proc, spell=spell)
    return observe(witness, seconds, interval_seconds, stop=stop, on_sample=on_sample)
