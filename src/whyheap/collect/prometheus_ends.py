"""How processes began and ended, as the series of Prometheus show it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from whyheap.model.event import Event, EventKind
from whyheap.parse.prometheus_api import TimeSeries
from whyheap.parse.prometheus_names import EXIT_CODE_NAME, LIMIT_NAME, REASON_NAME, RESTARTS_NAME
from whyheap.parse.rfc3339 import utc_text
from whyheap.units import format_bytes, format_duration

WITNESS = "prometheus"
_STARTED_NAME = "process_start_time_seconds"
_KILLS_NAME = "container_oom_events_total"

Scrapes = dict[float, dict[str, float]]
"""By moment, in seconds since 1970: values by Prometheus' names."""


def lives(scraped: Scrapes, at: float) -> list[Event]:
    """Return where another process began, and where the last one fell silent before the moment asked for."""
    events: list[Event] = []
    times = sorted(scraped)
    before: float | None = None
    for index, moment in enumerate(times):
        started = scraped[moment].get(_STARTED_NAME)
        if started is None:
            continue
        if before is not None and abs(started - before) >= 1:
            last = times[index - 1]
            said = f"the process that was last scraped at {utc_text(last)} had ended: another one started"
            events.append(Event(EventKind.RESTART, utc_text(max(started, last)), said, WITNESS))
        before = started
    interval = scrape_interval(times)
    if times and interval and times[-1] < at - 3 * interval:
        silent = format_duration(at - times[-1])
        text = f"the process was not scraped any more after {utc_text(times[-1])}, {silent} before the moment asked for"
        events.append(Event(EventKind.EXIT, utc_text(times[-1]), text, WITNESS, {"known": "no"}))
    return events


def ends(cluster: Sequence[TimeSeries], container: Scrapes) -> list[Event]:
    """Return how the container ended, by kube-state-metrics, and kills that cAdvisor counted."""
    events: list[Event] = []
    restarts = next((one.points for one in cluster if one.name == RESTARTS_NAME), ())
    reasons = [one for one in cluster if one.name == REASON_NAME]
    codes = next((one.points for one in cluster if one.name == EXIT_CODE_NAME), ())
    for (_, before), (at, count) in pairwise(restarts):
        if count <= before:
            continue
        reason = next((one.labels.get("reason", "") for one in reasons if latest(one.points, at) == 1.0), "")
        code = latest(codes, at)
        labels = {"reason": reason, "restarts": f"{count:.0f}", "chosen": "yes"}
        labels |= {"exit_code": f"{code:.0f}"} if code is not None else {}
        text = f"the container was started again{f' after it ended with {reason}' if reason else ''}"
        events.append(Event(EventKind.TERMINATED, utc_text(at), text, WITNESS, {k: v for k, v in labels.items() if v}))
    limits = of_memory(cluster, LIMIT_NAME)
    for (_, old), (at, new) in pairwise(limits):
        if old != new:
            text = f"the limit was changed from {format_bytes(old)} to {format_bytes(new)}"
            labels = {"old": f"{old:.0f}", "new": f"{new:.0f}"}
            events.append(Event(EventKind.LIMIT_CHANGED, utc_text(at), text, WITNESS, labels))
    kills = [(at, row[_KILLS_NAME]) for at, row in sorted(container.items()) if _KILLS_NAME in row]
    for (_, before), (at, count) in pairwise(kills):
        if count > before:
            text = f"the kernel killed for memory in the container: {count:.0f} times so far"
            events.append(Event(EventKind.OOM_COUNTED, utc_text(at), text, WITNESS, {"kills": f"{count - before:.0f}"}))
    return events


def of_memory(cluster: Sequence[TimeSeries], name: str) -> tuple[tuple[float, float], ...]:
    """Return the points of a kube-state-metrics' resource series for memory, () where there is none."""
    return next((one.points for one in cluster if one.name == name and one.labels.get("resource") == "memory"), ())


def latest(points: Sequence[tuple[float, float]], at: float) -> float | None:
    """Return the value at a moment, or the first one before any was told."""
    index = bisect_right(points, (at, float("inf")))
    return points[max(index - 1, 0)][1] if points else None


def scrape_interval(times: Sequence[float]) -> float:
    """Return the usual time between two scrapes in seconds, 0.0 where there are too few to tell."""
    return median(later - before for before, later in pairwise(times)) if len(times) > 2 else 0.0  # noqa: PLR2004
