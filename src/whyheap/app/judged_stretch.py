"""Which part of a history is judged: one process, from its start to its end, though a recording may hold several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whyheap.causes.trend import LEAST_POINTS
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.join.memory_account import account
from whyheap.model.account import MemoryAccount
from whyheap.model.event import Event, EventKind
from whyheap.parse.rfc3339 import utc_seconds

MOST_MOMENTS = 400
"""More than a chart has pixels for is not worked out."""
NEAR_SHARE = 0.2
FULL_SHARE = 0.95
STALLED_SHARE = 0.1
"""Of the rate of allocation before: a process that waits for memory comes to no more."""
_NEVER = "9999"
"""Later than any moment, as text."""
_KILLS = frozenset({EventKind.EXIT, EventKind.OOM_KILL})
_DEATHS = frozenset({EventKind.EXIT, EventKind.OOM_KILL, EventKind.OOM_COUNTED, EventKind.TERMINATED, EventKind.CRASH})


def judged_stretch(samples: Sequence[RuntimeSample], events: Sequence[Event]) -> tuple[RuntimeSample, ...]:
    """Return the samples of the process that died last; of the one that was seen last where none is known to have died.

    A process that has just been started again has too few samples to tell anything, and did not die. One that stands
    still at its limit, as it waits for memory, is judged by what it did before: there all that grew looks level. What
    was read while it was being killed is of no moment at all, its threads and memory half gone.
    """
    stretches = [_without_stall(_without_dying_moment(stretch, events)) for stretch in _by_process(samples)]
    if len(stretches) > 1 and len(stretches[-1]) < LEAST_POINTS and any(event.kind in _DEATHS for event in events):
        return stretches[-2]
    return stretches[-1] if stretches else ()


def events_of(
    stretch: Sequence[RuntimeSample], samples: Sequence[RuntimeSample], events: Sequence[Event]
) -> tuple[Event, ...]:
    """Return the events of the process that is judged: from its first sample to that of its successor."""
    begun, ended = span_of(stretch, samples)
    return tuple(event for event in events if not event.at or begun <= event.at < ended)


def span_of(stretch: Sequence[RuntimeSample], samples: Sequence[RuntimeSample]) -> tuple[str, str]:
    """Return the moments, RFC 3339 UTC, between which a process of a history is judged; open at the history's ends."""
    if not stretch:
        return "", _NEVER
    last = stretch[-1]
    begun = "" if stretch[0] is samples[0] else stretch[0].at
    later = (sample for sample in samples if sample.seconds > last.seconds and _is_another(last.values, sample.values))
    return begun, next((sample.at for sample in later), _NEVER)


def _by_process(samples: Sequence[RuntimeSample]) -> list[tuple[RuntimeSample, ...]]:
    """Cut where another process begins: another start, or a count since the start that falls."""
    stretches: list[list[RuntimeSample]] = []
    for sample in samples:
        if not stretches or _is_another(stretches[-1][-1].values, sample.values):
            stretches.append([])
        stretches[-1].append(sample)
    return [tuple(stretch) for stretch in stretches]


def _without_stall(stretch: tuple[RuntimeSample, ...]) -> tuple[RuntimeSample, ...]:
    """Cut the end of a stretch down to its first moment, where the process hardly allocates and has no room left."""
    full = len(stretch)
    while full > 0 and _is_full(stretch[full - 1].values):
        full -= 1
    for first in range(max(full, LEAST_POINTS - 1), len(stretch) - 1):
        rate = _alloc_rate(stretch[first], stretch[-1])
        if rate is not None and rate <= STALLED_SHARE * (_alloc_rate(stretch[0], stretch[first]) or 0.0):
            return stretch[: first + 1]
    return stretch


def _without_dying_moment(stretch: tuple[RuntimeSample, ...], events: Sequence[Event]) -> tuple[RuntimeSample, ...]:
    last = stretch[-1]
    begun, took = utc_seconds(last.at), last.values.get("recorder_seconds", 0.0)
    if len(stretch) <= LEAST_POINTS or not took or begun is None:
        return stretch
    deaths = (utc_seconds(event.at) for event in events if event.kind in _KILLS)
    return stretch[:-1] if any(at is not None and begun <= at <= begun + took for at in deaths) else stretch


def _is_full(values: dict[str, float]) -> bool:
    limit = values.get("container_limit", 0.0)
    used = max(values.get(name, 0.0) for name in ("container_charge", "container_usage"))
    return limit >= 1 and used >= FULL_SHARE * limit


def _alloc_rate(before: RuntimeSample, after: RuntimeSample) -> float | None:
    """Return bytes a second between two moments; None where that is not told."""
    if not ("total_alloc" in before.values and "total_alloc" in after.values and after.seconds > before.seconds):
        return None
    return (after.values["total_alloc"] - before.values["total_alloc"]) / (after.seconds - before.seconds)


def _is_another(before: dict[str, float], after: dict[str, float]) -> bool:
    started, later = before.get("process_started"), after.get("process_started")
    if started is not None and later is not None:
        return abs(later - started) >= 1
    return any(after.get(name, before.get(name, 0.0)) < before.get(name, 0.0) for name in ("num_gc", "total_alloc"))


def accounts(samples: Sequence[RuntimeSample]) -> tuple[MemoryAccount, ...]:
    """Return where memory went at each moment that told enough, first to last, thinned evenly to MOST_MOMENTS.

    Classes of memory are read more rarely than numbers: where some moments have them and the last of those is not far
    from the end, only those are taken, so that parts do not come and go.
    """
    classed = [sample for sample in samples if "smaps_go_heap" in sample.values]
    if classed and _is_near(classed[-1].values, samples[-1].values):
        samples = classed
    step = max((len(samples) - 1) / (MOST_MOMENTS - 1), 1.0)
    count = int((len(samples) - 1) / step) + 1 if samples else 0
    chosen = [samples[-1 - round(index * step)] for index in reversed(range(count))]
    found = ((sample.at, account(sample.values)) for sample in chosen)
    return tuple(replace(one, at=at) for at, one in found if one is not None)


def _is_near(values: dict[str, float], last: dict[str, float]) -> bool:
    """Whether resident memory at one moment is nearly what it was at the last."""
    rss, wanted = values.get("rss", 0.0), last.get("rss", 0.0)
    return abs(rss - wanted) <= NEAR_SHARE * wanted
