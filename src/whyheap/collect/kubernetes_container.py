"""Which pod is meant, which of its containers, and on which port its profiles may be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whyheap.errors import TargetError, UsageError
from whyheap.model.gauge import Gap
from whyheap.parse.kubernetes_events import WITNESS
from whyheap.parse.kubernetes_pod import Container, Pod
from whyheap.units import format_count

_NAME = "[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_TARGET = re.compile(rf"k8s:({_NAME})/({_NAME})(?::(\d{{1,5}}))?", re.ASCII)
_PORT_NAMES = ("pprof", "debug", "profil", "admin", "internal")
USUAL_PORT = 6060
MOST_PORTS = 4
OOM_KILLED = "OOMKilled"


@dataclass(frozen=True, slots=True)
class PodAddress:
    """Which pod: `port` is net/http/pprof's, None = to be found; `container` is "" for the one that fits best."""

    namespace: str
    pod: str
    port: int | None = None
    container: str = ""

    @property
    def name(self) -> str:
        """Namespace and pod, as people write them."""
        return f"{self.namespace}/{self.pod}"


def pod_address(target: str) -> PodAddress:
    """Read `k8s:NAMESPACE/POD[:PORT]`. Raises UsageError."""
    match = _TARGET.fullmatch(target)
    if match is None or (match[3] and not 0 < int(match[3]) < 1 << 16):
        raise UsageError(
            f"{target!a} names no pod", "Give its namespace and name:  whyheap why k8s:NAMESPACE/POD[:PORT]"
        )
    return PodAddress(match[1], match[2], int(match[3]) if match[3] else None)


def choose_container(pod: Pod, address: PodAddress) -> tuple[Container, list[Gap]]:
    """Return the container that is meant, and say so where there are several. Raises TargetError for an unknown one."""
    containers = pod.containers
    if address.container:
        for one in containers:
            if one.name == address.container:
                return one, []
        names = ", ".join(one.name for one in containers)
        raise TargetError(f"pod {address.name} has no container {address.container}.", f"It has {names}.")
    if len(containers) == 1:
        return containers[0], []
    with_port = [one for one in containers if any(number == address.port for _, number in one.ports)]
    chosen, why = containers[0], "it comes first"
    if len(with_port) == 1:
        chosen, why = with_port[0], f"it has port {address.port}"
    else:
        best = max(containers, key=_trouble)
        if _trouble(best) > (0, 0, 0):
            chosen = best
            why = "it was OOMKilled" if _trouble(best)[0] else f"it was restarted {times(best.restarts)}"
            why = why if best.restarts or _trouble(best)[0] else "it ended"
        else:
            named = [one for one in containers if any(_is_pprof(*port) for port in one.ports)]
            if named:
                chosen, why = named[0], "it has a port for profiles"
    others = ", ".join(one.name for one in containers if one is not chosen)
    gap = Gap(
        WITNESS,
        f"pod {address.name} has {len(containers)} containers; {chosen.name} is looked at: {why} (others: {others})",
        "Name another one's port:  k8s:NAMESPACE/POD:PORT",
    )
    return chosen, [gap]


def pprof_ports(container: Container) -> tuple[int, ...]:
    """Return the ports on which net/http/pprof may listen, likeliest first; at most four."""
    named = [number for name, number in container.ports if _is_pprof(name, number)]
    rest = [number for _, number in container.ports]
    return tuple(dict.fromkeys([*named, USUAL_PORT, *rest]))[:MOST_PORTS]


def _is_pprof(name: str, number: int) -> bool:
    return number == USUAL_PORT or any(part in name for part in _PORT_NAMES)


def _trouble(container: Container) -> tuple[int, int, int]:
    ends = [end for end in (container.ended, container.ended_before) if end is not None]
    return sum(end.reason == OOM_KILLED for end in ends), container.restarts, len(ends)


def times(count: int) -> str:
    """Print how often something happened."""
    return "once" if count == 1 else f"{format_count(count)} times"
