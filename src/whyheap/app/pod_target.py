"""A pod as a target: what the cluster tells of it, its process where that can be reached, its history if wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from whyheap.app.live_targets import LiveTarget
from whyheap.collect.kubernetes import PodReading, collect_pod
from whyheap.collect.kubernetes_container import pod_address
from whyheap.collect.pod_witness import PodWitness, open_pod
from whyheap.collect.profile import ProfileReading, collect_process_profile
from whyheap.collect.prometheus_history import DEFAULT_SECONDS, HistoryRequest, collect_history
from whyheap.collect.prometheus_query import Selector
from whyheap.collect.runtime_sample import RuntimeSeries
from whyheap.errors import TargetError
from whyheap.host.http import Access
from whyheap.host.kubectl import find_kubectl
from whyheap.model.event import EventKind
from whyheap.model.gauge import Gap
from whyheap.parse.kubernetes_events import WITNESS as KUBERNETES
from whyheap.parse.rfc3339 import utc_seconds

PROMETHEUS = "prometheus"


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """Where a history is: `at` is the moment that it leads to (since 1970), None = the end that is known, or now.

    `seconds` is how far back, `selector` the labels of a process that is no pod.
    """

    url: str
    at: float | None = None
    seconds: float = DEFAULT_SECONDS
    selector: Selector = field(default_factory=Selector)
    access: Access = field(default_factory=Access)


def open_pod_target(
    text: str,
    access: Access,
    progress: Callable[[str], None],
    history: HistoryOptions | None = None,
) -> LiveTarget:
    """Read a pod (`k8s:NAMESPACE/POD[:PORT]`) and reach its process.

    A process that cannot be reached is a Gap beside what was told: the pod may be dead already. Where a history was
    asked for and found, it is what is judged; of the process that runs now only the profile is read.

    Raises:
        TargetError: there is no such pod, or it may not be read.
        ToolError: there is no kubectl.
    """
    address = pod_address(text)
    kubectl = find_kubectl()
    progress(f"asking the cluster about pod {address.name}")
    reading = collect_pod(address, kubectl)
    told = reading.after(pod_history(history, reading, progress)) if history is not None else reading.series
    try:
        witness = open_pod(reading, kubectl, access, progress)
    except TargetError as error:
        gap = Gap(KUBERNETES, error.message, error.hint)
        return LiveTarget(text, None, None, replace(told, gaps=(*told.gaps, gap)))
    past_is_meant = history is not None and bool(told.samples[:-1])
    return LiveTarget(text, None if past_is_meant else witness, _profile_of(witness, text), told, witness.find_leaked)


def pod_history(options: HistoryOptions, reading: PodReading, progress: Callable[[str], None]) -> RuntimeSeries:
    """Return the history of a pod's container, to its last end where no moment is named; a failure is a Gap."""
    address = reading.address
    progress(f"reading the history of pod {address.name}")
    at = options.at if options.at is not None else _last_end(reading)
    request = HistoryRequest(
        options.url, at, options.seconds, options.selector, address.namespace, address.pod, reading.container.name
    )
    try:
        return collect_history(request, options.access)
    except TargetError as error:
        return RuntimeSeries((), (Gap(PROMETHEUS, error.message, error.hint),))


def process_history(options: HistoryOptions, progress: Callable[[str], None]) -> RuntimeSeries:
    """Return the history of the process that the labels select, to now where no moment is named. Raises TargetError."""
    progress("reading the history from Prometheus")
    at = options.at if options.at is not None else time.time()
    return collect_history(HistoryRequest(options.url, at, options.seconds, options.selector), options.access)


def _profile_of(witness: PodWitness, name: str) -> Callable[[float, threading.Event], ProfileReading | None]:
    def read_profile(seconds: float, stop: threading.Event) -> ProfileReading | None:
        return collect_process_profile(witness.profile, name, seconds, stop)

    return read_profile


def _last_end(reading: PodReading) -> float:
    ends = [event.at for event in reading.events if event.kind is EventKind.TERMINATED and "chosen" in event.labels]
    known = [at for at in map(utc_seconds, ends) if at is not None]
    return max(known, default=time.time())
