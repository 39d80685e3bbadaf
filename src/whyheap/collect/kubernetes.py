"""Witness: Kubernetes. What the cluster knows of a pod: limits, restarts, how its containers ended, what came before.

All is asked of the user's own kubectl with reading commands: `get pod`, `get events`, `get node`, `get configmap` (the
keys that set GOMEMLIMIT or GOGC, nothing else), `get --raw` of the metrics API, `logs`. Nothing runs in the pod.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from whyheap.collect.kubernetes_container import PodAddress, choose_container, pprof_ports, times
from whyheap.collect.kubernetes_questions import PodQuestions
from whyheap.collect.kubernetes_tuning import tuning_of
from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries, joined_series
from whyheap.errors import TargetError
from whyheap.host.kubectl import Kubectl
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gap
from whyheap.parse.kubectl_error import Problem, failure, problem
from whyheap.parse.kubernetes_events import WITNESS, Node, evicted
from whyheap.parse.kubernetes_pod import UNKNOWN_END, Container, Pod, Termination, parse_pod
from whyheap.parse.rfc3339 import utc_seconds, utc_text
from whyheap.units import format_duration


@dataclass(frozen=True, slots=True)
class PodReading:
    """What was told about one container of a pod at one moment.

    `values` are gauges, the same for every moment of this reading; `limit_name` says whose `container_limit` it is.
    `ports` are those that net/http/pprof may listen on, likeliest first. `last_words` is what the log says of the
    container's last end.
    """

    address: PodAddress
    container: Container
    at: str
    values: dict[str, float]
    events: tuple[Event, ...]
    gaps: tuple[Gap, ...]
    limit_name: str
    ports: tuple[int, ...]
    last_words: RuntimeSeries

    @property
    def series(self) -> RuntimeSeries:
        """All of it, as samples, events and gaps."""
        return self.after(RuntimeSeries(()))

    def after(self, history: RuntimeSeries) -> RuntimeSeries:
        """Return all of it together with a history of the container.

        Where the past has moments, what is told now belongs to the last of them: a moment of its own, hours later,
        would make one window of two processes. What the container uses now is then left out.
        """
        past = joined_series(history, self.last_words)
        told = RuntimeSample(self.at, 0.0, dict(self.values))
        samples: tuple[RuntimeSample, ...] = (told,)
        if past.samples:
            lasting = {name: value for name, value in self.values.items() if name != "container_usage"}
            last = past.samples[-1]
            samples = (*past.samples[:-1], replace(last, values={**lasting, **last.values}))
        now = RuntimeSeries((), self.gaps, limit_name=self.limit_name, events=self.events)
        return replace(joined_series(past, now), samples=samples)


def collect_pod(address: PodAddress, kubectl: Kubectl, spell: Callable[[str], str] = str) -> PodReading:
    """Ask the cluster about a pod; what may not be read is a Gap. `spell` turns source files into our spelling.

    Raises:
        TargetError: there is no such pod or container, it may not be read, or the cluster does not answer.
        ToolError: kubectl does not run.
    """
    pod = _read_pod(address, kubectl)
    container, gaps = choose_container(pod, address)
    reader = PodQuestions(address, kubectl)
    with ThreadPoolExecutor(max_workers=4) as pool:
        events = pool.submit(reader.events)
        node = pool.submit(reader.node, pod.node)
        usage = pool.submit(reader.usage, container.name)
        words = pool.submit(reader.last_words, container, spell)
        tuning, tuning_gaps = tuning_of(pod, container, reader.config_map_key)
        noted = events.result()
        found = [*_ends(pod, container, with_eviction=all(one.kind is not EventKind.EVICTED for one in noted)), *noted]
        values = {**tuning, **usage.result()}
        found += _node(node.result(), values)
    limit = container.limit_bytes or pod.pod_limit_bytes
    limit_name = ""
    if limit:
        values["container_limit"] = float(limit)
        whose = f"container {container.name} of pod" if container.limit_bytes else "pod"
        limit_name = f"Kubernetes limit of {whose} {address.name}"
    else:
        reason = f"container {container.name} has no memory limit: its node's memory is the limit"
        gaps.append(Gap(WITNESS, reason, "Set resources.limits.memory, so that a leak ends one pod, not its node."))
    if container.request_bytes:
        values["container_request"] = float(container.request_bytes)
    ordered = tuple(sorted(found, key=lambda event: event.at))
    return PodReading(
        address,
        container,
        utc_text(time.time()),
        values,
        ordered,
        (*gaps, *tuning_gaps, *reader.gaps),
        limit_name,
        (address.port,) if address.port else pprof_ports(container),
        words.result(),
    )


def _read_pod(address: PodAddress, kubectl: Kubectl) -> Pod:
    answer = kubectl.run("get", "pod", address.pod, "-n", address.namespace, "-o", "json")
    if answer.code == 0:
        return parse_pod(answer.output)
    if problem(answer.error) is not Problem.NOT_FOUND:
        raise failure(answer.error, f"pod {address.name}", address.namespace)
    others = kubectl.run("get", "pods", "-n", address.namespace, "-o", "name", most_bytes=4 << 20)
    names = [line.removeprefix("pod/") for line in others.output.decode("utf-8", "replace").split()]
    near = difflib.get_close_matches(address.pod, names, n=3, cutoff=0.5)
    near += [name for name in names if name.startswith(address.pod) and name not in near]
    hint = f"Did you mean {', '.join(near[:4])}?" if near else "Which are there?  kubectl get pods -A"
    raise TargetError(f"there is no pod {address.pod} in namespace {address.namespace}.", hint)


def _ends(pod: Pod, chosen: Container, *, with_eviction: bool) -> list[Event]:
    events = []
    if with_eviction and pod.reason == "Evicted":
        events.append(evicted(pod.disrupted, pod.message))
    for container in pod.containers:
        ends = (container.ended_before, container.ended)
        events += [_terminated(container, end, is_chosen=container is chosen) for end in ends if end is not None]
    return events


def _node(node: Node | None, values: dict[str, float]) -> list[Event]:
    """Note the node's memory in `values`; return its pressure as an event."""
    if node is None:
        return []
    if node.capacity_bytes:
        values["machine_memory"] = float(node.capacity_bytes)
    if not node.has_pressure:
        return []
    text = f"node {node.name} is short of memory: its pods may be evicted"
    return [Event(EventKind.NOTE, node.pressure_since, text, WITNESS, {"reason": "MemoryPressure", "node": node.name})]


def _terminated(container: Container, end: Termination, *, is_chosen: bool) -> Event:
    labels = {
        "reason": end.reason,
        "exit_code": str(end.exit_code),
        "signal": str(end.signal) if end.signal else "",
        "container": container.name,
        "chosen": "yes" if is_chosen else "",
        "restarts": str(container.restarts),
        "message": end.message,
        "started": end.started,
    }
    began, finished = utc_seconds(end.started), utc_seconds(end.finished)
    lasted = f" after {format_duration(finished - began)}" if began and finished and finished > began else ""
    how = f"with exit code {end.exit_code}"
    if end.reason == UNKNOWN_END:
        how = "unseen by the kubelet"
        del labels["exit_code"]
    reason = f" ({end.reason})" if end.reason else ""
    restarts = f"; restarted {times(container.restarts)} so far" if container.restarts else ""
    text = f"container {container.name} ended {how}{reason}{lasted}{restarts}"
    return Event(
        EventKind.TERMINATED, end.finished, text, WITNESS, {name: value for name, value in labels.items() if value}
    )
