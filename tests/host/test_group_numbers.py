from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorded_kernel import KERNEL, LIMIT_BYTES
from whyheap.host.cgroup import Group
from whyheap.host.group_numbers import count_kills, read_group_numbers, read_pressure, read_task_numbers
from whyheap.model.gauge_units import CONTAINER

MIB = 1 << 20


def test_a_real_v1_group() -> None:
    values = read_group_numbers(KERNEL / "v1/before/pod", 1)
    assert 20 * MIB < values["container_charge"] < LIMIT_BYTES
    assert 20 * MIB < values["container_anon"] <= values["container_charge"]
    assert values["container_peak"] >= values["container_charge"]
    assert values["container_kernel"] > 0
    assert "container_swap_limit" not in values  # memory and swap together are unlimited
    assert read_group_numbers(KERNEL / "v1/after/pod", 1)["container_max_hits"] > values["container_max_hits"]


def test_a_real_v2_group() -> None:
    values = read_group_numbers(KERNEL / "v2/before/pod", 2)
    assert 20 * MIB < values["container_charge"] < LIMIT_BYTES
    assert values["container_charge"] == pytest.approx(
        sum(values[name] for name in ("container_anon", "container_file", "container_kernel")), rel=0.05
    )
    assert "container_high" not in values  # "max"
    assert values["container_ooms"] == 0
    after = read_group_numbers(KERNEL / "v2/after/pod", 2)
    assert after["container_ooms"] == 1
    assert after["container_max_hits"] > 0
    assert after["psi_some_seconds"] >= values["psi_some_seconds"]


@pytest.mark.parametrize("version", [1, 2])
def test_every_number_is_a_known_gauge(version: int) -> None:
    assert read_group_numbers(KERNEL / f"v{version}/after/pod", version).keys() <= CONTAINER.keys()


def test_v1_counts_a_kill_in_the_victims_group_alone() -> None:
    pod, shop = KERNEL / "v1/after/pod", KERNEL / "v1/after/shop"
    assert count_kills((pod, shop), 1) == {pod: 0, shop: 1}


def test_v2_counts_a_kill_in_all_groups_above_and_a_whole_groups_first_victim_twice() -> None:
    pod, before = KERNEL / "v2/after/pod", KERNEL / "v2/before/pod"
    events = dict(line.split() for line in (pod / "memory.events").read_text().splitlines())
    assert count_kills((pod, before), 2) == {pod: int(events["oom_kill"]) - 1, before: 0}


def test_a_group_without_files_tells_nothing(tmp_path: Path) -> None:
    assert read_group_numbers(tmp_path, 1) == read_group_numbers(tmp_path, 2) == {}
    assert count_kills((tmp_path,), 2) == {}
    assert read_pressure(tmp_path / "memory.pressure") == {}


def test_swap_of_v1_is_what_may_go_beyond_memory(tmp_path: Path) -> None:
    (tmp_path / "memory.limit_in_bytes").write_text(f"{64 * MIB}\n")
    (tmp_path / "memory.memsw.limit_in_bytes").write_text(f"{80 * MIB}\n")
    assert read_group_numbers(tmp_path, 1)["container_swap_limit"] == 16 * MIB


def test_sockets_count_as_the_kernels(tmp_path: Path) -> None:
    (tmp_path / "memory.stat").write_text("anon 1\nkernel 100\nsock 11\nslab 50\n")
    assert read_group_numbers(tmp_path, 2)["container_kernel"] == 111
    (tmp_path / "memory.stat").write_text("anon 1\nsock 11\nslab 50\npagetables 4\n")  # before Linux 5.18
    assert read_group_numbers(tmp_path, 2)["container_kernel"] == 65


def test_the_group_with_the_least_room_for_threads_is_told(tmp_path: Path) -> None:
    groups = []
    for name, count, limit in (("own", 10, "max"), ("pod", 90, "100"), ("all", 500, "4000")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pids.current").write_text(f"{count}\n")
        (folder / "pids.max").write_text(f"{limit}\n")
        groups.append(Group(f"/{name}", 2, folder))
    assert read_task_numbers(groups) == {"container_pids": 90.0, "container_pids_limit": 100.0}
    assert read_task_numbers(groups[:1]) == {"container_pids": 10.0}
    assert read_task_numbers(()) == {}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["memory.stat", "memory.current", "memory.events", "memory.pressure", "memory.max", "memory.peak"]),
    st.binary(max_size=60)
    | st.sampled_from([b"anon 9" + b"9" * 40, b"some avg10=nan total=1", b"full avg10=1e9 total=x"]),
)
def test_garbage_tells_nothing_that_is_no_number(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for version in (1, 2):
        values = read_group_numbers(tmp_path, version)
        assert all(0 <= value < 2**65 for value in values.values())
        count_kills((tmp_path,), version)
    (tmp_path / name).unlink()
