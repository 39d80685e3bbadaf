"""Answers of Prometheus' HTTP API: `/api/v1/query` with a range of raw samples, and `/api/v1/series`.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/ (the same in Thanos, Mimir and VictoriaMetrics). A
range selector in an instant query (`metric[1h]`) returns the samples as they were scraped, each with its own time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whyheap.errors import FormatError, TargetError
from whyheap.parse.finite import finite_number

MAX_SERIES = 5_000
MAX_POINTS = 4_000_000
_LATEST_SECONDS = 32_503_680_000.0
_WHAT = "Name the address of Prometheus itself:  --prometheus http://HOST:9090"


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Samples of one metric: labels without `__name__`, points (seconds since 1970, value) in order of time."""

    name: str
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


def parse_matrix(body: bytes) -> tuple[TimeSeries, ...]:
    """Return the series of a query's answer, those without a finite sample left out.

    Raises:
        TargetError: Prometheus says what is wrong with the query.
        FormatError: it is no such answer, or one with more than MAX_SERIES series or MAX_POINTS samples.
    """
    data = _data(body)
    if not isinstance(data, dict) or data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise FormatError("the answer is not one of Prometheus' HTTP API.", _WHAT)
    found: list[TimeSeries] = []
    left = MAX_POINTS
    for row in data["result"]:
        if len(found) == MAX_SERIES:
            raise FormatError(f"Prometheus has more than {MAX_SERIES} series for this.", "Name one process: --selector")
        labels = _labels(row.get("metric") if isinstance(row, dict) else None)
        values = row.get("values") if isinstance(row, dict) else None
        if labels is None or not isinstance(values, list):
            continue
        left -= len(values)
        if left < 0:
            raise FormatError("Prometheus has too many samples for this.", "Ask for a shorter time, or one process.")
        points = tuple(sorted(point for value in values if (point := _point(value)) is not None))
        name = labels.pop("__name__", "")
        if points:
            found.append(TimeSeries(name, labels, points))
    return tuple(found)


def parse_label_sets(body: bytes) -> tuple[dict[str, str], ...]:
    """Return the label sets of an answer of `/api/v1/series`, `__name__` left out; at most MAX_SERIES.

    Raises:
        TargetError: Prometheus says what is wrong.
        FormatError: it is no such answer.
    """
    data = _data(body)
    if not isinstance(data, list):
        raise FormatError("the answer is not one of Prometheus' HTTP API.", _WHAT)
    found = [labels for row in data[:MAX_SERIES] if (labels := _labels(row)) is not None]
    for labels in found:
        labels.pop("__name__", None)
    return tuple(found)


def _data(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FormatError("the answer is not one of Prometheus' HTTP API.", _WHAT) from error
    if isinstance(document, dict) and document.get("status") == "error":
        words = " ".join(str(document.get("error", ""))[:300].split())
        raise TargetError(f"Prometheus refuses the query: {words}.", 'Check --selector, a list such as  job="shop"')
    return document.get("data") if isinstance(document, dict) else None


def _labels(row: object) -> dict[str, str] | None:
    if not isinstance(row, dict):
        return None
    return {name: value for name, value in row.items() if isinstance(name, str) and isinstance(value, str)}


def _point(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - time and value
        return None
    at, number = value
    if isinstance(at, bool) or not isinstance(at, int | float) or not isinstance(number, str):
        return None
    found = finite_number(number)
    return (float(at), found) if found is not None and 0 < at < _LATEST_SECONDS else None
