"""Starts a second Python of ours, to use another core. It ends with its work, or as soon as this process is gone."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

from whyheap.host.interrupts import uninterrupted

_SECONDS_TO_END = 2.0
_running: list[subprocess.Popen[bytes]] = []


def start(module: str, job: bytes) -> subprocess.Popen[bytes] | None:
    """Run a module of this package, which gets `job` from `read_job`; None where that is of no use or not possible.

    Its standard input stays open as long as this process lives. What it has to say, it leaves in files.
    """
    if not sys.executable or cores() < 2:  # noqa: PLR2004 - one is busy
        return None
    try:
        process = uninterrupted(
            lambda: subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-m", module],  # -P: no module is taken from the user's folder
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches it through us
            )
        )
    except OSError:
        return None
    if not _running:
        atexit.register(_end_all)
    _running.append(process)
    threading.Thread(target=_hand_over, args=(process.stdin, job), daemon=True).start()
    return process


def is_running(process: subprocess.Popen[bytes]) -> bool:
    """Whether it still works; when it has ended, nothing of it is left."""
    if process.poll() is None:
        return True
    _close(process)
    if process in _running:
        _running.remove(process)
    return False


def read_job() -> bytes:
    """Return what `start` was given; from then on the end of the starting process raises KeyboardInterrupt here."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a script's & or nohup started us
    source = sys.stdin.buffer
    size = int.from_bytes(source.read(8), "big")
    job = source.read(size)
    threading.Thread(target=_end_with, args=(source,), daemon=True).start()
    return job


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _end_all() -> None:
    """End what nobody waited for, and leave no zombie."""
    for process in _running:
        _close(process)
    for process in _running:
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _hand_over(target: IO[bytes], job: bytes) -> None:
    with suppress(OSError, ValueError):  # it has ended early
        target.write(len(job).to_bytes(8, "big") + job)
        target.flush()


def _end_with(source: IO[bytes]) -> None:
    source.read(1)
    _thread.interrupt_main()
