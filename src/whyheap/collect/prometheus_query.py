"""Asks Prometheus for the raw samples of one process and its container, and finds out which process is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from whyheap.errors import TargetError, UsageError
from whyheap.host.http import Access, Response, get, scrub, status_hint
from whyheap.parse.prometheus_api import TimeSeries, parse_label_sets, parse_matrix
from whyheap.parse.prometheus_names import (
    CLUSTER_NAMES,
    CONTAINER_NAMES,
    METADATA_NAMES,
    PROCESS_NAMES,
    name_matcher,
)

T = TypeVar("T")
_OK = 200
_BAD_REQUEST = 400
_UNPROCESSABLE = 422
_MOST_SHOWN = 8
_DEFAULT_ACCESS = Access()
_MATCHER = re.compile(r'\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"\s*')
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,199}")
_EVERY = "go_goroutines"
_WHICH = 'Name one:  --selector \'job="shop",instance="10.0.0.7:8080"\''
_SAID_BY_ALL = ("job", "instance", "namespace", "pod", "container")


@dataclass(frozen=True, slots=True)
class Selector:
    """Label matchers without braces (`job="shop"`), "" = none."""

    matchers: str = ""

    def and_(self, more: Iterable[str]) -> str:
        """Return a vector selector with these matchers besides."""
        return "{" + ",".join(one for one in (*more, self.matchers) if one) + "}"


def read_selector(text: str) -> Selector:
    """Read `job="shop",instance=~"10.*"`, with or without braces, or a job's name alone. Raises UsageError."""
    trimmed = text.strip().removeprefix("{").removesuffix("}").rstrip().rstrip(",")
    if _PLAIN.fullmatch(trimmed):
        return Selector(f'job="{trimmed}"')
    position = 0
    while position < len(trimmed):
        match = _MATCHER.match(trimmed, position)
        if match is None or (match.end() < len(trimmed) and trimmed[match.end()] != ","):
            raise UsageError(f"{text[:80]!a} is no list of label matchers.", _WHICH)
        position = match.end() + 1
    return Selector(trimmed)


def pod_selector(namespace: str, pod: str, container: str = "") -> Selector:
    """Return the matchers of a pod, or of one of its containers."""
    labels = {"namespace": namespace, "pod": pod, **({"container": container} if container else {})}
    return Selector(",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()))


class Prometheus:
    """One server. Credentials in `access` go to it alone."""

    def __init__(self, url: str, access: Access = _DEFAULT_ACCESS) -> None:
        """`url` is the server's address, with a prefix if it has one (`https://HOST/prometheus`)."""
        self._base = url.rstrip("/")
        self._access = access
        self.name = scrub(self._base)

    def process(self, selector: Selector, end: float, seconds: float) -> tuple[TimeSeries, ...]:
        """Return what Go processes said within `seconds` before `end`. Raises TargetError."""
        return self._range(selector.and_([name_matcher([*PROCESS_NAMES, *METADATA_NAMES])]), end, seconds)

    def container(self, selector: Selector, end: float, seconds: float) -> tuple[TimeSeries, ...]:
        """Return what cAdvisor and kube-state-metrics said of a container. Raises TargetError."""
        names = name_matcher([*CONTAINER_NAMES, *CLUSTER_NAMES])
        return self._range(selector.and_([names, 'container!=""', 'container!="POD"']), end, seconds)

    def processes(self, selector: Selector, end: float, seconds: float) -> tuple[dict[str, str], ...]:
        """Return the labels of every Go process that was scraped then. Raises TargetError."""
        match = selector.and_([name_matcher([_EVERY])])
        parameters = {"match[]": match, "start": _spelled(end - seconds), "end": _spelled(end)}
        return self._asked("series", parameters, parse_label_sets)

    def _range(self, vector: str, end: float, seconds: float) -> tuple[TimeSeries, ...]:
        parameters = {"query": f"{vector}[{max(int(seconds), 1)}s]", "time": _spelled(end)}
        return self._asked("query", parameters, parse_matrix)

    def _asked(self, what: str, parameters: Mapping[str, str], parse: Callable[[bytes], T]) -> T:
        answer: Response = get(f"{self._base}/api/v1/{what}?{urlencode(parameters)}", self._access)
        if answer.status not in (_OK, _BAD_REQUEST, _UNPROCESSABLE):
            said = f"{self.name} answers with status {answer.status} at /api/v1/{what}."
            raise TargetError(said, status_hint(answer.status))
        return parse(answer.body)


def which_process(found: Iterable[Mapping[str, str]], where: str) -> TargetError:
    """Return the error for several processes of which one must be named."""
    shown = sorted({spell_labels(labels) for labels in found})
    several = "; ".join(shown[:_MOST_SHOWN]) + ("; ..." if len(shown) > _MOST_SHOWN else "")
    return TargetError(f"{where} knows {len(shown)} Go processes that may be meant: {several}.", _WHICH)


def spell_labels(labels: Mapping[str, str]) -> str:
    """Print the labels that tell processes apart, as a selector takes them."""
    return ",".join(f'{name}="{_escaped(labels[name])}"' for name in _SAID_BY_ALL if name in labels) or "no labels"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _spelled(seconds: float) -> str:
    return f"{seconds:.3f}"
