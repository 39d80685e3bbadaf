from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recorded_kernel as recorded
from whyheap.model.event import Event, EventKind
from whyheap.parse.oom_log import MATTERS, MOST_KILLS, is_about, parse_oom_log

OLD = [
    "shop invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0",
    "Task in /docker/ab killed as a result of limit of /docker",
    "memory: usage 65536kB, limit 65536kB, failcnt 347",
    "Memory cgroup out of memory: Kill process 77 (shop) score 1000 or sacrifice child",
    "Killed process 77 (shop) total-vm:900kB, anon-rss:700kB, file-rss:100kB, shmem-rss:8kB",
]
SUMMARY = "oom-kill:constraint={},nodemask=(null),cpuset=/,mems_allowed=0{},task_memcg={},task={},pid=7,uid=0"
KILLED = "Memory cgroup out of memory: Killed process 7 (shop) total-vm:9kB, anon-rss:8kB, file-rss:1kB, shmem-rss:2kB"


def events(*lines: str) -> list[Event]:
    return list(parse_oom_log([("", line) for line in lines]))


@pytest.mark.parametrize("version", recorded.VERSIONS)
def test_a_real_kill_names_limit_group_and_victim_whatever_it_calls_itself(version: str) -> None:
    kill = next(event for event in parse_oom_log(recorded.killed(version)) if event.kind is EventKind.OOM_KILL)
    labels = kill.labels
    assert labels["task"] == recorded.HOSTILE
    assert int(labels["pid"]) == recorded.victim(version)
    assert (labels["oom_group"], labels["task_group"]) == ("/whyheap-recording", "/whyheap-recording/shop one")
    assert labels["constraint"] == "CONSTRAINT_MEMCG"
    assert int(labels["limit"]) == recorded.LIMIT_BYTES
    assert 0.9 < int(labels["usage"]) / recorded.LIMIT_BYTES <= 1.01  # for a moment it may be more
    assert 0.9 < int(labels["group_anon"]) / recorded.LIMIT_BYTES <= 1
    assert int(labels["anon_rss"]) > 30 << 20
    assert kill.at.startswith("2001-09-09T")
    assert "reached its limit of 48 MiB" in kill.text
    assert kill.text.isprintable()


def test_a_group_that_is_killed_as_a_whole_names_each_victim_once() -> None:
    found = list(parse_oom_log(recorded.killed("v2")))
    kills = [event for event in found if event.kind is EventKind.OOM_KILL]
    assert len(kills) == 2  # though it has three lines, the last of a thread of the first
    assert kills[0].labels["task"] == recorded.HOSTILE
    assert {kill.labels["oom_group"] for kill in kills} == {"/whyheap-recording"}
    assert [event.labels["group"] for event in found if event.kind is EventKind.NOTE] == ["/whyheap-recording/shop one"]


@pytest.mark.parametrize("version", recorded.VERSIONS)
def test_lines_that_do_not_matter_may_be_left_out(version: str) -> None:
    lines = recorded.killed(version)
    kept = [line for line in lines if MATTERS.search(line[1])]
    assert list(parse_oom_log(kept)) == list(parse_oom_log(lines))


def test_words_before_linux_5_are_two_lines() -> None:
    (kill,) = events(*OLD)
    assert kill.labels["anon_rss"] == str(700 << 10)
    assert (kill.labels["oom_group"], kill.labels["task_group"]) == ("/docker", "/docker/ab")
    (without_sizes,) = events(*OLD[:-1])
    assert without_sizes.labels["task"] == "shop"
    assert "anon_rss" not in without_sizes.labels


def test_the_machine_itself_out_of_memory() -> None:
    (kill,) = events(
        SUMMARY.format("CONSTRAINT_NONE", ",global_oom", "/user.slice", "shop"),
        "Out of memory: Killed process 7 (shop) total-vm:9kB, anon-rss:8kB, file-rss:1kB, shmem-rss:2kB, UID:0",
    )
    assert kill.labels["constraint"] == "CONSTRAINT_NONE"
    assert kill.labels["task_group"] == "/user.slice"
    assert "oom_group" not in kill.labels
    assert "the machine was out of memory" in kill.text


def test_a_group_named_like_the_kernels_words_is_not_taken_for_another() -> None:
    name = "/a,task_memcg=/b"
    (kill,) = events(SUMMARY.format("CONSTRAINT_MEMCG", f",oom_memcg={name}", f"{name}/c", "shop"), KILLED)
    assert (kill.labels["oom_group"], kill.labels["task_group"]) == (name, f"{name}/c")


def test_a_name_that_ends_the_line_early_does_not_forge_sizes() -> None:
    forged = KILLED.replace("(shop)", "(x) total-vm:1kB, anon-rss:1kB, file-rss:1kB (y)")
    (kill,) = events(forged)
    assert kill.labels["anon_rss"] == str(8 << 10)


def test_an_earlier_kill_lends_the_next_one_nothing() -> None:
    first = SUMMARY.format("CONSTRAINT_MEMCG", ",oom_memcg=/a", "/a", "shop")
    other = (
        KILLED.replace("process 7", "process 9000").replace("(shop)", "(other)").replace("total-vm:9kB", "total-vm:5kB")
    )
    asked = "other invoked oom-killer: gfp_mask=0x0, order=0, oom_score_adj=0"
    kills = events(first, KILLED, asked, other)
    assert "oom_group" not in kills[1].labels


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"pid": "7"}, True),
        ({"pid": "7", "task_group": "/other", "oom_group": "/other"}, False),  # a number of another process namespace
        ({"pid": "8", "task_group": "/pod/shop/x", "oom_group": "/pod/shop"}, True),
        ({"pid": "8", "task_group": "/pod/sidecar", "oom_group": "/pod"}, True),
        ({"pid": "8", "task_group": "/pod/sidecar", "oom_group": "/pod/sidecar"}, False),
        ({"pid": "8", "task_group": "/pod/shopping", "oom_group": "/pod/shopping"}, False),
        ({"pid": "8", "task_group": "/elsewhere"}, False),
        ({"pid": "8", "task_group": "/pod/shop"}, True),  # the machine was short, and it hit a neighbour
        ({"pid": "8", "oom_group": "/", "task_group": "/x"}, False),
        ({"pid": "8"}, False),
    ],
)
def test_whose_kill_concerns_a_process(labels: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    event = Event(EventKind.OOM_KILL, "", "", "kernel", labels)
    assert is_about(event, 7, ("/pod/shop", "/pod", "/")) is expected


def test_in_the_root_group_only_its_own_number_counts() -> None:
    other = Event(EventKind.OOM_KILL, "", "", "kernel", {"pid": "8", "task_group": "/x", "oom_group": "/x"})
    own = Event(EventKind.OOM_KILL, "", "", "kernel", {"pid": "7", "task_group": "/x"})
    assert [is_about(event, 7, ("/",)) for event in (other, own)] == [False, True]


WORDS = st.sampled_from(
    [
        *OLD,
        SUMMARY,
        KILLED,
        "oom-kill:constraint=CONSTRAINT_MEMCG,",
        ",oom_memcg=",
        ",task_memcg=",
        ",task=",
        ",pid=99999999999",
        "Killed process ",
        "Tasks in / are going to be killed due to memory.oom.group set",
        "anon 99999999999999999999",
        "total-vm:999999999999999kB",
        "\n",
        ")",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(WORDS | st.text(max_size=30), max_size=6).map("".join), max_size=12))
def test_garbage_is_passed_over(lines: list[str]) -> None:
    for event in events(*lines):
        assert event.text.isprintable()
        assert all(value.isprintable() for value in event.labels.values())
        assert all(
            0 <= int(event.labels[name]) < 1 << 64
            for name in ("anon_rss", "limit", "group_anon")
            if name in event.labels
        )


def test_no_log_makes_more_events_than_can_be_kept() -> None:
    assert len(events(*[KILLED.replace("9kB", f"{number}kB") for number in range(MOST_KILLS + 50)])) == MOST_KILLS


def test_a_line_without_end_takes_no_time() -> None:
    line = "Memory cgroup out of memory: Killed process 7 (" + ") total-vm:9kB" * 50_000
    assert events(line, "oom-kill:constraint=A," + ",task=x,pid=1" * 50_000) == []
