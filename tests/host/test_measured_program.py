"""A program's words are kept however it ends, and nothing of it is left."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from whyheap.errors import ToolError
from whyheap.host.measured_program import MOST_BYTES, ProgramRun, run_measured


def shell(script: str, folder: Path, seconds: float = 20.0) -> ProgramRun:
    return run_measured(["/bin/sh", "-c", script], folder, seconds=seconds)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_both_streams_and_the_code_are_kept(tmp_path: Path) -> None:
    run = shell("pwd; echo oops >&2; exit 3", tmp_path)
    assert (run.code, run.output.decode().strip(), run.is_whole) == (3, str(tmp_path), True)
    assert "oops" in run.last_lines(5)


def test_a_signal_is_told(tmp_path: Path) -> None:
    assert shell("kill -9 $$", tmp_path).code == -9


def test_the_limit_ends_it_and_keeps_what_it_said(tmp_path: Path) -> None:
    run = shell("echo begun; exec sleep 60", tmp_path, seconds=0.5)
    assert (run.code, run.output) == (None, b"begun\n")


def test_children_end_with_it_and_are_not_waited_for(tmp_path: Path) -> None:
    run = shell("sleep 600 & echo $!", tmp_path)
    assert run.code == 0
    if hasattr(os, "waitid"):
        deadline = time.monotonic() + 10
        while runs(int(run.output)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not runs(int(run.output))


def test_endless_output_is_cut(tmp_path: Path) -> None:
    run = shell(f"head -c {MOST_BYTES + 5000} /dev/zero; echo; echo last", tmp_path)
    assert (len(run.output), run.is_whole, run.code) == (MOST_BYTES, False, 0)
    assert run.last_lines(1) == ["last"]


def test_a_crash_is_told_from_its_first_words(tmp_path: Path) -> None:
    run = shell(
        "echo a; echo b; echo 'panic: oh'; echo; echo 'goroutine 1 [running]:'; echo c; echo d; exit 2", tmp_path
    )
    assert run.last_lines(3) == ["panic: oh", "goroutine 1 [running]:", "c"]


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot run"):
        run_measured([str(tmp_path / "none")], tmp_path, seconds=1)
