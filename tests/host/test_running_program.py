"""The executable behind a number: what is none, and why, in one sentence each."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from whyheap.errors import TargetError
from whyheap.host.running_program import open_running_program

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")

ENTRY = 0x401000


def process(proc: Path, program: bytes, entry: int = ENTRY) -> Path:
    """Lay out /proc/7 with an executable that was started at `entry`."""
    folder = proc / "7"
    folder.mkdir()
    (proc / "program").write_bytes(program)
    (folder / "exe").symlink_to(proc / "program")
    (folder / "auxv").write_bytes(struct.pack("<6Q", 6, 4096, 9, entry, 0, 0))
    return folder


def elf(kind: int = 2, entry: int = ENTRY) -> bytes:
    """Return the first bytes of an ELF file of class `kind`."""
    return b"\x7fELF" + bytes([kind, 1, 1]) + bytes(17) + struct.pack("<Q", entry) + bytes(64)


def test_a_program_that_was_moved_tells_how_far(tmp_path: Path) -> None:
    process(tmp_path, elf(entry=0x1000), 0x5555_0000_1000)
    assert open_running_program(7, tmp_path).bias == 0x5555_0000_0000


@pytest.mark.parametrize(
    ("program", "words"),
    [(elf(1), "32-bit"), (b"#!/bin/sh\n" * 20, "no ELF program"), (b"\x7fELF", "no ELF program"), (b"", "empty")],
)
def test_what_is_no_64_bit_program_is_told(tmp_path: Path, program: bytes, words: str) -> None:
    process(tmp_path, program)
    with pytest.raises(TargetError, match=words) as caught:
        open_running_program(7, tmp_path)
    assert "pprof endpoint" in caught.value.hint


def test_a_thread_of_the_kernel_runs_no_program(tmp_path: Path) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "stat").write_text("7 (kworker/0:1) S 2 0 0 0 -1")
    with pytest.raises(TargetError, match="thread of the kernel"):
        open_running_program(7, tmp_path)


def test_a_zombie_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(TargetError, match="zombie"):
        open_running_program(child.pid)
    child.wait()


@pytest.mark.parametrize("pid", [-1, 0, 1 << 22])
def test_numbers_without_a_process(pid: int) -> None:
    with pytest.raises(TargetError, match="no process"):
        open_running_program(pid)
