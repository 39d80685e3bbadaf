"""Ctrl-C while a program is being started: the program would live on, and nobody would know its number."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

_Process = TypeVar("_Process", "subprocess.Popen[str]", "subprocess.Popen[bytes]")
_Handler = Callable[[int, FrameType | None], Any]


def uninterrupted(start: Callable[[], _Process]) -> _Process:
    """Start a program that leads a group of its own; an interrupt that comes meanwhile ends the group, then is raised.

    Source: subprocess.py, Popen.__init__ (Python 3.11): what is raised between fork and return loses the child.
    """
    process: _Process | None = None
    try:
        with _held_back():
            process = start()
    except BaseException:
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with process:  # waits, and closes its pipes
                pass
        raise
    return process


@contextmanager
def _held_back() -> Iterator[None]:
    """Keep interrupts until the block has ended. Ignored ones stay so, and other threads get none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[signal.Signals] = []
    ours: dict[signal.Signals, _Handler] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                ours[number] = handler
                signal.signal(number, lambda number, _: held.append(signal.Signals(number)))
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
    for number in held:
        ours[number](number, None)
