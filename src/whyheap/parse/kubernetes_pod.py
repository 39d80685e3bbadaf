"""A pod as the API has it (`kubectl get pod NAME -o json`): limits, restarts, how its containers ended.

Fields: the Kubernetes API reference, core/v1 Pod (v1.22 to v1.34). Of environments only GOMEMLIMIT and GOGC are looked
at; no other value is kept, and secrets are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from whyheap.errors import FormatError
from whyheap.parse.kubernetes_json import load_object, rows, table, text, whole
from whyheap.parse.kubernetes_quantity import parse_quantity
from whyheap.parse.rfc3339 import in_utc

TUNING = ("GOMEMLIMIT", "GOGC")
_OWN_WORDS = frozenset({"OOMKilled", "ContainerCannotRun", "StartError", "ContainerStatusUnknown", "DeadlineExceeded"})
"""Reasons whose message the kubelet wrote; for others it may be the last lines of the container's own log."""
UNKNOWN_END = "ContainerStatusUnknown"
"""The kubelet did not see the end and makes up exit code 137: pkg/kubelet/status/status_manager.go."""


class SettingSource(StrEnum):
    """Where a variable's value comes from."""

    VALUE = "value"
    RESOURCE = "resource"
    CONFIG_MAP = "config-map"
    UNREADABLE = "unreadable"  # a secret, another variable or a field of the pod


@dataclass(frozen=True, slots=True)
class Setting:
    """One place that may set GOMEMLIMIT or GOGC.

    `value` is what is set, or the name of the resource; `of` and `key` name a config map and the key in it, and `of` a
    container for a resource. `may_be_missing`: the config map as a whole is taken over, with or without that key.
    """

    name: str
    source: SettingSource
    value: str = ""
    of: str = ""
    key: str = ""
    divisor: int = 1
    may_be_missing: bool = False


@dataclass(frozen=True, slots=True)
class Termination:
    """How a container ended. `started` and `finished` are RFC 3339 UTC or "".

    `signal` is 0 when none is known; `words` are lines of its own log, to be read for a crash and not to be kept.
    """

    exit_code: int
    signal: int
    reason: str
    message: str
    started: str
    finished: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod. Limits are in bytes, None = none; `settings`: what goes first stands first."""

    name: str
    is_sidecar: bool = False
    limit_bytes: int | None = None
    request_bytes: int | None = None
    ports: tuple[tuple[str, int], ...] = ()
    settings: tuple[Setting, ...] = ()
    restarts: int = 0
    is_running: bool = False
    started: str = ""
    waiting: str = ""
    ended: Termination | None = None
    ended_before: Termination | None = None
    has_liveness_probe: bool = False


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `pod_limit_bytes` is that of all its containers together (pod-level resources), None = none."""

    namespace: str
    name: str
    node: str
    phase: str
    reason: str
    message: str
    containers: tuple[Container, ...]
    pod_limit_bytes: int | None = None
    disrupted: str = ""
    """When the pod was marked to be ended, RFC 3339 UTC, "" = not."""


def parse_pod(body: bytes) -> Pod:
    """Return a pod with its long-running containers, native sidecars included.

    Raises:
        FormatError: it is not the JSON of a pod.
    """
    document = load_object(body, "a pod")
    spec, status = table(document, "spec"), table(document, "status")
    name = text(table(document, "metadata"), "name")
    if not name or not rows(spec, "containers"):
        raise FormatError("kubectl did not answer with the JSON of a pod.", "Does it work by hand?")
    sidecars = [one for one in rows(spec, "initContainers") if one.get("restartPolicy") == "Always"]
    statuses = {
        text(one, "name"): one for key in ("initContainerStatuses", "containerStatuses") for one in rows(status, key)
    }
    containers = [
        _container(one, statuses.get(text(one, "name"), {}), is_sidecar=one in sidecars)
        for one in [*rows(spec, "containers"), *sidecars]
    ]
    disrupted = next((one for one in rows(status, "conditions") if one.get("type") == "DisruptionTarget"), {})
    return Pod(
        text(table(document, "metadata"), "namespace") or "default",
        name,
        text(spec, "nodeName"),
        text(status, "phase"),
        text(status, "reason"),
        text(status, "message"),
        tuple(containers),
        parse_quantity(table(spec, "resources", "limits").get("memory")),
        in_utc(disrupted.get("lastTransitionTime")),
    )


def parse_pod_usage(body: bytes) -> dict[str, int]:
    """Return the working set of each container in bytes, from the metrics API (metrics.k8s.io/v1beta1 PodMetrics).

    Raises:
        FormatError: it is no JSON object.
    """
    usage = {}
    for one in rows(load_object(body, "a pod's metrics"), "containers"):
        size = parse_quantity(table(one, "usage").get("memory"))
        if size is not None:
            usage[text(one, "name")] = size
    return usage


def _container(spec: dict[str, Any], status: dict[str, Any], *, is_sidecar: bool) -> Container:
    resources = table(spec, "resources")
    actual = table(status, "resources") or resources  # a resize in place is in the status (since 1.27)
    state, before = table(status, "state"), table(status, "lastState")
    return Container(
        text(spec, "name"),
        is_sidecar,
        parse_quantity(table(actual, "limits").get("memory")),
        parse_quantity(table(actual, "requests").get("memory")),
        tuple(_ports(spec)),
        tuple(_settings(spec)),
        max(whole(status, "restartCount") or 0, 0),
        "running" in state,
        in_utc(table(state, "running").get("startedAt")),
        text(table(state, "waiting"), "reason"),
        _termination(table(state, "terminated")),
        _termination(table(before, "terminated")),
        bool(table(spec, "livenessProbe")),
    )


def _ports(spec: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for port in rows(spec, "ports"):
        number = whole(port, "containerPort")
        if number is not None and 0 < number < 1 << 16 and port.get("protocol", "TCP") == "TCP":
            yield text(port, "name"), number


def _termination(state: dict[str, Any]) -> Termination | None:
    code = whole(state, "exitCode")
    if code is None:
        return None
    is_known = text(state, "reason") != UNKNOWN_END
    signal = whole(state, "signal") or (code - 128 if is_known and 128 < code < 128 + 65 else 0)  # noqa: PLR2004 - as shells count
    reason = text(state, "reason")
    message = state.get("message")
    words = message[:100_000] if isinstance(message, str) and reason not in _OWN_WORDS else ""
    return Termination(
        code,
        signal,
        reason,
        "" if words else text(state, "message", 200),
        in_utc(state.get("startedAt")),
        in_utc(state.get("finishedAt")),
        words,
    )


def _settings(spec: dict[str, Any]) -> list[Setting]:
    """Return the places that may set a variable, the one that counts first: env, then envFrom, each backwards."""
    found: list[Setting] = []
    for one in rows(spec, "envFrom"):
        prefix = text(one, "prefix")
        for source, kind in (("configMapRef", SettingSource.CONFIG_MAP), ("secretRef", SettingSource.UNREADABLE)):
            of = text(table(one, source), "name")
            for name in TUNING:
                if of and name.startswith(prefix):
                    key = name.removeprefix(prefix)
                    found.append(Setting(name, kind, of=of, key=key, may_be_missing=True))
    own = text(spec, "name")
    found += [_setting(text(one, "name"), one, own) for one in rows(spec, "env") if one.get("name") in TUNING]
    return found[::-1]


def _setting(name: str, one: dict[str, Any], container: str) -> Setting:
    source = table(one, "valueFrom")
    if not source:
        value = text(one, "value", 64)
        kind = SettingSource.UNREADABLE if "$(" in value else SettingSource.VALUE
        return Setting(name, kind, "" if kind is SettingSource.UNREADABLE else value)
    resource = table(source, "resourceFieldRef")
    if resource:
        divisor = parse_quantity(resource.get("divisor", "1")) or 1
        of = text(resource, "containerName") or container
        return Setting(name, SettingSource.RESOURCE, text(resource, "resource"), of, divisor=divisor)
    reference = table(source, "configMapKeyRef")
    if reference:
        return Setting(name, SettingSource.CONFIG_MAP, of=text(reference, "name"), key=text(reference, "key"))
    return Setting(name, SettingSource.UNREADABLE)
