"""Runs a program whose output is read to the end or to a time limit; either way what it said so far is kept."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import ToolError
from whyheap.host.interrupts import uninterrupted

MOST_BYTES = 16 << 20
"""What is kept of standard output: its beginning."""
_TAIL_BYTES = 1 << 20
_CHUNK = 1 << 16
_CRASH = ("panic: ", "fatal error: ")
_POLL_SECONDS = 0.2
_LAST_WORDS_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """How a program ended. `code` is its exit code, negative for a signal, None when the time limit ended it.

    `output` is the beginning of its standard output, `last_words` the end of both streams together.
    """

    code: int | None
    output: bytes
    last_words: bytes
    is_whole: bool = True

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines with words in them; of a Go program that crashed, its first words of that."""
        said, _, _ = self.last_words.decode("utf-8", "replace").partition("SIGQUIT: quit\n")
        lines = [line.strip() for line in said.split("\n") if line.strip()]
        crash = next((at for at, line in enumerate(lines) if line.startswith(_CRASH)), len(lines) - count)
        return lines[max(crash, 0) :][:count]


def run_measured(
    command: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None, seconds: float
) -> ProgramRun:
    """Run in a process group of its own, which ends with the program, at the limit, and when we are interrupted.

    At the limit a Go program says first where its goroutines are (SIGQUIT). `env` are changes to our environment.
    Raises ToolError when the program cannot be started.
    """
    heard = _Heard()
    try:
        process = uninterrupted(
            lambda: subprocess.Popen(  # noqa: S603 - a program that was built for this, no shell
                list(command),
                cwd=folder,
                env={**os.environ, "PWD": str(folder), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )
    except OSError as error:
        raise ToolError(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        code = heard.listen(process, time.monotonic() + seconds)
        if code is None:
            process.send_signal(signal.SIGQUIT)
            heard.listen(process, time.monotonic() + _LAST_WORDS_SECONDS)
    finally:
        _end(process)
    return ProgramRun(code, bytes(heard.output), bytes(heard.tail), is_whole=heard.dropped == 0)


class _Heard:
    """What a program said so far."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.tail = bytearray()
        self.dropped = 0

    def listen(self, process: subprocess.Popen[bytes], deadline: float) -> int | None:
        """Read until the program has ended, or until the deadline: None then.

        A child of its own that outlives it may hold the pipes open: that is not waited for.
        """
        with selectors.DefaultSelector() as selector:
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    os.set_blocking(stream.fileno(), False)
                    selector.register(stream, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                code = _ended(process)
                pause = _POLL_SECONDS if selector.get_map() else _POLL_SECONDS / 20  # closed: it ends any moment
                events = selector.select(0 if code is not None else min(left, pause))
                read = False
                for key, _ in events:
                    data = os.read(key.fd, _CHUNK)
                    read = read or bool(data)
                    if data:
                        self._keep(data, is_output=key.fileobj is process.stdout)
                    else:
                        selector.unregister(key.fileobj)
                if code is not None and not read:
                    return code

    def _keep(self, data: bytes, *, is_output: bool) -> None:
        self.tail += data
        del self.tail[:-_TAIL_BYTES]
        if is_output:
            room = MOST_BYTES - len(self.output)
            self.output += data[:room]
            self.dropped += max(len(data) - room, 0)


def _ended(process: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code of a program that has ended, without collecting it: its group keeps its number."""
    if not hasattr(os, "waitid"):
        return process.poll()
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group, and close the pipes."""
    if process.returncode is None:  # not collected yet, so no other group can have this number
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
