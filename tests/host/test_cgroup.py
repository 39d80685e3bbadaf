from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.host.cgroup import read_limit

MIB = 1 << 20
UNLIMITED = "9223372036854771712"


class Machine:
    """A file tree that looks like /proc and /sys/fs/cgroup."""

    def __init__(self, root: Path) -> None:
        self.proc = root / "proc"
        self.groups = root / "sys/fs/cgroup"
        for name in ("self", "7"):
            (self.proc / name).mkdir(parents=True)

    def join(self, membership: str, mountinfo: str, seen_by_process: str = "") -> None:
        (self.proc / "7/cgroup").write_text(membership)
        (self.proc / "self/mountinfo").write_text(mountinfo)
        (self.proc / "7/mountinfo").write_text(seen_by_process or mountinfo)

    def group(self, path: str, **files: str) -> None:
        folder = self.groups / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("memory_", "memory.")).write_text(text + "\n")

    def mount(self, below: str = "", root: str = "/", kind: str = "cgroup2 cgroup2 rw") -> str:
        point = str(self.groups / below).replace(" ", "\\040")
        return f"31 23 0:28 / / rw - ext4 /dev/sda rw\n42 31 0:29 {root} {point} rw,nosuid shared:9 master:1 - {kind}\n"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "a machine")


def test_v2_limit_without_what_the_kernel_can_drop(machine: Machine) -> None:
    machine.join("0::/shop\n", machine.mount())
    machine.group(
        "shop", memory_max=str(512 * MIB), memory_current=str(300 * MIB), memory_stat=f"inactive_file {50 * MIB}"
    )
    limit, gaps = read_limit(7, machine.proc)
    assert limit is not None
    assert (limit.path, limit.version, limit.limit_bytes, limit.room_bytes) == ("/shop", 2, 512 * MIB, 262 * MIB)
    assert gaps == ()


def test_the_parent_with_less_room_binds(machine: Machine) -> None:
    machine.join("0::/pod/shop\n", machine.mount())
    machine.group("pod", memory_max=str(1000 * MIB), memory_current=str(950 * MIB))
    machine.group("pod/shop", memory_max=str(512 * MIB), memory_current=str(100 * MIB))
    limit, _ = read_limit(7, machine.proc)
    assert limit is not None
    assert limit.path == "/pod"


def test_max_is_no_limit(machine: Machine) -> None:
    machine.join("0::/shop\n", machine.mount())
    machine.group("shop", memory_max="max", memory_current="5")
    assert read_limit(7, machine.proc) == (None, ())


def test_v1_memory_controller_beside_an_empty_v2(machine: Machine) -> None:
    v1 = machine.mount("memory", kind="cgroup cgroup rw,memory")
    v2 = machine.mount("unified").splitlines()[1] + "\n"
    machine.join("4:memory:/shop\n0::/\n", v1 + v2)
    machine.group("unified")
    machine.group("memory", memory_limit_in_bytes=UNLIMITED, memory_usage_in_bytes="1")
    machine.group("memory/shop", memory_limit_in_bytes=str(64 * MIB), memory_usage_in_bytes=str(MIB))
    limit, _ = read_limit(7, machine.proc)
    assert limit is not None
    assert (limit.version, limit.limit_bytes, limit.path) == (1, 64 * MIB, "/shop")


def test_v1_unlimited_is_no_limit(machine: Machine) -> None:
    machine.join("4:memory:/shop\n", machine.mount("memory", kind="cgroup cgroup rw,memory"))
    machine.group("memory/shop", memory_limit_in_bytes=UNLIMITED, memory_usage_in_bytes=str(MIB))
    assert read_limit(7, machine.proc) == (None, ())


def test_mount_of_a_container_that_shows_only_its_own_group(machine: Machine) -> None:
    machine.join("4:memory:/docker/abc/x\n", machine.mount("memory", "/docker/abc", "cgroup cgroup rw,memory"))
    machine.group("memory", memory_limit_in_bytes=str(64 * MIB), memory_usage_in_bytes=str(MIB))
    machine.group("memory/x", memory_limit_in_bytes=UNLIMITED, memory_usage_in_bytes=str(MIB))
    limit, _ = read_limit(7, machine.proc)
    assert limit is not None
    assert limit.limit_bytes == 64 * MIB


def test_sidecar_reads_the_group_of_the_process_through_its_root(machine: Machine) -> None:
    machine.join("0::/../shop\n", machine.mount(), "42 31 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    machine.group("", memory_max=str(1000 * MIB), memory_current="1")
    inside = machine.proc / "7/root/sys/fs/cgroup"
    inside.mkdir(parents=True)
    (inside / "memory.max").write_text(f"{128 * MIB}\n")
    (inside / "memory.current").write_text(f"{MIB}\n")
    limit, _ = read_limit(7, machine.proc)
    assert limit is not None
    assert limit.limit_bytes == 128 * MIB


@pytest.mark.parametrize("mountinfo", ["", "garbage\n", "1 2 3\n\n", "31 23 0:28 / /x rw - tmpfs tmpfs rw\n"])
def test_no_group_in_sight_is_a_gap(machine: Machine, mountinfo: str) -> None:
    machine.join("0::/shop\n", mountinfo)
    limit, gaps = read_limit(7, machine.proc)
    assert limit is None
    assert "no memory group" in gaps[0].reason


def test_a_process_that_is_gone_is_a_gap(machine: Machine) -> None:
    limit, gaps = read_limit(99, machine.proc)
    assert limit is None
    assert gaps[0].witness == "container"
