from __future__ import annotations

import platform
import signal
import subprocess

import pytest

from whyheap.host.process_end import ProcessEnd

TELLS = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2]) >= (6, 15)


@pytest.mark.skipif(platform.system() != "Linux", reason="pidfds are Linux's")
def test_the_wait_status_is_told_after_the_parent_has_taken_it() -> None:
    with subprocess.Popen(["sh", "-c", "read line; exit 7"], stdin=subprocess.PIPE) as child:
        end = ProcessEnd(child.pid)
        assert end.status() is None
        child.communicate(b"\n")
    assert end.status() == (7 << 8 if TELLS else None)
    end.close()
    assert end.status() is None


@pytest.mark.skipif(platform.system() != "Linux", reason="pidfds are Linux's")
def test_a_signal_is_told() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        end = ProcessEnd(child.pid)
        child.kill()
        child.wait()
    assert end.status() == (signal.SIGKILL if TELLS else None)


def test_of_a_process_that_is_not_there_nothing_is_known() -> None:
    end = ProcessEnd(2**22 + 1)  # beyond the largest pid_max
    assert end.status() is None
    end.close()
