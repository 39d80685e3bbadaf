"""The end of a process that is not our child is told, where the kernel may tell us."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from whyheap.host.exit_events import ExitEvents

pytestmark = pytest.mark.live


def waited(events: ExitEvents) -> int | None:
    """Wait for the kernel's word for a second."""
    for _ in range(100):
        status = events.status()
        if status is not None:
            return status
        time.sleep(0.01)
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="the process connector tells root only")
@pytest.mark.parametrize(("command", "sign", "status"), [("exit 3", None, 3 << 8), ("sleep 20", signal.SIGKILL, 9)])
def test_exit_codes_and_signals_are_told(command: str, sign: signal.Signals | None, status: int) -> None:
    process = subprocess.Popen(["sh", "-c", f"sleep 0.2; {command}"])
    events = ExitEvents(process.pid)
    assert events.status() is None
    if sign is not None:
        process.send_signal(sign)
    process.wait()
    assert waited(events) == status
    events.close()


def test_other_processes_are_not_heard() -> None:
    events = ExitEvents(os.getpid())
    subprocess.run(["true"], check=True)
    time.sleep(0.05)
    assert events.status() is None
