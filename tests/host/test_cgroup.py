from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorded_kernel import KERNEL
from whyheap.host.cgroup import MOST_GROUPS, find_groups, read_limit, subgroups

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


def test_a_limit_is_named_as_the_kernel_names_it(machine: Machine) -> None:
    machine.join("4:memory:/docker/abc/x\n", machine.mount("memory", "/docker/abc", "cgroup cgroup rw,memory"))
    machine.group("memory/x", memory_limit_in_bytes=str(64 * MIB), memory_usage_in_bytes=str(MIB))
    assert [group.path for group in find_groups(7, machine.proc)] == ["/docker/abc/x", "/docker/abc"]


def sidecar(machine: Machine, membership: str, root: str, *folders: str) -> Path:
    """Show a process's groups only through its root; returns what it has mounted."""
    machine.join(membership, machine.mount(), f"42 31 0:29 {root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    machine.group("")
    inside = machine.proc / "7/root/sys/fs/cgroup"
    for folder in ("", *folders):
        (inside / folder).mkdir(parents=True, exist_ok=True)
        (inside / folder / "memory.current").write_text("1\n")
    return inside


def test_sidecar_follows_the_process_into_a_group_of_its_own_making(machine: Machine) -> None:
    inside = sidecar(machine, "0::/../shop/worker one\n", "/../shop", "worker one")
    assert find_groups(7, machine.proc)[0].folder == inside / "worker one"


def test_sidecar_finds_the_group_that_holds_the_process_where_names_do_not_tell(machine: Machine) -> None:
    inside = sidecar(machine, "0::/../..\n", "/../../x", "a", "a/b")
    (inside / "a/b/cgroup.procs").write_text("0\n7\n9\n")
    assert [group.folder for group in find_groups(7, machine.proc)] == [inside / "a/b", inside / "a", inside]


def test_a_name_cannot_lead_out_of_what_is_mounted(machine: Machine) -> None:
    inside = sidecar(machine, "0::/../../../shop\n", "/..")
    assert find_groups(7, machine.proc)[0].folder == inside


def test_parents_that_do_not_count_their_children_do_not_bind(machine: Machine) -> None:
    machine.join("4:memory:/pod/shop\n", machine.mount("memory", kind="cgroup cgroup rw,memory"))
    machine.group("memory/pod", memory_limit_in_bytes=str(MIB), memory_usage_in_bytes="1", memory_use_hierarchy="0")
    machine.group("memory/pod/shop", memory_limit_in_bytes=str(64 * MIB), memory_usage_in_bytes=str(MIB))
    limit, _ = read_limit(7, machine.proc)
    assert limit is not None
    assert limit.path == "/pod/shop"


def test_a_group_without_the_memory_controller_is_a_gap(machine: Machine) -> None:
    machine.join("0::/user.slice/me\n", machine.mount())
    machine.group("user.slice/me")
    limit, gaps = read_limit(7, machine.proc)
    assert limit is None
    assert "no memory controller" in gaps[0].reason
    assert "MemoryAccounting" in gaps[0].hint


def test_the_root_group_is_no_gap(machine: Machine) -> None:
    machine.join("0::/\n", machine.mount())
    machine.group("")
    assert read_limit(7, machine.proc) == (None, ())


def test_hybrid_pids_have_a_hierarchy_of_their_own(machine: Machine) -> None:
    mounts = [machine.mount(name, kind=f"cgroup cgroup rw,{name}") for name in ("memory", "pids")]
    machine.join("8:pids:/user\n4:memory:/shop\n0::/\n", "".join(mounts))
    machine.group("memory/shop")
    machine.group("pids/user")
    assert [group.path for group in find_groups(7, machine.proc, "pids")] == ["/user", "/"]


def test_a_real_hybrid_machine(machine: Machine) -> None:
    recorded = (KERNEL / "v1/before/mountinfo").read_text()
    machine.join(
        (KERNEL / "v1/before/cgroup").read_text(),
        recorded.replace("/sys/fs/cgroup", str(machine.groups).replace(" ", "\\040")),
    )
    machine.group("memory/whyheap-recording/shop one")
    machine.group("pids")
    machine.group("unified")
    groups = find_groups(7, machine.proc)
    assert [(group.path, group.version) for group in groups] == [
        ("/whyheap-recording/shop one", 1),
        ("/whyheap-recording", 1),
        ("/", 1),
    ]


def test_many_groups_are_bounded(tmp_path: Path) -> None:
    for number in range(MOST_GROUPS + 5):
        (tmp_path / str(number)).mkdir()
    assert sum(1 for _ in subgroups(tmp_path)) == MOST_GROUPS


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80), st.text(max_size=80))
def test_garbage_is_a_gap(tmp_path: Path, membership: str, mountinfo: str) -> None:
    machine = tmp_path / "proc"
    for name in ("self", "7"):
        (machine / name).mkdir(parents=True, exist_ok=True)
    (machine / "7/cgroup").write_text(membership, errors="replace")
    for name in ("self", "7"):
        (machine / name / "mountinfo").write_text(f"1 1 0:1 / {mountinfo} - cgroup2 {mountinfo}\n", errors="replace")
    limit, _ = read_limit(7, machine)
    assert limit is None or limit.limit_bytes >= 0
