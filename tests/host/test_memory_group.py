"""Groups of our own: a real limit, and nothing left behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from whyheap.host.limited_process import limited_process
from whyheap.host.memory_group import group_version, memory_group
from whyheap.host.process_files import is_running

pytestmark = pytest.mark.live

EATS = ["python3", "-c", "import time; print('ready', flush=True); held = bytearray(200 << 20); time.sleep(20)"]
# ready is said from the new session: before that the child still belongs to its parent's process group
ORPHANS = ["sh", "-c", "setsid sh -c 'echo ready; exec sleep 60' & exit 0"]


def test_a_program_is_killed_at_its_limit() -> None:
    assert group_version() is not None
    with memory_group(64 << 20) as group, limited_process(EATS, group=group) as program:
        assert program.line == "ready"
        for _ in range(100):
            if program.code is not None:
                break
            time.sleep(0.05)
        assert program.code == -9
        folder = group.folder
    assert not folder.exists()


def test_children_that_outlive_their_parent_are_ended_with_the_group() -> None:
    with memory_group(64 << 20) as group:
        with limited_process(ORPHANS, group=group) as program:
            assert program.line == "ready"
            program.process.wait()
        left = [Path("/proc", pid) for pid in group.procs.read_text().split()]
        assert left
        folder = group.folder
    assert not folder.exists()
    assert not any(is_running(int(process.name)) for process in left)
