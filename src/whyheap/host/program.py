"""Runs a program to its end under a time limit; leaving early ends all processes that it started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from whyheap.errors import ToolError

_GRACE_SECONDS = 2


def run_program(
    command: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None, seconds: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run in a process group of its own and keep the output; `env` are changes to ours.

    Raises ToolError when the program cannot be started or takes longer than `seconds`.
    """
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603 - the caller's program, no shell
            list(command),
            cwd=folder,
            env={**os.environ, "PWD": str(folder), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} took longer than {seconds:g} s and was ended") from error
    finally:
        _end(process)
    return subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE_SECONDS)
            return
