from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from group_tree import MIB, Tree
from recorded_kernel import KERNEL, LIMIT_BYTES
from whyheap.collect.container import Container
from whyheap.model.event import EventKind
from whyheap.model.gauge_units import CONTAINER


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    tree.group("/pod", limit=100, used=90, oom_kill=0)
    tree.group("/pod/shop", limit=80, used=20, oom_kill=0)
    tree.process(7, "/pod/shop", 20)
    tree.process(8, "/pod/sidecar", 60, "proxy")
    return tree


class Clock:
    """A clock that is set by hand, and runs by `step` at each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_the_nearest_limit_and_who_is_under_it(tree: Tree) -> None:
    container = Container(7, tree.proc)
    values = container.read()
    assert values.keys() <= CONTAINER.keys()
    assert values["container_limit"] == 100 * MIB
    assert values["container_charge"] == values["container_usage"] == 90 * MIB
    assert values["container_own_charge"] == 20 * MIB
    assert values["container_processes"] == 2
    assert values["container_other_rss"] == 60 * MIB
    assert container.limit_name == "cgroup v2 /pod"
    assert container.gaps == []


def test_a_large_neighbour_is_named_once_and_again_when_it_has_doubled(tree: Tree) -> None:
    container = Container(7, tree.proc)
    container.read()
    (note,) = container.events()
    assert (note.labels["neighbour"], note.labels["pid"], note.labels["rss"]) == ("proxy", "8", str(60 * MIB))
    assert note.labels["group"] == "sidecar"
    container.read()
    assert container.events() == ()
    tree.process(8, "/pod/sidecar", 130, "proxy")
    container.clock = lambda: 1e9  # when neighbours are looked at again
    container.read()
    assert [event.labels["rss"] for event in container.events()] == [str(130 * MIB)]


def test_the_largest_neighbour_is_named_last_and_no_more_than_five(tree: Tree) -> None:
    for number in range(10):
        tree.process(20 + number, "/pod/sidecar", 11 + number, f"worker{number}")
    container = Container(7, tree.proc)
    container.read()
    assert [event.labels["neighbour"] for event in container.events()] == [
        *(f"worker{number}" for number in (6, 7, 8, 9)),
        "proxy",
    ]


def test_a_neighbour_that_is_whyheap_itself_is_counted_and_said_to_be(tree: Tree) -> None:
    tree.process(os.getpid(), "/pod/shop", 40, "whyheap")
    container = Container(7, tree.proc)
    assert container.read()["container_other_rss"] == 100 * MIB
    assert any("which is whyheap itself" in event.text for event in container.events())
    assert [one.pid for one in container.neighbours().processes if one.is_recorder] == [os.getpid()]


def test_names_are_shown_without_what_a_terminal_would_obey(tree: Tree) -> None:
    tree.process(8, "/pod/sidecar", 60, "a\x1b[2J\nb")
    container = Container(7, tree.proc)
    container.read()
    assert container.events()[0].labels["neighbour"] == "a?[2J?b"


def test_members_of_other_process_namespaces_count_though_they_cannot_be_seen(tree: Tree) -> None:
    (tree.groups / "pod/sidecar/cgroup.procs").write_text("0\n0\n8\n")
    assert Container(7, tree.proc).read()["container_processes"] == 4


def test_neighbours_are_looked_at_for_a_hundredth_of_the_time(tree: Tree) -> None:
    container = Container(7, tree.proc, clock=Clock(step=0.1))
    looks = ["container_other_rss" in container.read() for _ in range(100)]
    assert looks[0]
    assert 1 < sum(looks) < 10


def test_kills_a_changed_limit_and_pressure_are_events(tree: Tree) -> None:
    container = Container(7, tree.proc, clock=Clock(step=0.1))
    container.read()
    container.events()
    tree.group("/pod", limit=120, used=119, oom_kill=2, max=7, high=0)
    values = container.read()
    assert values["container_oom_kills"] == 2
    events = {event.kind: event for event in container.events()}
    assert events[EventKind.OOM_COUNTED].labels["kills"] == "2"
    assert events[EventKind.OOM_COUNTED].labels["group"] == "/pod"
    assert events[EventKind.LIMIT_CHANGED].labels == {"old": str(100 * MIB), "new": str(120 * MIB), "group": "/pod"}


def test_pressure_is_said_once_a_minute_with_all_counts_since(tree: Tree) -> None:
    clock = Clock()
    container = Container(7, tree.proc, clock=clock)
    said = []
    for second in range(130):
        clock.now = float(second)
        tree.group("/pod", limit=100, used=99, max=10 * second, high=0)
        container.read()
        said += [event for event in container.events() if event.kind is EventKind.PRESSURE]
    assert [event.labels["max_hits"] for event in said] == ["10", "600", "600"]


def test_waiting_for_memory_is_pressure(tree: Tree) -> None:
    (tree.groups / "pod/memory.pressure").write_text("some avg10=42.50 avg60=1.00 avg300=0.00 total=99\n")
    container = Container(7, tree.proc)
    assert container.read()["psi_some_avg10"] == pytest.approx(0.425)
    (event,) = (event for event in container.events() if event.kind is EventKind.PRESSURE)
    assert "waited for memory 42%" in event.text


def test_the_machines_pressure_is_told_where_the_group_tells_none_but_is_no_event(tree: Tree) -> None:
    (tree.proc / "pressure").mkdir()
    (tree.proc / "pressure/memory").write_text("some avg10=90.00 avg60=1.00 avg300=0.00 total=99\n")
    container = Container(7, tree.proc)
    assert container.read()["psi_some_avg10"] == pytest.approx(0.9)
    assert not [event for event in container.events() if event.kind is EventKind.PRESSURE]


def test_another_limit_that_has_become_nearer_is_no_change_of_a_limit(tree: Tree) -> None:
    container = Container(7, tree.proc)
    container.read()
    container.events()
    tree.group("/pod/shop", limit=80, used=79, oom_kill=0, max=900)
    assert container.read()["container_limit"] == 80 * MIB
    assert container.limit_name == "cgroup v2 /pod/shop"
    assert container.events() == ()


def test_a_process_that_is_moved_is_followed(tree: Tree) -> None:
    container = Container(7, tree.proc)
    container.read()
    tree.group("/other", limit=50, used=1)
    tree.process(7, "/other", 20)
    assert container.read()["container_limit"] == 50 * MIB


def test_a_kill_that_ended_the_process_is_counted_after_its_end(tree: Tree) -> None:
    container = Container(7, tree.proc)
    container.read()
    container.events()
    shutil.rmtree(tree.proc / "7")
    tree.group("/pod", limit=100, used=1, oom_kill=1)
    container.look_after_the_end()
    assert [event.kind for event in container.events()] == [EventKind.OOM_COUNTED]


def test_a_kill_is_counted_above_when_the_container_has_taken_its_group_along(tree: Tree) -> None:
    tree.group("/pod", used=90, oom_kill=4)
    container = Container(7, tree.proc)
    assert container.read()["container_limit"] == 80 * MIB
    shutil.rmtree(tree.proc / "7")
    shutil.rmtree(tree.groups / "pod/shop")
    tree.group("/pod", used=1, oom_kill=5)
    container.look_after_the_end()
    assert [event.labels["kills"] for event in container.events() if event.kind is EventKind.OOM_COUNTED] == ["1"]


def test_without_a_limit_only_kills_and_pressure_are_told(tree: Tree) -> None:
    tree.group("/pod", used=90, oom_kill=3)
    tree.group("/pod/shop", used=20, oom_kill=3)
    container = Container(7, tree.proc)
    assert container.read() == {"container_oom_kills": 3.0}
    assert container.limit_name == ""
    assert container.neighbours().processes == ()


def test_no_groups_in_sight_is_a_gap_and_nothing_else(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tree.proc / "7").mkdir()
    container = Container(7, tree.proc)
    assert container.read() == {}
    assert container.events() == ()
    assert [gap.witness for gap in container.gaps] == ["container"]


def test_a_real_v2_group_with_its_recorded_files(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    for name in ("pod", "shop"):
        shutil.copytree(KERNEL / "v2/before" / name, tree.groups / ("pod" if name == "pod" else "pod/shop"))
    (tree.groups / "pod/shop/cgroup.procs").write_text("")
    tree.process(7, "/pod/shop", 16)
    tree.process(8, "/pod/shop", 8, "sidecar")
    container = Container(7, tree.proc)
    values = container.read()
    assert values["container_limit"] == LIMIT_BYTES
    assert values["container_oom_kills"] == values["container_ooms"] == 0
    assert values["container_pids"] > 2
    for file in (KERNEL / "v2/after/pod").iterdir():
        shutil.copy(file, tree.groups / "pod" / file.name)
    container.look_after_the_end()
    (event,) = (event for event in container.events() if event.kind is EventKind.OOM_COUNTED)
    assert int(event.labels["kills"]) >= 2
