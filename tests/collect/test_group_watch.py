from __future__ import annotations

from pathlib import Path

import pytest

from recorded_kernel import killed
from whyheap.collect import group_watch
from whyheap.collect.group_watch import GroupLook, GroupWatch, exit_event
from whyheap.host.kernel_log import KernelLog
from whyheap.model.event import EventKind

SHOP = Path("/groups/pod/shop")
CHAIN = ("/whyheap-recording/shop one", "/whyheap-recording", "/")


def look(kills: int = 0, chain: tuple[str, ...] = CHAIN) -> GroupLook:
    return GroupLook("/pod/shop", chain, {"container_limit": 1e8}, {SHOP: kills})


class Log(KernelLog):
    """The recorded log as it is read: all of it at once, and then nothing."""

    def __init__(self) -> None:
        self.error = ""
        self._lines = killed("v1")

    def read(self) -> list[tuple[str, str]]:
        found, self._lines = self._lines, []
        return found

    def close(self) -> None:
        """Nothing is open."""


def unreadable(tmp_path: Path) -> KernelLog:
    return KernelLog(tmp_path / "none")


def test_the_kernels_words_on_a_kill_in_the_group_are_told() -> None:
    watch = GroupWatch(1, Log())
    watch.look(look(), 0.0)
    (event,) = watch.events()
    assert event.kind is EventKind.OOM_KILL
    assert watch.events() == ()


def test_a_kill_elsewhere_is_not_told() -> None:
    watch = GroupWatch(1, Log())
    watch.look(look(chain=("/elsewhere", "/")), 0.0)
    assert watch.events() == ()


def test_a_first_look_is_no_rise(tmp_path: Path) -> None:
    watch = GroupWatch(1, unreadable(tmp_path))
    watch.look(look(kills=5), 0.0)
    assert watch.events() == ()
    assert watch.gaps == ()


def test_a_kill_that_nobody_names_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_watch, "read_journal", lambda _: [])
    watch = GroupWatch(1, unreadable(tmp_path))
    watch.look(look(), 0.0)
    watch.look(look(kills=1), 1.0)
    assert [event.kind for event in watch.events()] == [EventKind.OOM_COUNTED]
    (gap,) = watch.gaps
    assert "No such file" in gap.reason
    assert "dmesg_restrict" in gap.hint


def test_the_journal_is_asked_where_the_log_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "2026-05-01T03:12:00.000001+00:00 host kernel: "
    said = [head + text.replace("\n", "?") for _, text in killed("v1")]
    asked: list[float] = []

    def read(since: float) -> list[str]:
        asked.append(since)
        return said

    monkeypatch.setattr(group_watch, "read_journal", read)
    watch = GroupWatch(1, unreadable(tmp_path))
    watch.look(look(), 0.0)
    assert watch.events() == ()
    assert asked == []
    watch.look(look(kills=1), 1.0)
    kinds = [event.kind for event in watch.events()]
    assert sorted(kinds) == [EventKind.OOM_COUNTED, EventKind.OOM_KILL]
    assert watch.gaps == ()
    assert watch.events() == ()


@pytest.mark.parametrize(
    ("status", "labels"),
    [
        (None, {"pid": "7"}),
        (9, {"pid": "7", "known": "yes", "signal": "9"}),
        (2 << 8, {"pid": "7", "known": "yes", "code": "2"}),
        (6 | 0x80, {"pid": "7", "known": "yes", "signal": "6"}),  # with a core dump
    ],
)
def test_an_exit_says_how_where_that_is_known(status: int | None, labels: dict[str, str]) -> None:
    event = exit_event(7, status)
    assert event.kind is EventKind.EXIT
    assert event.labels == labels
