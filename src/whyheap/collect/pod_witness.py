"""A pod observed over time: net/http/pprof through kubectl, with what the cluster tells of the container.

`kubectl port-forward` is used where it is allowed, else the API server's proxy (`kubectl get --raw .../proxy/...`),
which starts a kubectl for each question. The process in the pod notices neither more than any other request.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Self

from whyheap.collect.kubernetes import PodReading, collect_pod
from whyheap.collect.leak_profile import find_leaked
from whyheap.collect.runtime import Fetch, RuntimeWitness
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.errors import TargetError, ToolError, WhyheapError
from whyheap.host.http import Access, fetch
from whyheap.host.kubectl import Kubectl, PortForward
from whyheap.model.event import Event, EventKind
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap
from whyheap.parse.kubectl_error import failure
from whyheap.parse.kubernetes_events import WITNESS
from whyheap.parse.rfc3339 import utc_seconds

MOST_QUESTIONS = 20
"""About one end, as the cluster tells it some seconds late."""
_PROBE_PATH = "/debug/pprof/cmdline"
_PROBE_SECONDS = 5.0
_ABOUT_THIS_MACHINE = "container"
_NOT_TOLD = "GOGC and GOMEMLIMIT are not told over HTTP"
_DEFAULT_ACCESS = Access()
_IMPORT_PPROF = "Import net/http/pprof in the service and name its port:  k8s:NAMESPACE/POD:PORT"


class PodWitness:
    """A LiveWitness of one container. Closing it ends the port-forward; it is also a context."""

    def __init__(self, reading: PodReading, kubectl: Kubectl, channel: PodChannel) -> None:
        """Observe what `channel` reaches; `reading` is what was told before."""
        self.reading = reading
        self._kubectl = kubectl
        self._channel = channel
        self._runtime = RuntimeWitness(channel.name, channel.fetch)
        self._told: set[tuple[str, str, str]] = {_key(event) for event in reading.series.events}
        self._has_failed = False
        self._asked = 0

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read so far; what was told of the pod has its own in `reading`."""
        known = self.reading.values.keys() & {"gogc", "memory_limit"}
        return tuple(
            gap
            for gap in (*self._channel.gaps, *self._runtime.gaps)
            if gap.witness != _ABOUT_THIS_MACHINE and not (known and gap.reason.startswith(_NOT_TOLD))
        )

    @property
    def pid(self) -> int | None:
        """Return None: the process is not on this machine."""
        return None

    @property
    def limit_name(self) -> str:
        """Whose limit counts."""
        return self.reading.limit_name

    @property
    def cost_seconds(self) -> float:
        """What the last sample took."""
        return self._runtime.cost_seconds

    def sample(self, *, stacks: bool = True) -> RuntimeSample:
        """Read one moment, with the container's limits. Raises TargetError: nothing answers."""
        try:
            moment = self._runtime.sample(stacks=stacks)
        except TargetError:
            self._has_failed, self._asked = True, 0
            if not self._channel.reopen():
                raise
            moment = self._runtime.sample(stacks=stacks)
        told = {name: value for name, value in self.reading.values.items() if name != "container_usage"}
        began = utc_seconds(self.reading.container.started)
        if began is not None:
            told["process_started"] = began
        return RuntimeSample(moment.at, moment.seconds, {**told, **moment.values}, moment.goroutines)

    def profile(self) -> bytes:
        """Return the heap profile as it is now. Raises TargetError."""
        return self._runtime.profile()

    def find_leaked(self) -> tuple[GoroutineGroup, ...]:
        """Make the process look for leaked goroutines, which forces a collection. Raises TargetError."""
        return find_leaked(self._channel.fetch)

    def events(self) -> tuple[Event, ...]:
        """Return what happened since the last call: once it fell silent, until the cluster tells its end."""
        if not self._has_failed or self._asked == MOST_QUESTIONS:
            return ()
        self._asked += 1
        with contextlib.suppress(WhyheapError):
            self.reading = collect_pod(self.reading.address, self._kubectl)
        found = tuple(event for event in self.reading.series.events if _key(event) not in self._told)
        self._told |= {_key(event) for event in found}
        if any(event.kind is EventKind.TERMINATED for event in found):
            self._has_failed = False
        return found

    def close(self) -> None:
        """End the port-forward."""
        self._channel.close()

    def __enter__(self) -> Self:
        """Return it, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the port-forward."""
        self.close()


class PodChannel:
    """A way to one port of a pod. `gaps` say why the better way was not taken."""

    def __init__(self, reading: PodReading, port: int, kubectl: Kubectl, access: Access) -> None:
        """Open it: a port-forward, else the API server's proxy. Raises TargetError, ToolError."""
        self._reading = reading
        self._port = port
        self._kubectl = kubectl
        self._access = access
        self._forward: PortForward | None = None
        self.gaps: list[Gap] = []
        address = reading.address
        self.name = f"http://{address.pod}.{address.namespace}.pod:{port}"
        try:
            self._forward = kubectl.port_forward(address.namespace, address.pod, port)
        except (TargetError, ToolError) as error:
            reason = f"no port-forward ({error.message.rstrip('.')}): the API server's proxy is used"
            self.gaps.append(Gap(WITNESS, reason, "Ask for the right to create pods/portforward."))

    def fetch(self, path: str, timeout_seconds: float) -> bytes:
        """Return the answer to a path ("/debug/pprof/heap?debug=1"). Raises TargetError."""
        if self._forward is not None:
            return fetch(self._forward.url + path, self._access, timeout_seconds)
        address = self._reading.address
        proxy = f"/api/v1/namespaces/{address.namespace}/pods/{address.pod}:{self._port}/proxy{path}"
        most_bytes = self._access.max_body_bytes
        try:
            answer = self._kubectl.run("get", "--raw", proxy, seconds=timeout_seconds, most_bytes=most_bytes)
        except ToolError as error:
            raise TargetError(error.message, error.hint) from error
        if answer.code:
            raise failure(answer.error, f"port {self._port} of pod {address.name}", address.namespace)
        if answer.is_cut:
            raise TargetError(f"port {self._port} of pod {address.name} sends more than any profile needs.")
        return answer.output

    def reopen(self) -> bool:
        """Forward anew where kubectl has ended, as it does when a container is started again. Whether that worked."""
        if self._forward is None or self._forward.is_open:
            return False
        address = self._reading.address
        self._forward.close()
        try:
            self._forward = self._kubectl.port_forward(address.namespace, address.pod, self._port)
        except WhyheapError:
            return False
        return True

    def close(self) -> None:
        """End the forward."""
        if self._forward is not None:
            self._forward.close()


def open_pod(
    reading: PodReading,
    kubectl: Kubectl,
    access: Access = _DEFAULT_ACCESS,
    progress: Callable[[str], None] = lambda _: None,
) -> PodWitness:
    """Reach net/http/pprof of a pod on the first of its likely ports that answers.

    Raises:
        TargetError: the container does not run, or no port answers.
        ToolError: kubectl does not run.
    """
    address = reading.address
    if not reading.container.is_running:
        why = reading.container.waiting or (reading.container.ended.reason if reading.container.ended else "")
        raise TargetError(
            f"container {reading.container.name} of pod {address.name} does not run now{f' ({why})' if why else ''}.",
            "What is known of its end is reported; name the pod again when it runs.",
        )
    refusals: list[TargetError] = []
    for port in reading.ports:
        progress(f"reaching port {port} of pod {address.name}")
        channel = PodChannel(reading, port, kubectl, access)
        try:
            _probe(channel.fetch)
        except TargetError as error:
            channel.close()
            refusals.append(error)
            continue
        except BaseException:  # also Ctrl-C: no forward is left
            channel.close()
            raise
        return PodWitness(reading, kubectl, channel)
    ports = ", ".join(map(str, reading.ports))
    if len(refusals) == 1:
        said = refusals[0].message.rstrip(".")
        raise TargetError(f"port {ports} of pod {address.name} has no net/http/pprof: {said}.", _IMPORT_PPROF)
    raise TargetError(f"pod {address.name} answers net/http/pprof on none of its ports ({ports}).", _IMPORT_PPROF)


def _probe(read: Fetch) -> None:
    """Ask for what costs least. Raises TargetError."""
    read(_PROBE_PATH, _PROBE_SECONDS)


def _key(event: Event) -> tuple[str, str, str]:
    return event.kind, event.at, event.labels.get("container", "") + event.labels.get("reason", "")
