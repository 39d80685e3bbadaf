"""Child processes of a measurement: each is ended by its pid, also on Ctrl-C, and each can tell what it cost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command and its descendants took: elapsed time, CPU of all of them, and the peak RSS of the largest."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


class Children:
    """Processes that live as long as the block does."""

    def __init__(self) -> None:
        """Start with none."""
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Enter the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what still runs, the youngest first."""
        while self._running:
            stop(self._running.pop())

    def start(
        self,
        command: Sequence[str],
        folder: Path,
        log: Path,
        env: Mapping[str, str] | None = None,
        stdout: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command; what it prints goes to `log`, or standard output to `stdout` and the rest to `log`."""
        with log.open("wb") as output:
            child = _start(command, folder, env, output if stdout is None else stdout, output)
        self._running.append(child)
        return child


def _start(
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str] | None,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own: Ctrl-C reaches it, and what it started, through `stop` alone."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def stop(child: subprocess.Popen[bytes]) -> None:
    """End one process and its group: as Ctrl-C does, and by force when it does not listen."""
    if child.poll() is not None:
        return
    os.killpg(child.pid, signal.SIGINT)
    try:
        child.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def end_tidily() -> None:
    """Let the first SIGINT or SIGTERM unwind the blocks that end the children; a second one does not disturb that."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, interrupt)


def measure(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and say what it cost; its output goes nowhere. It must succeed."""
    started = time.monotonic()
    child = _start(command, folder, env, subprocess.DEVNULL, subprocess.DEVNULL)
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except KeyboardInterrupt:
        stop(child)
        raise
    wall_seconds = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"exit status {child.returncode}: {' '.join(command)}\n  in {folder}")
    return Cost(wall_seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def answer(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> tuple[int, bytes, bytes]:
    """Run a command to its end; return its status, standard output and standard error, whatever the status is."""
    child = _start(command, folder, env, subprocess.PIPE, subprocess.PIPE)
    try:
        output, errors = child.communicate()
    except KeyboardInterrupt:
        stop(child)
        raise
    return child.returncode, output, errors


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def wait_until_served(url: str, child: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Wait until `url` answers. Ends the measurement when the process dies or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and child.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  a URL of this script, on loopback
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    tail = log.read_text(errors="replace").splitlines()[-5:]
    sys.exit(f"no answer from {url}\n  " + "\n  ".join(tail))
