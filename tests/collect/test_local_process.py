from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from group_tree import MIB, Tree
from recorded_kernel import KERNEL
from whyheap.collect import local_process
from whyheap.collect.local_process import LocalProcess, open_local_process
from whyheap.errors import TargetError
from whyheap.model.event import EventKind
from whyheap.model.gauge_units import UNITS

PROGRAM = "/srv/oomrecording"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a machine with the recorded process, in a group of its own."""
    tree = Tree(tmp_path)
    tree.group("/pod", limit=100, used=90, oom_kill=0)
    tree.process(7, "/pod", 20)
    for name in ("smaps", "limits", "status"):
        shutil.copy(KERNEL / "v1/before" / name, tree.proc / "7" / name)
    (tree.proc / "7/exe").symlink_to(PROGRAM)
    (tree.proc / "7/environ").write_bytes(b"SECRET=x\0GOGC=50\0GOMEMLIMIT=80MiB\0")
    (tree.proc / "stat").write_text("cpu 1\nbtime 1700000000\n")
    return tree


def test_a_bare_number_is_enough(tree: Tree) -> None:
    process = open_local_process(7, tree.proc)
    values = process.read()
    assert values.keys() <= UNITS.keys()
    assert values["gogc"] == 50
    assert values["memory_limit"] == 80 * MIB
    assert values["smaps_go_heap"] > 16 * MIB
    assert values["smaps_go_heap_inferred"] == 1
    assert values["smaps_text"] > MIB
    assert values["mappings"] > 20
    assert values["container_limit"] == 100 * MIB
    assert values["process_started"] == pytest.approx(1700000000 + 100 / os.sysconf("SC_CLK_TCK"))
    assert process.limit_name == "cgroup v2 /pod"
    assert process.gaps == []


def test_arenas_that_somebody_knows_measure_the_heap(tree: Tree) -> None:
    process = LocalProcess(7, {}, tree.proc, arenas=lambda: ((0, 1 << 47),))
    values = process.read()
    assert "smaps_go_heap_inferred" not in values
    assert values["smaps_go_heap"] > 16 * MIB


def test_arenas_that_cannot_be_had_any_more_are_inferred(tree: Tree) -> None:
    def arenas() -> tuple[tuple[int, int], ...]:
        raise TargetError("process 7 has ended", "")

    assert LocalProcess(7, {}, tree.proc, arenas=arenas).read()["smaps_go_heap_inferred"] == 1


def test_smaps_is_read_for_a_hundredth_of_the_time(tree: Tree) -> None:
    process = LocalProcess(7, {}, tree.proc)
    assert "smaps_rss" in process.read()
    found = process.read()
    assert "smaps_rss" not in found
    assert "rss_anon" in found


def test_smaps_that_may_not_be_read_is_a_gap_and_the_rest_is_told(tree: Tree) -> None:
    (tree.proc / "7/smaps").unlink()
    process = LocalProcess(7, {}, tree.proc)
    assert "rss_anon" in process.read()
    assert ["CAP_SYS_PTRACE" in gap.hint for gap in process.gaps] == [True]


def test_a_large_process_is_not_held_up(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree.proc / "7/smaps").unlink()
    pages = (KERNEL / "v1/before/smaps").read_text().splitlines()
    monkeypatch.setattr(local_process, "read_resident", lambda *_: pages)
    (tree.proc / "7/status").write_text("VmRSS: 900000 kB\n")
    process = LocalProcess(7, {}, tree.proc)
    values = process.read()
    assert values["smaps_go_heap"] > 16 * MIB
    assert not {"smaps_pss", "smaps_huge"} & values.keys()
    assert process.gaps == []


def test_another_process_with_its_number_is_not_it(tree: Tree) -> None:
    process = LocalProcess(7, {}, tree.proc)
    process.read()
    tree.process(7, "/pod", 20, started=999)
    assert not process.is_alive()
    assert process.read() == {}
    assert [event.kind for event in process.events()] == [EventKind.EXIT]
    assert process.events() == ()


def test_the_end_comes_with_the_kill_that_was_counted(tree: Tree) -> None:
    process = LocalProcess(7, {}, tree.proc)
    process.read()
    process.events()
    shutil.rmtree(tree.proc / "7")
    tree.group("/pod", limit=100, used=1, oom_kill=1)
    assert [event.kind for event in process.events()] == [EventKind.OOM_COUNTED, EventKind.EXIT]
    assert process.gaps == [gap for gap in process.gaps if gap.witness == "kernel"]


def test_a_process_whose_files_are_all_missing_tells_what_is_left(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.process(7, "/pod")
    for name in ("status", "cgroup"):
        (tree.proc / "7" / name).unlink()
    process = LocalProcess(7, {}, tree.proc)
    assert process.read().keys() <= UNITS.keys()
    assert {gap.witness for gap in process.gaps} == {"process", "container"}


def test_no_such_process_is_an_error(tree: Tree) -> None:
    with pytest.raises(TargetError, match="no process with pid 99"):
        open_local_process(99, tree.proc)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_real_process_is_read_quickly_and_its_end_is_seen() -> None:
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = open_local_process(child.pid)
        values = process.read()
        assert values["smaps_rss"] == pytest.approx(values["rss"], rel=0.2)
        took = []
        for _ in range(20):
            begun = time.perf_counter()
            process.read()
            took.append(time.perf_counter() - begun)
        assert sorted(took)[5] < 0.02  # some 1 ms on an idle machine
        child.kill()
        child.wait()
    (event,) = (event for event in process.events() if event.kind is EventKind.EXIT)
    assert event.labels["pid"] == str(child.pid)
