"""What a Go process says about its memory at one moment, and how that becomes gauges and comes back from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap, Gauge
from whyheap.model.gauge_units import UNITS


@dataclass(frozen=True, slots=True)
class RuntimeSample:
    """One moment. `at` is RFC 3339 UTC, `seconds` monotonic since the first sample, `values` by the names in UNITS.

    `goroutines` is empty in samples that did not read the stacks, which costs more than the numbers.
    """

    at: str
    seconds: float
    values: dict[str, float]
    goroutines: tuple[GoroutineGroup, ...] = ()

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        """The numbers as gauges, `seconds` among them."""
        values = {"seconds": self.seconds, **self.values}
        return tuple(Gauge(name, value, UNITS[name], self.at) for name, value in values.items() if name in UNITS)


@dataclass(frozen=True, slots=True)
class RuntimeSeries:
    """Samples in order, what happened and what could not be read. `pid`, `limit_name`: of local targets only."""

    samples: tuple[RuntimeSample, ...]
    gaps: tuple[Gap, ...] = ()
    pid: int | None = None
    limit_name: str = ""
    events: tuple[Event, ...] = ()

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        """All numbers of all samples."""
        return tuple(gauge for sample in self.samples for gauge in sample.gauges)

    @property
    def seconds(self) -> float:
        """How long the window is."""
        return self.samples[-1].seconds - self.samples[0].seconds if self.samples else 0.0


def joined_series(*parts: RuntimeSeries) -> RuntimeSeries:
    """Put series of one process in order of time, by the wall clock where there are several with samples."""
    spoke = [part for part in parts if part.samples]
    samples = spoke[0].samples if spoke else ()
    if len(spoke) > 1:
        samples = _on_one_clock([sample for part in spoke for sample in part.samples])
    return RuntimeSeries(
        samples,
        tuple(dict.fromkeys(gap for part in parts for gap in part.gaps)),
        next((part.pid for part in parts if part.pid is not None), None),
        next((part.limit_name for part in reversed(parts) if part.limit_name), ""),
        tuple(sorted((event for part in parts for event in part.events), key=lambda event: event.at)),
    )


def _on_one_clock(samples: Iterable[RuntimeSample]) -> tuple[RuntimeSample, ...]:
    ordered = sorted(samples, key=lambda sample: datetime.fromisoformat(sample.at))
    begun = datetime.fromisoformat(ordered[0].at)
    return tuple(
        replace(sample, seconds=(datetime.fromisoformat(sample.at) - begun).total_seconds()) for sample in ordered
    )


def samples_from_gauges(
    gauges: Iterable[Gauge], goroutines: Mapping[str, tuple[GoroutineGroup, ...]] | None = None
) -> tuple[RuntimeSample, ...]:
    """Rebuild samples from saved gauges, in order of time; `goroutines` are by `at`. Foreign gauges are ignored."""
    moments: dict[str, dict[str, float]] = {}
    for gauge in gauges:
        if gauge.name in UNITS:
            moments.setdefault(gauge.at, {})[gauge.name] = gauge.value
    stacks = goroutines or {}
    samples = [
        RuntimeSample(at, values.pop("seconds"), values, stacks.get(at, ()))
        for at, values in moments.items()
        if "seconds" in values
    ]
    return tuple(sorted(samples, key=lambda sample: sample.seconds))


_MEMSTATS = {
    "HeapAlloc": "heap_alloc",
    "HeapInuse": "heap_inuse",
    "HeapIdle": "heap_idle",
    "HeapReleased": "heap_released",
    "HeapSys": "heap_sys",
    "HeapObjects": "heap_objects",
    "StackInuse": "stack_inuse",
    "Sys": "sys",
    "TotalAlloc": "total_alloc",
    "NumGC": "num_gc",
    "NumForcedGC": "num_forced_gc",
    "GCCPUFraction": "gc_cpu",
    "MaxRSS": "max_rss",
}
_METADATA = ("MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys")
_NO_GOAL_BYTES = 2.0**62  # GOGC=off leaves 97 % of 2^63: mgcpacer.go, memoryLimitHeapGoal
_NANOSECONDS = 1e9


def seconds_of_earlier_gcs(memstats: Mapping[str, float]) -> dict[str, float]:
    """Return what `earlier_gcs` tells, under our names and units."""
    names = {"PreviousGC": "previous_gc", "EarlierGC": "earlier_gc"}
    return {ours: memstats[theirs] / _NANOSECONDS for theirs, ours in names.items() if theirs in memstats}


def values_from_memstats(memstats: Mapping[str, float]) -> dict[str, float]:
    """Return runtime.MemStats, by its Go names, under our names and units. No goal (GOGC=off) is left out."""
    values = {ours: memstats[theirs] for theirs, ours in _MEMSTATS.items() if theirs in memstats}
    values["runtime_metadata"] = sum(memstats.get(name, 0.0) for name in _METADATA)
    if 0 < memstats.get("NextGC", 0.0) < _NO_GOAL_BYTES:
        values["heap_goal"] = memstats["NextGC"]
    if "LastGC" in memstats:
        values["last_gc"] = memstats["LastGC"] / _NANOSECONDS
    values |= seconds_of_earlier_gcs(memstats)
    return values
