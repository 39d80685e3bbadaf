"""The end of a process that is not our child is noticed at once, with its wait status where the kernel tells."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from whyheap.host.process_wait import ProcessWait

LONGEST_SECONDS = 20.0
_GRANDCHILD = (
    "import subprocess, sys; p = subprocess.Popen(['sh', '-c', sys.argv[1]]); print(p.pid, flush=True); p.wait()"
)


@contextmanager
def foreign(command: str) -> Iterator[int]:
    """A process whose parent is not us, and takes its status at once."""
    with subprocess.Popen([sys.executable, "-c", _GRANDCHILD, command], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        yield int(parent.stdout.readline())
        parent.kill()


def test_an_end_is_noticed_at_once() -> None:
    with foreign("sleep 0.4; exit 3") as pid:
        wait = ProcessWait(pid)
        assert not wait.has_ended()
        assert wait.has_ended(LONGEST_SECONDS)
        assert wait.has_ended()
        wait.close()


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="the kernel tells root only")
@pytest.mark.parametrize(("command", "status"), [("exit 3", 3 << 8), ("kill -9 $$", signal.SIGKILL)])
def test_how_it_ended_is_told_though_its_parent_took_the_status(command: str, status: int) -> None:
    with foreign(f"sleep 0.4; {command}") as pid:
        wait = ProcessWait(pid)
        assert wait.has_ended(LONGEST_SECONDS)
        deadline = time.monotonic() + 5
        while wait.status() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert wait.status() == status
        wait.close()


def test_without_pidfds_it_is_noticed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with foreign("sleep 0.3") as pid:
        wait = ProcessWait(pid)
        assert not wait.has_ended(0.01)
        assert wait.has_ended(LONGEST_SECONDS)


def test_waiting_ends_when_it_is_stopped() -> None:
    stop = threading.Event()
    wait = ProcessWait(os.getpid())
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    assert not wait.has_ended(LONGEST_SECONDS, stop)
    assert time.monotonic() - begun < LONGEST_SECONDS / 2
    wait.close()


def test_a_number_that_no_process_has_has_ended() -> None:
    assert ProcessWait(2**22 + 1).has_ended()
