"""What Kubernetes noted about a pod and its node: `kubectl get events -o json`, `kubectl get node -o json`.

Fields: the API reference's core/v1 Event and Node. Reasons: pkg/kubelet/events/event.go (Unhealthy, Killing, BackOff,
Evicted, SystemOOM, NodeHasInsufficientMemory), pkg/kubelet/eviction/helpers.go (the words of an eviction),
pkg/kubelet/prober/prober.go ("Liveness probe failed: "). Events are kept for an hour by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from whyheap.model.event import Event, EventKind
from whyheap.parse.kubernetes_json import load_object, rows, table, text, whole
from whyheap.parse.kubernetes_quantity import parse_quantity
from whyheap.parse.rfc3339 import in_utc

WITNESS = "kubernetes"
MAX_EVENTS = 200
_PROBE = re.compile(r"(Liveness|Readiness|Startup) probe (?:failed|errored): ?(.*)")
_FAILED_LIVENESS = re.compile(r"Container (\S{1,253}) failed (liveness|startup) probe, will be restarted.*")
_EVICTED = re.compile(r"The node was low on resource: ([a-z-]{1,40})\.?.*")
_THRESHOLD = re.compile(r"Threshold quantity: (\S{1,40}?), available: (\S{1,40}?)\.(?: |$)")
_USING = re.compile(r"Container (\S{1,253}) was using (\S{1,40}?), request is (\S{1,40}?), has larger consumption of ")
_QUERY = re.compile(r"\?[^\s\"']{1,2000}")
_FIELD_CONTAINER = re.compile(r"spec\.(?:init)?[cC]ontainers\{(.{1,253})\}")
_PLAIN = frozenset({"BackOff", "SystemOOM", "OOMKilling", "Preempted", "Preempting", "NodeHasInsufficientMemory"})


@dataclass(frozen=True, slots=True)
class Node:
    """A node's memory. Sizes in bytes, None = not told; `pressure_since` is RFC 3339 UTC, "" when there is none."""

    name: str
    capacity_bytes: int | None
    allocatable_bytes: int | None
    has_pressure: bool
    pressure_since: str


def parse_events(body: bytes) -> tuple[Event, ...]:
    """Return what bears on a process's end, in order of time; at most MAX_EVENTS, the latest ones.

    Raises:
        FormatError: it is no JSON object.
    """
    found = [event for row in rows(load_object(body, "events"), "items") if (event := _event(row)) is not None]
    return tuple(sorted(found, key=lambda event: event.at)[-MAX_EVENTS:])


def parse_node(body: bytes) -> Node:
    """Return a node's memory.

    Raises:
        FormatError: it is no JSON object.
    """
    document = load_object(body, "a node")
    status = table(document, "status")
    pressure = next((one for one in rows(status, "conditions") if one.get("type") == "MemoryPressure"), {})
    has_pressure = pressure.get("status") == "True"
    return Node(
        text(table(document, "metadata"), "name"),
        parse_quantity(table(status, "capacity").get("memory")),
        parse_quantity(table(status, "allocatable").get("memory")),
        has_pressure,
        in_utc(pressure.get("lastTransitionTime")) if has_pressure else "",
    )


def evicted(at: str, message: str) -> Event:
    """Return an eviction, with what the kubelet measured as far as its words tell it."""
    labels = {"reason": "Evicted", "message": message}
    low = _EVICTED.match(message)
    if low is not None:
        labels["resource"] = low[1]
    threshold = _THRESHOLD.search(message)
    if threshold is not None:
        _add_size(labels, "available", threshold[2])
    using = _USING.search(message)
    if using is not None:
        labels["container"] = using[1]
        _add_size(labels, "usage", using[2])
        _add_size(labels, "request", using[3])
    about = f"its node was low on {labels['resource']}" if "resource" in labels else "by Kubernetes"
    return Event(EventKind.EVICTED, at, f"the pod was evicted: {about}", WITNESS, labels)


def _event(row: dict[str, Any]) -> Event | None:
    reason = text(row, "reason", 80)
    message = _QUERY.sub("?...", text(row, "message", 300))
    series = table(row, "series")
    times = (row.get("lastTimestamp"), series.get("lastObservedTime"), row.get("eventTime"), row.get("firstTimestamp"))
    at = next((moment for moment in map(in_utc, times) if moment), "")
    count = max(whole(series, "count") or whole(row, "count") or 1, 1)
    place = _FIELD_CONTAINER.fullmatch(text(table(row, "involvedObject"), "fieldPath"))
    container = place[1] if place is not None else ""
    if reason == "Unhealthy":
        return _probe(at, message, container, count)
    if reason == "Killing":
        killed = _FAILED_LIVENESS.fullmatch(message)
        if killed is None:
            return None
        name = killed[1].rstrip(",")
        labels = {"probe": killed[2], "message": message, "container": name, "killed": "yes", "count": str(count)}
        said = f"Kubernetes ended container {name}: its {killed[2]} probe failed"
        return Event(EventKind.PROBE_FAILED, at, said, WITNESS, labels)
    if reason == "Evicted":
        return evicted(at, message)
    if reason in _PLAIN:
        labels = {"reason": reason, "message": message, "container": container, "count": str(count)}
        return Event(EventKind.NOTE, at, f"{reason}: {message}", WITNESS, {k: v for k, v in labels.items() if v})
    return None


def _probe(at: str, message: str, container: str, count: int) -> Event | None:
    match = _PROBE.fullmatch(message)
    if match is None:
        return None
    probe = match[1].lower()
    labels = {"probe": probe, "message": match[2], "container": container, "count": str(count)}
    times = "once" if count == 1 else f"{count} times"
    said = f"the {probe} probe{f' of {container}' if container else ''} failed {times}: {match[2]}".rstrip(": ")
    return Event(EventKind.PROBE_FAILED, at, said, WITNESS, {name: value for name, value in labels.items() if value})


def _add_size(labels: dict[str, str], name: str, quantity: str) -> None:
    size = parse_quantity(quantity)
    if size is not None:
        labels[name] = str(size)
