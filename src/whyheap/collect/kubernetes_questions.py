"""What is asked about a pod beside the pod itself: events, node, memory used, config maps, the log of its last run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from whyheap.collect.kubernetes_container import PodAddress
from whyheap.collect.log_text import series_from_lines
from whyheap.collect.runtime_sample import RuntimeSeries, joined_series
from whyheap.errors import FormatError, ToolError
from whyheap.host.kubectl import Answer, Kubectl
from whyheap.model.event import Event
from whyheap.model.gauge import Gap
from whyheap.parse.kubectl_error import Problem, failure, problem
from whyheap.parse.kubernetes_events import WITNESS, Node, parse_events, parse_node
from whyheap.parse.kubernetes_pod import Container, parse_pod_usage
from whyheap.parse.rfc3339 import utc_seconds

LOG_LINES = 50_000
LOG_BYTES = 32 << 20
SHORT_SECONDS = 6.0
T = TypeVar("T")

_NO_METRICS = Gap(
    WITNESS,
    "the cluster has no metrics server, or it does not know the pod: what the container uses now is not known",
    "Ask Prometheus:  --prometheus URL",
)


class PodQuestions:
    """Asks for what stands beside the pod; each refusal is a Gap."""

    def __init__(self, address: PodAddress, kubectl: Kubectl) -> None:
        """Ask about this pod with this kubectl."""
        self._address = address
        self._kubectl = kubectl
        self._in_namespace = ("-n", address.namespace)
        self.gaps: list[Gap] = []

    def events(self) -> tuple[Event, ...]:
        """Return what was noted about the pod within the last hour or so."""
        selector = f"involvedObject.name={self._address.pod}"
        what = f"the events of pod {self._address.name}"
        answer = self._ask(what, "get", "events", *self._in_namespace, "--field-selector", selector, "-o", "json")
        nothing: tuple[Event, ...] = ()
        return self._parsed(what, answer, parse_events, nothing)

    def node(self, name: str) -> Node | None:
        """Return the memory of the pod's node."""
        if not name:
            return None
        what = f"node {name}"
        nothing: Node | None = None
        return self._parsed(what, self._ask(what, "get", "node", name, "-o", "json"), parse_node, nothing)

    def usage(self, container: str) -> dict[str, float]:
        """Return the container's working set, where the cluster has a metrics server."""
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._address.namespace}/pods/{self._address.pod}"
        answer = self._ask("the pod's use of memory (metrics API)", "get", "--raw", path, no_such=_NO_METRICS)
        nothing: dict[str, int] = {}
        found = self._parsed("the metrics API", answer, parse_pod_usage, nothing)
        return {"container_usage": float(found[container])} if container in found else {}

    def config_map_key(self, name: str, key: str) -> str | None:
        """Return one value of a config map; None where it has no such key. Raises TargetError."""
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", key):
            return None
        path = "{.data." + key.replace(".", "\\.") + "}"
        answer = self._kubectl.run(
            "get",
            "configmap",
            name,
            *self._in_namespace,
            "-o",
            f"jsonpath={path}",
            seconds=SHORT_SECONDS,
            most_bytes=1 << 12,
        )
        if answer.code:
            raise failure(answer.error, f"config map {name}", self._address.namespace)
        return answer.output.decode("utf-8", "replace") or None

    def last_words(self, container: Container, spell: Callable[[str], str]) -> RuntimeSeries:
        """Return what the log says of the container's last end."""
        end = container.ended or container.ended_before
        if end is None:
            return RuntimeSeries(())
        series = RuntimeSeries(())
        finished = utc_seconds(end.finished) or time.time()
        arguments = ["logs", self._address.pod, *self._in_namespace, "-c", container.name]
        arguments += ["--timestamps", f"--tail={LOG_LINES}"]
        if container.ended is None:
            arguments.append("--previous")
        answer = self._ask("the log of its last run", *arguments, most_bytes=LOG_BYTES, keep_last=True)
        if answer is not None:
            lines = answer.output.decode("utf-8", "replace").split("\n")
            series = series_from_lines(lines, finished, spell)
            if answer.is_cut:
                reason = f"the log of its last run is large: only its last {LOG_BYTES >> 20} MiB were read"
                series = replace(series, gaps=(*series.gaps, Gap(WITNESS, reason)))
        if not series.events and end.words:  # terminationMessagePolicy: FallbackToLogsOnError
            told = series_from_lines(end.words.split("\n"), finished, spell)
            series = joined_series(series, replace(told, gaps=()))
        began = utc_seconds(end.started)
        if began is None:
            return series
        dated = (replace(one, values={"process_started": began, **one.values}) for one in series.samples)
        return replace(series, samples=tuple(dated))

    def _ask(
        self,
        what: str,
        *arguments: str,
        most_bytes: int = 16 << 20,
        keep_last: bool = False,
        no_such: Gap | None = None,
    ) -> Answer | None:
        try:
            answer = self._kubectl.run(*arguments, seconds=SHORT_SECONDS, most_bytes=most_bytes, keep_last=keep_last)
        except ToolError as error:
            self.gaps.append(Gap(WITNESS, f"{what} could not be read: {error.message}", error.hint))
            return None
        if answer.code == 0:
            return answer
        if no_such is not None and problem(answer.error) is Problem.NOT_FOUND:
            self.gaps.append(no_such)
            return None
        refusal = failure(answer.error, what, self._address.namespace)
        self.gaps.append(Gap(WITNESS, refusal.message, refusal.hint))
        return None

    def _parsed(self, what: str, answer: Answer | None, parse: Callable[[bytes], T], nothing: T) -> T:
        if answer is None:
            return nothing
        try:
            return parse(answer.output)
        except FormatError as error:
            self.gaps.append(Gap(WITNESS, f"{what}: {error.message}", error.hint))
            return nothing
