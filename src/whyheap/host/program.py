"""Runs a program to its end under a time limit; leaving early ends all processes that it started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from whyheap.errors import ToolError
from whyheap.host.interrupts import uninterrupted

_GRACE_SECONDS = 1


def run_program(
    command: Sequence[str],
    folder: Path,
    *,
    env: Mapping[str, str | None] | None = None,
    seconds: float = 600,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run in a process group of its own and keep the output; `stdin` is what it reads.

    `env` are changes to our environment; None takes a variable out.

    Raises ToolError when the program cannot be started or takes longer than `seconds`.
    """
    changed = {**os.environ, "PWD": str(folder), **(env or {})}
    environment = {name: value for name, value in changed.items() if value is not None}
    with go_folder(environment):
        return _run(list(command), folder, environment, seconds, stdin)


def _run(
    command: list[str], folder: Path, environment: Mapping[str, str], seconds: float, stdin: str | None
) -> subprocess.CompletedProcess[str]:
    name = Path(command[0]).name
    try:
        process = uninterrupted(
            lambda: subprocess.Popen(  # noqa: S603 - the caller's program, no shell
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        )
    except OSError as error:
        raise ToolError(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        stdout, stderr = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} took longer than {seconds:g} s and was ended") from error
    finally:
        end_group(process)
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def end_group(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a process that still runs, and all of its group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE_SECONDS)


def kill_group(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End what is left of a process's group, whether it still runs itself or not: what catches SIGTERM, too."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def go_folder(environment: dict[str, str]) -> Iterator[Path]:
    """Give go a working folder of our own in `environment`, and remove it: an interrupted go leaves its own behind.

    Source: cmd/go/internal/work/action.go, NewBuilder (Go 1.27): go removes it only where it exits by itself.
    """
    try:
        folder = Path(mkdtemp(prefix="whyheap-go-", dir=environment.get("GOTMPDIR") or None))
    except OSError as error:
        raise ToolError(f"no folder for temporary files: {error.strerror}", "Name one:  TMPDIR=DIR") from error
    environment["GOTMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
