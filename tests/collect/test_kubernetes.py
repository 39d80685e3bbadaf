from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stand_in_kubectl
from toolchains import ROOT, environment, go
from whyheap.collect.kubernetes import PodReading, collect_pod
from whyheap.collect.kubernetes_container import PodAddress, pod_address
from whyheap.collect.pod_witness import open_pod
from whyheap.collect.series import observe
from whyheap.errors import TargetError, ToolError, UsageError
from whyheap.host import kubectl as host_kubectl
from whyheap.host.kubectl import Kubectl
from whyheap.model.event import EventKind
from whyheap.parse.pprof import parse_profile

PREFIX = "shop-7d9f8c6b5d"


def kubectl(folder: Path, **settings: Any) -> Kubectl:
    return Kubectl(str(stand_in_kubectl.write(folder, **settings)))


def read(folder: Path, name: str, **settings: Any) -> PodReading:
    return collect_pod(PodAddress("prod", f"{PREFIX}-{name}"), kubectl(folder, **settings))


def test_the_contracts_form() -> None:
    assert pod_address("k8s:prod/shop-1:6060") == PodAddress("prod", "shop-1", 6060)
    assert pod_address("k8s:prod/shop-1").port is None
    for text in ("k8s:shop", "k8s:prod/", "k8s:prod/shop:0", "k8s:prod/shop:70000", "k8s:prod/-x", "k8s:--all/x"):
        with pytest.raises(UsageError):
            pod_address(text)


def test_a_pod_that_was_killed_for_its_memory(tmp_path: Path) -> None:
    reading = read(tmp_path, "oomed")
    assert reading.values == {
        "container_limit": 512 << 20,
        "container_request": 256 << 20,
        "container_usage": 301_288 << 10,
        "machine_memory": 8_137_660 << 10,
        "memory_limit": 512 << 20,
        "gogc": 60,
    }
    (ended,) = [event for event in reading.events if event.kind is EventKind.TERMINATED]
    assert ended.labels["reason"] == "OOMKilled"
    assert ended.labels["chosen"] == "yes"
    assert ended.text == "container shop ended with exit code 137 (OOMKilled) after 3 h 2 min; restarted 4 times so far"
    assert reading.limit_name == f"Kubernetes limit of container shop of pod prod/{PREFIX}-oomed"
    assert reading.ports == (6060, 8080)
    assert not reading.gaps
    assert [sample.values["container_limit"] for sample in reading.series.samples] == [512 << 20]


def test_secrets_are_neither_asked_for_nor_kept(tmp_path: Path) -> None:
    readings = [read(tmp_path, name) for name in ("oomed", "multi", "crash")]
    assert "hunter2" not in repr(readings)
    asked = (tmp_path / "asked.txt").read_text()
    assert "secret" not in asked
    assert not {"exec", "debug", "delete", "apply", "patch", "cp"} & set(asked.split())


def test_an_evicted_pod_is_told_once(tmp_path: Path) -> None:
    reading = read(tmp_path, "evict")
    assert [event.kind for event in reading.events].count(EventKind.EVICTED) == 1
    assert "has no memory limit" in reading.gaps[0].reason
    ended = next(event for event in reading.events if event.kind is EventKind.TERMINATED)
    assert not {"exit_code", "signal"} & ended.labels.keys()  # 137 is made up
    assert reading.limit_name == ""


def test_a_liveness_kill_is_told_apart_from_a_memory_kill(tmp_path: Path) -> None:
    kinds = {event.kind: event for event in read(tmp_path, "probe").events}
    assert kinds[EventKind.TERMINATED].labels["reason"] == "Error"
    assert kinds[EventKind.PROBE_FAILED].labels["killed"] == "yes"


def test_the_last_words_of_the_previous_container(tmp_path: Path) -> None:
    reading = read(tmp_path, "crash")
    crash = next(event for event in reading.series.events if event.kind is EventKind.CRASH)
    assert crash.labels["about"] == "memory"
    assert crash.at.startswith("2026-05-01T03:12:07")
    (dying,) = reading.series.samples  # what is told now belongs to it
    assert dying.goroutines
    assert dying.values["container_limit"] == 512 << 20
    assert dying.values["process_started"] == 1_777_605_068  # the run that died, not the next one
    assert reading.values["gogc"] == -1
    assert any("GOMEMLIMIT comes from a secret" in gap.reason for gap in reading.gaps)
    with pytest.raises(TargetError, match=r"does not run now \(CrashLoopBackOff\)"):
        open_pod(reading, kubectl(tmp_path))


def test_of_several_containers_the_one_that_died_is_looked_at_and_that_is_said(tmp_path: Path) -> None:
    reading = read(tmp_path, "multi")
    assert reading.container.name == "shop"
    assert reading.values["memory_limit"] == 400 << 20
    assert "has 3 containers; shop is looked at: it was OOMKilled (others: envoy, logs)" in reading.gaps[0].reason
    address = PodAddress("prod", f"{PREFIX}-multi", 15001)
    assert collect_pod(address, kubectl(tmp_path)).container.name == "envoy"
    named = PodAddress("prod", f"{PREFIX}-multi", None, "logs")
    assert collect_pod(named, kubectl(tmp_path)).values["container_limit"] == 64 << 20
    with pytest.raises(TargetError, match="has no container web"):
        collect_pod(PodAddress("prod", f"{PREFIX}-multi", None, "web"), kubectl(tmp_path))


def test_a_limit_of_the_pod_as_a_whole(tmp_path: Path) -> None:
    reading = collect_pod(PodAddress("prod", f"{PREFIX}-sided", 8080), kubectl(tmp_path))
    assert (reading.container.name, reading.values["container_limit"]) == ("shop", 1 << 30)
    assert reading.limit_name == f"Kubernetes limit of pod prod/{PREFIX}-sided"


def test_no_such_pod_names_those_that_are_near(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="there is no pod shop-7d9f8c6b5d-omed in namespace prod") as caught:
        read(tmp_path, "omed")
    assert f"Did you mean {PREFIX}-oomed" in caught.value.hint


def test_what_may_not_be_read_is_an_error_for_the_pod_and_a_gap_for_the_rest(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r'"jane@example\.com" may not get pods in namespace prod') as caught:
        read(tmp_path, "fine1", forbidden=["pods"])
    assert "kubectl auth can-i get pods -n prod" in caught.value.hint
    reading = read(tmp_path, "fine1", forbidden=["events", "nodes"])
    assert {gap.reason.partition(" may not")[0] for gap in reading.gaps} >= {
        f"the events of pod prod/{PREFIX}-fine1",
        "node node-b",
    }


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="the cluster cannot be reached"):
        read(tmp_path, "fine1", unreachable=True)
    slow = Kubectl(str(stand_in_kubectl.write(tmp_path, slow_seconds=30)), 0.5)
    begun = time.monotonic()
    with pytest.raises(ToolError, match=r"kubectl get took longer than 0\.5 s"):
        collect_pod(PodAddress("prod", "x"), slow)
    assert time.monotonic() - begun < 5


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    binary = tmp_path_factory.mktemp("service") / "flat"
    source = ROOT / "tests" / "causes" / "healthy" / "flat"
    subprocess.run([go(), "build", "-o", binary, "main.go"], cwd=source, env=environment(GO111MODULE="off"), check=True)
    return binary


@pytest.fixture
def running(service: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen([service], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


def is_running(folder: Path, word: str) -> bool:
    pids = [line.split()[0] for line in (folder / "asked.txt").read_text().splitlines() if word in line]
    files = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    return any(file.exists() and b"kubectl" in file.read_bytes() for file in files)


@pytest.mark.live
def test_a_live_process_through_a_port_forward(tmp_path: Path, running: tuple[subprocess.Popen[str], int]) -> None:
    process, port = running
    tool = kubectl(tmp_path, ports={"8080": port})
    reading = collect_pod(PodAddress("prod", f"{PREFIX}-oomed"), tool)
    with open_pod(reading, tool) as witness:  # 6060 refuses, 8080 answers
        series = observe(witness, 1.0, 0.5)
        assert parse_profile(witness.profile()).values
        assert is_running(tmp_path, "port-forward")
        last = series.samples[-1].values
        assert last["heap_alloc"] > 20 << 20
        assert last["container_limit"] == 512 << 20
        assert last["gogc"] == 60
        assert last["process_started"] == 1_777_605_129
        assert series.samples[0].goroutines
        assert series.pid is None
        assert not series.gaps
        process.kill()
        process.wait()
        after = stand_in_kubectl.RECORDED / "pods" / f"{PREFIX}-probe.json"
        stand_in_kubectl.write(tmp_path, pods={f"{PREFIX}-oomed": str(after)})
        ended = observe_until_it_fails(witness)
        assert {event.labels["reason"] for event in ended if event.kind is EventKind.TERMINATED} == {"Error"}
    assert not is_running(tmp_path, "port-forward")


def observe_until_it_fails(witness: Any) -> tuple[Any, ...]:
    with pytest.raises(TargetError):
        witness.sample()
    return tuple(witness.events())


@pytest.mark.live
def test_without_the_right_to_forward_the_proxy_is_used(
    tmp_path: Path, running: tuple[subprocess.Popen[str], int]
) -> None:
    tool = kubectl(tmp_path, ports={"6060": running[1]}, forbidden=["pods/portforward"])
    reading = collect_pod(PodAddress("prod", f"{PREFIX}-fine1", 6060), tool)
    with open_pod(reading, tool) as witness:
        moment = witness.sample()
        assert moment.values["heap_alloc"] > 20 << 20
        assert moment.values["memory_limit"] == 450 << 20
        assert parse_profile(witness.profile()).values
        assert "the API server's proxy is used" in witness.gaps[0].reason


@pytest.mark.live
def test_a_port_without_profiles_and_ctrl_c_leave_nothing_behind(tmp_path: Path) -> None:
    tool = kubectl(tmp_path)
    reading = collect_pod(PodAddress("prod", f"{PREFIX}-fine1", 9999), tool)
    with pytest.raises(TargetError, match=r"port 9999 of pod prod/shop-7d9f8c6b5d-fine1 has no net/http/pprof"):
        open_pod(reading, tool)
    assert not is_running(tmp_path, "port-forward")
    slow = kubectl(tmp_path, slow_seconds=60)
    thread = threading.Thread(target=slow.run, args=("get", "pods"), daemon=True)
    thread.start()
    while not is_running(tmp_path, "get pods"):
        time.sleep(0.05)
    host_kubectl.end_running()
    thread.join(5)
    assert not is_running(tmp_path, "get pods")
