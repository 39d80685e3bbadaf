from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from host.live_server import LiveServer, serve
from toolchains import ROOT, environment, go
from whyheap.collect.prometheus_history import MOST_MOMENTS, HistoryRequest, collect_history
from whyheap.collect.prometheus_query import read_selector
from whyheap.errors import FormatError, TargetError, UsageError
from whyheap.host.http import fetch
from whyheap.model.event import EventKind

AT = 1_714_533_120.0  # 2024-05-01T03:12:00Z
SHOP = {"job": "shop", "instance": "10.0.0.7:8080"}
POD = {"namespace": "prod", "pod": "shop-1", "container": "shop"}
Series = tuple[str, dict[str, str], list[tuple[float, float]]]


def every(seconds: float, count: int, value: Callable[[int], float], end: float = AT) -> list[tuple[float, float]]:
    return [(end - (count - 1 - index) * seconds, value(index)) for index in range(count)]


@contextmanager
def prometheus(*found: Series, status: int = 200) -> Iterator[LiveServer]:
    """Answer as Prometheus does, with what was found."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = parse_qs(parts.query)
        wanted = query.get("query", query.get("match[]", [""]))[0]
        matching = [one for one in found if _matches(one, wanted)]
        if parts.path.endswith("/series"):
            data: object = [labels | {"__name__": name} for name, labels, _ in matching]
        else:
            end = float(query["time"][0])
            result = [
                {
                    "metric": labels | {"__name__": name},
                    "values": [[at, str(value)] for at, value in points if at <= end],
                }
                for name, labels, points in matching
            ]
            data = {"resultType": "matrix", "result": result}
        body = json.dumps({"status": "success", "data": data}).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with serve(answer) as server:
        yield server


def _matches(series: Series, query: str) -> bool:
    name, labels, _ = series
    names = query.partition('__name__=~"')[2].partition('"')[0].split("|")
    return name in names and all(
        f'{label}="' not in query.replace("__name__=~", "") or f'{label}="{value}"' in query
        for label, value in labels.items()
        if label in {"job", "instance", "namespace", "pod", "container"}
    )


def process(labels: dict[str, str] = SHOP, **changes: list[tuple[float, float]]) -> list[Series]:
    told = {
        "go_memstats_heap_alloc_bytes": every(15, 20, lambda index: (50 + index) * 2**20),
        "go_memstats_next_gc_bytes": every(15, 20, lambda _: 2.0**64),
        "go_gc_duration_seconds_count": every(15, 20, float),
        "go_goroutines": every(15, 20, lambda _: 12.0),
        "go_gc_gomemlimit_bytes": every(15, 20, lambda _: 2.0**63),
        "process_start_time_seconds": every(15, 20, lambda _: AT - 1000),
        **changes,
    }
    return [(name, labels, points) for name, points in told.items() if points]


def test_what_one_scrape_says_is_one_moment() -> None:
    with prometheus(*process()) as server:
        series = collect_history(HistoryRequest(server.url, AT))
    assert len(series.samples) == 20
    last = series.samples[-1]
    assert last.at == "2024-05-01T03:12:00.000Z"
    assert last.seconds == pytest.approx(285)
    assert last.values == {
        "heap_alloc": 69 * 2**20,
        "num_gc": 19,
        "goroutines": 12,
        "process_started": AT - 1000,
    }
    reasons = [gap.reason for gap in series.gaps]
    assert any("name no pod" in reason for reason in reasons)
    assert any("GOGC and GOMEMLIMIT are not in this history" in reason for reason in reasons)


def test_the_containers_scrapes_and_its_limit() -> None:
    usage = every(10, 30, lambda index: (90 + index) * 2**20, AT - 3)
    limit = every(30, 10, lambda _: 128 * 2**20)
    with prometheus(
        *process({**SHOP, **POD}),
        ("container_memory_working_set_bytes", {**POD, "id": "/a"}, usage),
        ("container_spec_memory_limit_bytes", {**POD, "id": "/a"}, [(at, 0.0) for at, _ in usage]),
        ("kube_pod_container_resource_limits", {**POD, "resource": "cpu"}, every(30, 10, lambda _: 1.0)),
        ("kube_pod_container_resource_limits", {**POD, "resource": "memory"}, limit),
    ) as server:
        series = collect_history(HistoryRequest(server.url, AT, namespace="prod", pod="shop-1"))
    moments = [sample for sample in series.samples if "container_usage" in sample.values]
    assert len(moments) == 30
    assert moments[-1].values == {"container_usage": 119 * 2**20, "container_limit": 128 * 2**20}
    assert series.limit_name == "limit of container shop"
    assert [sample.seconds for sample in series.samples] == sorted(sample.seconds for sample in series.samples)


def test_a_restart_within_the_hour_and_silence_before_the_moment() -> None:
    started = [(at, AT - 1000 if at < AT - 100 else AT - 95) for at, _ in every(15, 20, float)]
    with prometheus(*process(process_start_time_seconds=started)) as server:
        restarted = collect_history(HistoryRequest(server.url, AT))
        silent = collect_history(HistoryRequest(server.url, AT + 600))
    (event,) = restarted.events
    assert (event.kind, event.at) == (EventKind.RESTART, "2024-05-01T03:10:25.000Z")
    assert silent.events[-1].kind is EventKind.EXIT
    assert silent.events[-1].labels == {"known": "no"}
    assert "10 min before the moment asked for" in silent.events[-1].text


def test_the_ends_that_the_cluster_saw() -> None:
    restarts = every(30, 10, lambda index: 3.0 + (index > 6))
    with prometheus(
        *process({**SHOP, **POD}),
        ("kube_pod_container_status_restarts_total", POD, restarts),
        ("kube_pod_container_status_last_terminated_reason", {**POD, "reason": "Error"}, every(30, 3, lambda _: 0.0)),
        (
            "kube_pod_container_status_last_terminated_reason",
            {**POD, "reason": "OOMKilled"},
            every(30, 3, lambda _: 1.0),
        ),
        ("kube_pod_container_status_last_terminated_exitcode", POD, every(30, 3, lambda _: 137.0)),
        ("container_oom_events_total", POD, every(30, 10, lambda index: float(index > 6))),
        (
            "kube_pod_container_resource_limits",
            {**POD, "resource": "memory"},
            every(30, 10, lambda i: 2.0**27 + i // 9),
        ),
    ) as server:
        series = collect_history(HistoryRequest(server.url, AT, selector=read_selector("shop")))
    kinds = {event.kind: event for event in series.events}
    assert kinds[EventKind.TERMINATED].labels == {
        "reason": "OOMKilled",
        "exit_code": "137",
        "restarts": "4",
        "chosen": "yes",
    }
    assert kinds[EventKind.OOM_COUNTED].labels == {"kills": "1"}
    assert kinds[EventKind.LIMIT_CHANGED].labels == {"old": "134217728", "new": "134217729"}


def test_several_processes_are_asked_about() -> None:
    other = {"job": "shop", "instance": "10.0.0.8:8080"}
    with prometheus(*process(), *process(other)) as server:
        with pytest.raises(TargetError, match="knows 2 Go processes that may be meant") as caught:
            collect_history(HistoryRequest(server.url, AT))
        assert 'job="shop",instance="10.0.0.7:8080"; job="shop",instance="10.0.0.8:8080"' in caught.value.message
        with pytest.raises(TargetError, match="knows 2 Go processes"):
            collect_history(HistoryRequest(server.url, AT, selector=read_selector('job="shop"')))
        chosen = read_selector('instance="10.0.0.8:8080"')
        assert collect_history(HistoryRequest(server.url, AT, selector=chosen)).samples


def test_of_a_pods_processes_the_containers_own_is_read_whatever_its_address() -> None:
    first = {**POD, "job": "a", "instance": "10.1.0.1:80"}
    second = {**POD, "job": "a", "instance": "10.1.0.2:80"}
    envoy = {**POD, "job": "a", "instance": "10.1.0.1:90", "container": "envoy"}
    late = every(15, 20, lambda _: 5.0, AT - 400)
    with prometheus(*process(first), ("go_goroutines", second, late), ("go_goroutines", envoy, late)) as server:
        request = HistoryRequest(server.url, AT, namespace="prod", pod="shop-1", container="shop")
        series = collect_history(request)
    assert len(series.samples) == 40
    assert "(others: " in series.gaps[0].reason


def test_a_pod_that_says_nothing_itself_still_has_its_container() -> None:
    usage = every(60, 20, lambda index: (90 + index) * 2**20)
    with prometheus(("container_memory_working_set_bytes", POD, usage)) as server:
        request = HistoryRequest(server.url, AT, namespace="prod", pod="shop-1", container="shop")
        series = collect_history(request)
    assert len(series.samples) == 20
    assert "has nothing that pod prod/shop-1 says itself" in series.gaps[0].reason
    assert "one moment every 60 s" in series.gaps[-1].reason


def test_nothing_in_that_time_names_what_there_is() -> None:
    with prometheus(*process()) as server:
        with pytest.raises(TargetError, match=r'has nothing of \{job="ship"}') as caught:
            collect_history(HistoryRequest(server.url, AT, selector=read_selector("ship")))
        assert 'It knows job="shop",instance="10.0.0.7:8080"' in caught.value.hint


def test_a_long_history_is_thinned_and_the_end_stays_whole() -> None:
    count = 3 * MOST_MOMENTS
    with prometheus(("go_goroutines", SHOP, every(1, count, float))) as server:
        series = collect_history(HistoryRequest(server.url, AT, seconds=4 * MOST_MOMENTS))
    assert MOST_MOMENTS // 2 < len(series.samples) <= MOST_MOMENTS + 1
    assert series.samples[-2].values["goroutines"] == count - 2
    assert any("was kept" in gap.reason for gap in series.gaps)


def test_a_server_that_is_not_prometheus() -> None:
    with prometheus(status=404) as server, pytest.raises(TargetError, match="answers with status 404"):
        collect_history(HistoryRequest(server.url, AT, selector=read_selector("shop")))

    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"<html>")

    with serve(page) as server, pytest.raises(FormatError, match="not one of Prometheus"):
        collect_history(HistoryRequest(server.url, AT, selector=read_selector("shop")))


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("shop", 'job="shop"'),
        ('job="shop"', 'job="shop"'),
        ('{job="shop", instance=~"10.*"}', 'job="shop", instance=~"10.*"'),
        ('job="a,b}\\"c",', 'job="a,b}\\"c"'),
        ("", ""),
    ],
)
def test_selectors(text: str, matchers: str) -> None:
    assert read_selector(text).matchers == matchers


@pytest.mark.parametrize("text", ["job=shop", 'job="shop"}[1h', 'job="shop" or up', "a b", 'job="a"x="b"'])
def test_other_selectors_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_selector(text)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: list[str | Path], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as started:
        try:
            yield started
        finally:
            started.kill()


def wait_for(url: str, condition: str) -> None:
    """Ask Prometheus until it finds something."""
    for _ in range(150):
        with contextlib.suppress(TargetError):
            answer = json.loads(fetch(f"{url}/api/v1/query?{urlencode({'query': condition})}"))
            if answer["data"]["result"]:
                return
        time.sleep(0.2)
    pytest.fail(f"Prometheus did not find {condition}")


CONFIGURATION = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: shop
  static_configs: [{{targets: ['127.0.0.1:{shop}'], labels: {{namespace: prod, pod: shop-1, container: shop}}}}]
- {{job_name: kubelet, metrics_path: /cadvisor, static_configs: [{{targets: ['127.0.0.1:{shop}']}}]}}
- {{job_name: kube, metrics_path: /kube, static_configs: [{{targets: ['127.0.0.1:{shop}']}}]}}
- {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{own}']}}]}}
"""


@pytest.mark.live
def test_a_real_prometheus_tells_a_process_that_grew_and_died(tmp_path: Path) -> None:
    unpacked = ROOT / ".cache" / "prometheus" / "usr" / "bin" / "prometheus"
    server = shutil.which("prometheus") or str(unpacked)
    if not Path(server).is_file():
        reason = "there is no prometheus; `make test` unpacks it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    binary = tmp_path / "shop"
    source = ROOT / "tests" / "collect" / "prometheus_program"
    subprocess.run([go(), "build", "-o", binary, "main.go"], cwd=source, env=environment(GO111MODULE="off"), check=True)
    shop, own = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(CONFIGURATION.format(shop=shop, own=own))
    url = f"http://127.0.0.1:{own}"
    command: list[str | Path] = [server, "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{own}"]
    with running([*command, f"--storage.tsdb.path={tmp_path / 'data'}"], tmp_path):
        with running([binary, "-listen", f"127.0.0.1:{shop}"], tmp_path) as first:
            wait_for(url, 'count_over_time(go_goroutines{job="shop"}[1m]) >= 8')
            wait_for(url, 'count_over_time(container_memory_rss{container="shop"}[1m]) >= 8')
            first.send_signal(signal.SIGKILL)
            first.wait()
        died = time.time()
        with running([binary, "-listen", f"127.0.0.1:{shop}", "-restarts", "1"], tmp_path):
            wait_for(url, "kube_pod_container_status_restarts_total == 1")
            wait_for(url, 'changes(process_start_time_seconds{job="shop"}[1m]) > 0')
        request = HistoryRequest(url, died, 60, namespace="prod", pod="shop-1", container="shop")
        series = collect_history(request)
        itself = collect_history(HistoryRequest(url, time.time(), 60, read_selector("prometheus")))
        with pytest.raises(TargetError, match="knows 2 Go processes"):
            collect_history(HistoryRequest(url, died, 60))
    heap = [sample for sample in series.samples if "heap_alloc" in sample.values]
    assert len(heap) >= 8
    assert heap[-1].values["heap_goal"] > heap[0].values["heap_goal"]
    assert {"num_gc", "gogc", "total_alloc", "stack_inuse", "runtime_metadata"} <= heap[-1].values.keys()
    assert "memory_limit" not in heap[-1].values
    usage = [sample.values["container_usage"] for sample in series.samples if "container_usage" in sample.values]
    assert len(usage) >= 8
    assert min(usage) > 2**20
    assert series.samples[-1].values.get("container_limit", 128 << 20) == 128 << 20
    kinds = {event.kind: event for event in series.events}
    assert EventKind.RESTART in kinds
    assert kinds[EventKind.TERMINATED].labels["reason"] == "OOMKilled"
    assert series.limit_name == "limit of container shop"
    assert {"heap_alloc", "heap_goal", "rss", "process_started", "num_gc"} <= itself.samples[-1].values.keys()
