"""A program of our own under a memory limit, from its first line of output to its end; it never outlives us."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from whyheap.errors import ToolError
from whyheap.host.interrupts import uninterrupted
from whyheap.host.memory_group import MemoryGroup

_LONGEST_LINE_BYTES = 4096
_LAST_WORDS_BYTES = 1 << 20


@dataclass(slots=True)
class LimitedProcess:
    """A running program. `line` is its first line of output, "" when it ended or stayed silent before one."""

    process: subprocess.Popen[bytes]
    line: str
    _errors: IO[bytes]

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self.process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    @property
    def last_words(self) -> bytes:
        """The end of what it wrote to standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _LAST_WORDS_BYTES))
        return self._errors.read()


@contextlib.contextmanager
def limited_process(
    command: Sequence[str],
    *,
    group: MemoryGroup | None = None,
    rlimits: Mapping[str, int] | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    line_seconds: float = 10.0,
) -> Iterator[LimitedProcess]:
    """Start a program in a memory group and wait for its first line; it and its children are killed at the end.

    `rlimits` are by the names of prlimit(1). Raises ToolError when it cannot be started.
    """
    words = list(command)
    if rlimits:
        words = ["prlimit", *(f"--{name}={value}" for name, value in rlimits.items()), "--", *words]
    if group is not None:  # the shell joins, then becomes the program: no page of it is charged elsewhere
        words = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group.procs), *words]
    with TemporaryFile() as errors:
        try:
            process = uninterrupted(
                lambda: subprocess.Popen(  # noqa: S603 - our own program
                    words,
                    cwd=folder,
                    env={**os.environ, **(env or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            )
        except OSError as error:
            raise ToolError(f"cannot run {words[0]}: {error.strerror}") from error
        try:
            yield LimitedProcess(process, _first_line(process, line_seconds), errors)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _first_line(process: subprocess.Popen[bytes], seconds: float) -> str:
    stream = process.stdout
    if stream is None:
        return ""
    deadline, said = time.monotonic() + seconds, b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in said and len(said) < _LONGEST_LINE_BYTES:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                break
            part = os.read(stream.fileno(), _LONGEST_LINE_BYTES)
            if not part:
                break
            said += part
    return said.partition(b"\n")[0].decode("utf-8", "replace").strip()
