"""What is changed of a group is put back: at the end, on an error, and when we are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from whyheap.errors import TargetError
from whyheap.host.cgroup_control import held_at_limit, throttled

MIB = 1 << 20
THROTTLES = """
import sys, time
from pathlib import Path
from whyheap.host.cgroup_control import throttled
with throttled(Path(sys.argv[1]), 2, 1000):
    print(flush=True)
    time.sleep(60)
"""


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A group of cgroup v2, as files."""
    (tmp_path / "memory.high").write_text("max\n")
    (tmp_path / "cgroup.procs").write_text("7\n")
    return tmp_path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A group of cgroup v1, as files."""
    (tmp_path / "memory.oom_control").write_text("0")
    (tmp_path / "memory.limit_in_bytes").write_text("64")
    (tmp_path / "cgroup.procs").write_text("7\n")
    return tmp_path


def test_high_is_set_and_put_back(second: Path) -> None:
    with throttled(second, 2, 95 * MIB):
        assert (second / "memory.high").read_text() == str(95 * MIB)
    assert (second / "memory.high").read_text() == "max"


def test_high_is_put_back_after_an_error(second: Path) -> None:
    with pytest.raises(ValueError, match="oh"), throttled(second, 2, 95 * MIB):
        raise ValueError("oh")
    assert (second / "memory.high").read_text() == "max"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_high_is_put_back_when_we_are_killed(sign: signal.Signals, second: Path) -> None:
    command = [sys.executable, "-c", THROTTLES, str(second)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert (second / "memory.high").read_text() == "1000"
        process.send_signal(sign)
    deadline = time.monotonic() + 10
    while (second / "memory.high").read_text() != "max":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_held_and_let_go(first: Path) -> None:
    control = first / "memory.oom_control"
    with held_at_limit(first, 1) as held:
        assert control.read_text() == "1"
        assert not held.is_at_limit
        control.write_text("oom_kill_disable 1\nunder_oom 1\noom_kill 0\n")
        assert held.is_at_limit
        held.let_go()
        assert control.read_text() == "0"
    assert control.read_text() == "0"


def test_a_raised_limit_stays_and_that_with_swap_is_raised_first(first: Path) -> None:
    (first / "memory.memsw.limit_in_bytes").write_text("64")
    with held_at_limit(first, 1) as held:
        held.raise_limit(128)
    assert (first / "memory.limit_in_bytes").read_text() == "128"
    assert (first / "memory.memsw.limit_in_bytes").read_text() == "128"


def test_our_own_group_is_not_held(first: Path) -> None:
    below = first / "below"
    below.mkdir()
    (below / "cgroup.procs").write_text(f"{os.getpid()}\n")
    with pytest.raises(TargetError, match="freeze as well"), held_at_limit(first, 1):
        pass
    assert (first / "memory.oom_control").read_text() == "0"


def test_each_version_names_the_others_way(first: Path) -> None:
    with pytest.raises(TargetError) as caught, held_at_limit(first, 2):
        pass
    assert "--high" in caught.value.hint
    with pytest.raises(TargetError) as caught, throttled(first, 1, 1):
        pass
    assert "--hold-at-limit" in caught.value.hint


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot be read"), throttled(tmp_path / "none", 2, 1):
        pass
    with pytest.raises(TargetError, match="cannot be written"), held_at_limit(tmp_path / "none", 1):
        pass
