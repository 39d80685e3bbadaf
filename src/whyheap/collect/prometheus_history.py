"""Witness: Prometheus. How a process and its container used memory before a moment that nobody recorded.

Raw samples are asked for, as they were scraped: what all metrics of one scrape say is one moment, and the container's
own scrapes (cAdvisor) are moments of their own. Nothing is interpolated and nothing repeated between scrapes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from whyheap.collect.prometheus_ends import WITNESS, Scrapes, ends, latest, lives, of_memory, scrape_interval
from whyheap.collect.prometheus_query import Prometheus, Selector, pod_selector, spell_labels, which_process
from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries
from whyheap.errors import TargetError
from whyheap.host.http import Access
from whyheap.model.gauge import Gap
from whyheap.parse.prometheus_api import TimeSeries
from whyheap.parse.prometheus_names import (
    CONTAINER_NAMES,
    LIMIT_NAME,
    REQUEST_NAME,
    container_values,
    process_values,
)
from whyheap.parse.rfc3339 import utc_text
from whyheap.units import format_duration

DEFAULT_SECONDS = 3600.0
MOST_MOMENTS = 4_000
_AFTERWARDS_SECONDS = 120.0
"""Looked at after the moment too: a restart is seen by the scrape that follows it."""
_COARSE_SECONDS = 30.0
_DEFAULT_ACCESS = Access()
_NO_COLLECTOR = "Serve /metrics with client_golang's Go collector, or name the labels it is scraped with:  --selector"


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Which history: the `seconds` before `at` (since 1970) of the process that the labels select.

    `namespace`, `pod` and `container` are those of a Kubernetes target, "" otherwise; then `selector` counts, or the
    only process that Prometheus knows.
    """

    url: str
    at: float
    seconds: float = DEFAULT_SECONDS
    selector: Selector = field(default_factory=Selector)
    namespace: str = ""
    pod: str = ""
    container: str = ""


def collect_history(request: HistoryRequest, access: Access = _DEFAULT_ACCESS) -> RuntimeSeries:
    """Read the history of one process.

    Raises:
        TargetError: Prometheus does not answer, knows no such process, or several.
    """
    server = Prometheus(request.url, access)
    end = max(min(request.at + _AFTERWARDS_SECONDS, time.time()), 1.0)
    seconds = request.seconds + max(end - request.at, 0.0)
    labels, scraped, gaps = _process(server, request, end, seconds)
    container, cluster, container_gaps = _container(server, request, labels, end, seconds)
    gaps += container_gaps
    moments = _moments(scraped, container, cluster)
    before = [(at, values) for at, values in moments if at <= request.at]
    if not before:
        raise _nothing(server, request, end, seconds)
    events = [*lives(scraped, request.at), *ends(cluster, container)]
    kept, thinned = _thin(before)
    gaps += [*thinned, *_what_is_missing(before)]
    name = labels.get("container") or request.container or labels.get("job", "")
    began = kept[0][0]
    samples = tuple(RuntimeSample(utc_text(at), at - began, values) for at, values in kept)
    limit_name = f"limit of container {name}" if any("container_limit" in values for _, values in kept) else ""
    ordered = tuple(sorted(events, key=lambda event: event.at))
    return RuntimeSeries(samples, tuple(gaps), limit_name=limit_name, events=ordered)


def _process(
    server: Prometheus, request: HistoryRequest, end: float, seconds: float
) -> tuple[Mapping[str, str], Scrapes, list[Gap]]:
    """Return labels and scrapes of the one process that is meant."""
    selector = request.selector
    if request.pod:
        selector = pod_selector(request.namespace, request.pod)
    elif not selector.matchers:
        known = server.processes(selector, end, seconds)
        if len({spell_labels(labels) for labels in known}) > 1:
            raise which_process(known, server.name)
    groups = _by_process(server.process(selector, end, seconds), with_instance=not request.pod)
    if len(groups) > 1 and not request.pod:
        raise which_process([labels for labels, _ in groups], server.name)
    if not groups:
        if request.pod:
            reason = f"{server.name} has nothing that pod {request.namespace}/{request.pod} says itself in that time"
            return {}, {}, [Gap(WITNESS, reason, _NO_COLLECTOR)]
        raise _nothing(server, request, end, seconds)
    best = max(groups, key=lambda group: (group[0].get("container") == request.container, len(group[1])))
    gaps = []
    if len(groups) > 1:
        others = "; ".join(spell_labels(labels) for labels, _ in groups if labels is not best[0])
        gaps.append(Gap(WITNESS, f"of the pod's processes {spell_labels(best[0])} is read (others: {others})"))
    return best[0], best[1], gaps


def _by_process(found: Iterable[TimeSeries], *, with_instance: bool) -> list[tuple[Mapping[str, str], Scrapes]]:
    """Group series by what tells processes apart; a pod keeps its name when its address changes."""
    groups: dict[str, tuple[Mapping[str, str], Scrapes]] = {}
    for series in found:
        labels = dict(series.labels)
        if not with_instance:
            labels.pop("instance", None)
        _, scrapes = groups.setdefault(spell_labels(labels), (labels, {}))
        for at, value in series.points:
            scrapes.setdefault(at, {})[series.name] = value
    return list(groups.values())


def _container(
    server: Prometheus, request: HistoryRequest, labels: Mapping[str, str], end: float, seconds: float
) -> tuple[Scrapes, list[TimeSeries], list[Gap]]:
    """Return scrapes of the container and what kube-state-metrics says of it."""
    namespace = request.namespace or labels.get("namespace", "")
    pod = request.pod or labels.get("pod", "")
    if not pod or not namespace:
        reason = "the process's labels name no pod: its container's memory and limit are not in this history"
        return (
            {},
            [],
            [Gap(WITNESS, reason, "Scrape with labels namespace and pod, or name the pod:  k8s:NAMESPACE/POD")],
        )
    name = request.container or labels.get("container", "")
    found = server.container(pod_selector(namespace, pod, name), end, seconds)
    names = sorted({series.labels.get("container", "") for series in found})
    if len(names) > 1:
        raise TargetError(
            f"pod {namespace}/{pod} has containers {', '.join(names)}, and the process's labels name none of them.",
            'Name one in the labels:  --selector \'namespace="...",pod="...",container="..."\'',
        )
    scrapes: Scrapes = {}
    for series in found:
        if series.name in CONTAINER_NAMES:
            for at, value in series.points:
                row = scrapes.setdefault(at, {})
                row[series.name] = max(value, row.get(series.name, value))
    cluster = [series for series in found if series.name not in CONTAINER_NAMES]
    if scrapes:
        return scrapes, cluster, []
    reason = f"no container_memory_* of pod {namespace}/{pod} in that time: what the kernel charged is not known"
    return {}, cluster, [Gap(WITNESS, reason, "Does Prometheus scrape the kubelet's /metrics/cadvisor?")]


def _moments(
    scraped: Scrapes, container: Scrapes, cluster: Sequence[TimeSeries]
) -> list[tuple[float, dict[str, float]]]:
    """Return all moments in order of time; what the pod's specification says is added to those of the container."""
    told = {
        ours: of_memory(cluster, theirs)
        for ours, theirs in (("container_limit", LIMIT_NAME), ("container_request", REQUEST_NAME))
    }
    found: dict[float, dict[str, float]] = {at: process_values(row) for at, row in scraped.items()}
    beside = container or (scraped if any(told.values()) else {})
    for at in beside:
        values = container_values(container.get(at, {}))
        for ours, points in told.items():
            value = latest(points, at)
            if value is not None and ours not in values:
                values[ours] = value
        found[at] = {**found.get(at, {}), **values}
    return sorted((at, values) for at, values in found.items() if values)


def _thin(moments: list[tuple[float, dict[str, float]]]) -> tuple[list[tuple[float, dict[str, float]]], list[Gap]]:
    """Keep MOST_MOMENTS: all of the later half, of what was before evenly."""
    if len(moments) <= MOST_MOMENTS:
        return moments, []
    half = MOST_MOMENTS // 2
    early, late = moments[:-half], moments[-half:]
    step = -(-len(early) // half)
    reason = f"of {len(early):,} moments before {utc_text(late[0][0])} every {step}th was kept"
    return [*early[::step], *late], [Gap(WITNESS, reason, "Ask for a shorter time.")]


def _what_is_missing(moments: Sequence[tuple[float, dict[str, float]]]) -> list[Gap]:
    gaps = []
    told = {name for _, values in moments for name in values}
    if "heap_alloc" in told and not told & {"gogc", "memory_limit"}:
        reason = "GOGC and GOMEMLIMIT are not in this history: GOGC=100 and no memory limit are assumed"
        gaps.append(Gap(WITNESS, reason, "Register client_golang's collector with collectors.MetricsGC (Go >= 1.21)."))
    if "heap_alloc" not in told and told & {"goroutines", "rss"}:
        gaps.append(Gap(WITNESS, "the process says nothing of its heap (no go_memstats_*)", _NO_COLLECTOR))
    interval = scrape_interval([at for at, values in moments if "heap_alloc" in values or "container_usage" in values])
    if interval and interval >= _COARSE_SECONDS:
        reason = f"there is one moment every {format_duration(interval)}: shorter bursts are not seen"
        gaps.append(Gap(WITNESS, reason, "Scrape more often, or record the process:  whyheap record"))
    return gaps


def _nothing(server: Prometheus, request: HistoryRequest, end: float, seconds: float) -> TargetError:
    """Return the error for an empty history, which names what there is instead."""
    if request.pod:
        what = f"pod {request.namespace}/{request.pod}"
    else:
        what = request.selector.and_([]) if request.selector.matchers else "any Go process"
    known = sorted({spell_labels(labels) for labels in server.processes(Selector(), end, seconds)})
    near = f"It knows {'; '.join(known[:4])}" if known else "It knows no Go process then"
    began, ended = utc_text(request.at - request.seconds), utc_text(request.at)
    return TargetError(f"{server.name} has nothing of {what} from {began} to {ended}.", f"{near}. Is the time right?")
