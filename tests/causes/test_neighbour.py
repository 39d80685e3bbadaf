from __future__ import annotations

from causes.outside_series import counted, exited, grows, killed, samples, slugs, verdicts, words
from causes.series import MIB
from whyheap.model.event import Event, EventKind
from whyheap.model.finding import Certainty

NAMED = Event(EventKind.NOTE, "", "", "container", {"neighbour": "shipper", "pid": "77", "rss": "50"})
OWN_DEATH = (counted(), killed(), exited(signal="9", known="yes"))


def test_the_largest_was_killed_but_another_grew() -> None:
    made = samples(
        rss=70.0 * MIB, rss_anon=64.0 * MIB, sys=80.0 * MIB, container_other_rss=grows(4), container_processes=2.0,
        container_usage=grows(4, 76),
    )  # fmt: skip
    (cause,) = [cause for cause in verdicts(made, NAMED, *OWN_DEATH) if cause.cause == "neighbour"]
    assert cause.bytes == 50 * MIB
    assert cause.summary == (
        "other processes of the group held 50 MiB, most of it shipper (pid 77), and grew 4.0 MiB/s: the kernel killed "
        "the process at the limit of 128 MiB; this one had 70 MiB and is not what fills it"
    )
    assert "look at shipper instead" in cause.advice[0]


def test_a_victim_that_is_another_process_is_named() -> None:
    made = samples(container_other_rss=100.0 * MIB, container_usage=116.0 * MIB)
    (cause,) = verdicts(made, counted(), killed(pid="77", task="proxy", anon_rss=str(110 * MIB)))
    assert cause.cause == "neighbour"
    assert cause.certainty is Certainty.STATED
    assert cause.bytes == 110 * MIB
    assert cause.summary.startswith("the kernel killed proxy (pid 77), which held 110 MiB")


def test_a_count_alone_names_nobody_but_it_was_not_this_one() -> None:
    (cause,) = verdicts(samples(), counted("2026-01-01T00:00:06Z"))
    assert cause.cause == "neighbour"
    assert "another process of the group" in cause.summary


def test_a_parents_limit_is_told_from_the_groups_own() -> None:
    made = samples(container_charge=126.0 * MIB, container_own_charge=16.0 * MIB, container_usage=126.0 * MIB)
    parent = killed(oom_group="/pods", task_group="/pods/shop")
    (cause,) = verdicts(made, counted(), parent, exited(signal="9", known="yes"))
    assert cause.cause == "neighbour"
    assert "the limit of /pods was reached, a group above /pods/shop" in cause.summary
    assert "find what else runs below /pods" in words(cause)


def test_its_own_growth_under_a_parents_limit_is_its_own() -> None:
    made = samples(
        rss=grows(8, 12), rss_anon=grows(8, 10), container_usage=grows(8, 20), container_charge=grows(8, 20),
        container_own_charge=grows(8, 14),
    )  # fmt: skip
    parent = killed(oom_group="/pods", task_group="/pods/shop")
    assert slugs(made, counted(), parent, exited(signal="9", known="yes")) == ["off-heap"]


def test_a_level_neighbour_in_a_group_with_room_is_none() -> None:
    assert slugs(samples(container_other_rss=50.0 * MIB, container_usage=70.0 * MIB)) == []


def test_a_neighbour_that_grows_less_than_the_process_is_not_the_cause() -> None:
    made = samples(
        rss=grows(6, 12), rss_anon=grows(6, 10), container_other_rss=grows(2, 10), container_usage=grows(8, 22)
    )
    assert slugs(made) == ["off-heap"]


def test_its_own_kill_does_not_accuse_others() -> None:
    made = samples(rss_anon=grows(8, 10), container_usage=grows(8, 22), container_other_rss=0.0)
    assert slugs(made, *OWN_DEATH) == ["off-heap"]
