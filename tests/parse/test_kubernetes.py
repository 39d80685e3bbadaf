from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.errors import FormatError
from whyheap.model.event import EventKind
from whyheap.parse.kubectl_error import Problem, failure, problem
from whyheap.parse.kubernetes_events import parse_events, parse_node
from whyheap.parse.kubernetes_pod import SettingSource, parse_pod, parse_pod_usage
from whyheap.parse.kubernetes_quantity import parse_quantity

RECORDED = Path(__file__).parents[1] / "recorded" / "kubernetes"
PODS = sorted(path.stem for path in (RECORDED / "pods").glob("*.json"))


def recorded(kind: str, name: str) -> bytes:
    return (RECORDED / kind / f"shop-7d9f8c6b5d-{name}.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512Mi", 512 << 20),
        ("1.5Gi", 3 << 29),
        ("129M", 129_000_000),
        ("129e6", 129_000_000),
        ("128974848000m", 128_974_848),
        ("1500m", 2),
        ("8137660Ki", 8_137_660 << 10),
        (128974848, 128_974_848),
        ("0", 0),
        ("-1Gi", None),
        ("1 Gi", None),
        ("1GiB", None),
        ("99E99", None),
        (True, None),
        (None, None),
        ("", None),
    ],
)
def test_quantities_are_bytes_rounded_up(text: object, size: int | None) -> None:
    assert parse_quantity(text) == size


def test_limits_restarts_and_the_last_end() -> None:
    (shop,) = parse_pod(recorded("pods", "oomed")).containers
    assert (shop.name, shop.limit_bytes, shop.request_bytes, shop.restarts) == ("shop", 512 << 20, 256 << 20, 4)
    assert shop.ports == (("http", 8080), ("pprof", 6060))
    assert shop.is_running
    assert shop.has_liveness_probe
    assert shop.ended is None
    end = shop.ended_before
    assert end is not None
    assert (end.exit_code, end.signal, end.reason) == (137, 9, "OOMKilled")
    assert (end.started, end.finished) == ("2026-05-01T00:10:05.000Z", "2026-05-01T03:12:08.000Z")


def test_only_gos_own_variables_are_read() -> None:
    pod = parse_pod(recorded("pods", "oomed"))
    gogc, memory_limit = pod.containers[0].settings
    assert (memory_limit.name, memory_limit.source, memory_limit.value) == (
        "GOMEMLIMIT",
        SettingSource.RESOURCE,
        "limits.memory",
    )
    assert (gogc.source, gogc.of, gogc.key) == (SettingSource.CONFIG_MAP, "shop-tuning", "go.gc")
    assert "hunter2" not in repr(pod)
    (value,) = parse_pod(recorded("pods", "fine1")).containers[0].settings
    assert (value.source, value.value) == (SettingSource.VALUE, "450MiB")


def test_native_sidecars_count_and_init_containers_do_not() -> None:
    pod = parse_pod(recorded("pods", "sided"))
    assert [(one.name, one.is_sidecar) for one in pod.containers] == [("shop", False), ("mesh", True)]
    assert pod.pod_limit_bytes == 1 << 30


def test_what_whole_config_maps_may_set() -> None:
    (shop,) = [one for one in parse_pod(recorded("pods", "multi")).containers if one.name == "shop"]
    assert {(one.name, one.of, one.source) for one in shop.settings} == {
        (name, of, source)
        for name in ("GOMEMLIMIT", "GOGC")
        for of, source in (("shop-env", SettingSource.CONFIG_MAP), ("shop-secrets", SettingSource.UNREADABLE))
    }
    assert all(one.may_be_missing for one in shop.settings)


def test_an_eviction_carries_the_kubelets_numbers() -> None:
    (event,) = parse_events(recorded("events", "evict"))
    assert event.kind is EventKind.EVICTED
    assert event.labels["resource"] == "memory"
    assert int(event.labels["usage"]) == 734 << 20
    assert int(event.labels["request"]) == 256 << 20
    assert int(event.labels["available"]) == 89420 << 10


def test_failed_probes_and_the_kill_that_follows() -> None:
    readiness, liveness, killing = parse_events(recorded("events", "probe"))
    assert (readiness.labels["probe"], readiness.labels["count"]) == ("readiness", "9")
    assert (liveness.kind, liveness.labels["probe"], liveness.labels["container"]) == (
        EventKind.PROBE_FAILED,
        "liveness",
        "shop",
    )
    assert "token=abc" not in repr(liveness)
    assert (killing.labels["probe"], killing.labels["killed"]) == ("liveness", "yes")


def test_a_node_under_pressure() -> None:
    node = parse_node((RECORDED / "nodes" / "node-b.json").read_bytes())
    assert node.has_pressure
    assert node.pressure_since == "2026-05-01T03:05:00.000Z"
    assert node.capacity_bytes == 8_137_660 << 10


def test_usage_by_container() -> None:
    assert parse_pod_usage(recorded("metrics", "oomed")) == {"shop": 301_288 << 10}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"kind": "Pod"}', b"\xff", b"[" * 100_000])
def test_other_bytes_are_no_pod(body: bytes) -> None:
    with pytest.raises(FormatError):
        parse_pod(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_any_value_in_any_place_is_parsed_or_refused(data: st.DataObject) -> None:
    document = json.loads((RECORDED / "pods" / f"{data.draw(st.sampled_from(PODS))}.json").read_text())
    place = data.draw(st.sampled_from([place for place in _places(document) if place[1] != "name"]))
    place[0][place[1]] = data.draw(JSON)
    try:
        parse_pod(json.dumps(document).encode())
    except FormatError:
        return


@given(st.data())
def test_any_value_in_an_event(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["oomed", "probe", "evict"]))
    document = json.loads(recorded("events", name))
    place = data.draw(st.sampled_from(_places(document)))
    place[0][place[1]] = data.draw(JSON)
    parse_events(json.dumps(document).encode())
    parse_node(json.dumps(document).encode())
    parse_pod_usage(json.dumps(document).encode())


def _places(node: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        found += [(node, key), *_places(child)]
    return found


@given(st.text(max_size=100) | st.integers() | st.floats())
def test_any_quantity(text: object) -> None:
    size = parse_quantity(text)
    assert size is None or 0 <= size < 2**63


@pytest.mark.parametrize(
    ("stderr", "kind", "words", "hint"),
    [
        (
            'Error from server (Forbidden): pods "shop" is forbidden: User "jane" cannot get resource "pods" in API',
            Problem.FORBIDDEN,
            '"jane" may not get pods in namespace prod',
            "kubectl auth can-i get pods -n prod",
        ),
        ('Error from server (NotFound): pods "shop" not found', Problem.NOT_FOUND, "not found", "by hand"),
        (
            "error: You must be logged in to the server (Unauthorized)",
            Problem.UNAUTHORIZED,
            "refuses these credentials",
            "Log in",
        ),
        (
            "E0501 memcache.go:265]\nUnable to connect to the server: dial tcp: lookup k8s.example.com: no such host",
            Problem.UNREACHABLE,
            "cannot be reached",
            "get-contexts",
        ),
        ('error: context "blue" does not exist', Problem.UNREACHABLE, "cannot be reached", "get-contexts"),
        ("", Problem.OTHER, "says nothing", "by hand"),
    ],
)
def test_kubectls_refusals_name_the_way_out(stderr: str, kind: Problem, words: str, hint: str) -> None:
    assert problem(stderr) is kind
    error = failure(stderr, "pod prod/shop", "prod")
    assert words in error.message
    assert hint in error.hint


@given(st.text(max_size=200))
def test_any_words_of_kubectl_make_one_sentence(stderr: str) -> None:
    error = failure(stderr, "pod prod/shop", "prod")
    assert "\n" not in error.message
    assert len(error.message) < 600
