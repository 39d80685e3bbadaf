from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import stand_in_kubectl
from host.live_server import LiveServer, body, serve
from whyheap.app.pod_target import HistoryOptions, open_pod_target, process_history
from whyheap.collect.prometheus_query import read_selector
from whyheap.errors import TargetError, ToolError
from whyheap.host.http import Access
from whyheap.model.event import EventKind

POD = "k8s:prod/shop-7d9f8c6b5d-oomed"
ENDED = 1777605128.0  # 2026-05-01T03:12:08Z, when the container was killed


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_in_kubectl.write(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


@pytest.fixture
def prometheus() -> Iterator[LiveServer]:
    labels = {"__name__": "container_memory_working_set_bytes", "namespace": "prod", "container": "shop"}
    usage = [[ENDED - 300 + 15 * index, str((400 + 5 * index) << 20)] for index in range(20)]
    found = {"resultType": "matrix", "result": [{"metric": labels, "values": usage}]}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_container = "container_memory" in handler.path
        data = found if is_container else {"resultType": "matrix", "result": []}
        body(json.dumps({"status": "success", "data": data}).encode())(handler)

    with serve(answer) as server:
        yield server


def test_a_pod_whose_process_cannot_be_reached_is_told_about(cluster: Path) -> None:
    assert cluster.is_dir()
    target = open_pod_target(POD, Access(), lambda _: None)
    assert target.witness is None
    assert target.read_profile is None
    assert target.told is not None
    assert any(event.labels.get("reason") == "OOMKilled" for event in target.told.events)
    assert "answers net/http/pprof on none of its ports" in target.told.gaps[-1].reason


def test_the_history_leads_to_the_containers_last_end(cluster: Path, prometheus: LiveServer) -> None:
    assert cluster.is_dir()
    said: list[str] = []
    target = open_pod_target(POD, Access(), said.append, HistoryOptions(prometheus.url))
    assert target.told is not None
    usage = [sample.values["container_usage"] for sample in target.told.samples if "container_usage" in sample.values]
    assert usage[:20] == [(400 + 5 * index) << 20 for index in range(20)]
    assert len(target.told.samples) == 20
    assert target.told.samples[-1].values["container_limit"] == 512 << 20
    assert said[:2] == [
        "asking the cluster about pod prod/shop-7d9f8c6b5d-oomed",
        "reading the history of pod prod/shop-7d9f8c6b5d-oomed",
    ]
    assert any(event.kind is EventKind.TERMINATED for event in target.told.events)


def test_a_history_that_cannot_be_read_is_a_gap(cluster: Path) -> None:
    assert cluster.is_dir()
    target = open_pod_target(POD, Access(), lambda _: None, HistoryOptions("http://127.0.0.1:1"))
    assert target.told is not None
    assert any(gap.witness == "prometheus" for gap in target.told.gaps)


def test_a_process_that_is_no_pod(prometheus: LiveServer) -> None:
    options = HistoryOptions(prometheus.url, ENDED, selector=read_selector("ship"))
    with pytest.raises(TargetError):
        process_history(options, lambda _: None)


def test_without_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="there is no kubectl"):
        open_pod_target(POD, Access(), lambda _: None)
