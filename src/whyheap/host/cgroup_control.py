"""Acting on a process's memory group, when asked to: holding it at its limit (v1), throttling it below (v2).

Formats: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html section 10, .../cgroup-v2.html memory.high. Whatever
was changed is put back at the end, also when we are killed: a guard, a shell that waits for our end, does it then. It
ignores SIGTERM and Ctrl-C; what kills it together with us (the end of our container) leaves the change behind.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import TargetError
from whyheap.host.interrupts import uninterrupted

_V1_CONTROL = "memory.oom_control"
_V1_LIMITS = ("memory.memsw.limit_in_bytes", "memory.limit_in_bytes")  # with swap first: it may not be the lower one
_V2_HIGH = "memory.high"
_GUARD = """trap '' TERM INT HUP; read gone; printf %s "$2" > "$1" """
"""Waits without any work until the other end of its standard input is closed, which the kernel does at our end."""
_AS_ROOT = "Run whyheap as root, on the node rather than in a container that sees its groups read-only"


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """A v1 group whose processes the kernel will not kill for memory: they wait at the limit instead."""

    folder: Path

    @property
    def is_at_limit(self) -> bool:
        """Whether its processes wait for memory now."""
        with contextlib.suppress(OSError):
            return "under_oom 1" in (self.folder / _V1_CONTROL).read_text(encoding="ascii")
        return False

    def let_go(self) -> None:
        """Let the kernel kill again; processes that wait are killed or go on at once."""
        with contextlib.suppress(OSError):
            (self.folder / _V1_CONTROL).write_text("0", encoding="ascii")

    def raise_limit(self, limit_bytes: int) -> None:
        """Give the group a larger limit, so that its processes go on; it stays. Raises TargetError."""
        for name in _V1_LIMITS:
            file = self.folder / name
            if file.exists():  # no limit with swap where the kernel accounts none
                _write(file, str(limit_bytes))


@contextlib.contextmanager
def held_at_limit(folder: Path, version: int) -> Iterator[HeldGroup]:
    """Hold a group at its limit instead of having its processes killed, until the block ends or `let_go`.

    Raises TargetError where that cannot be done: cgroup v2, no right to write there, or we are in the group ourselves.
    """
    if version != 1:
        raise TargetError(
            f"the group {folder} cannot be held at its limit: cgroup v2 has no such control",
            "On v2 use --high 95%, which slows the group down near its limit",
        )
    if _is_member(folder, os.getpid()):
        raise TargetError(
            f"the group {folder} cannot be held at its limit: whyheap is in it and would freeze as well",
            "Run whyheap outside the target's group, on the node or in a container of its own",
        )
    with _changed(folder / _V1_CONTROL, "1", _disabled_now(folder)):
        yield HeldGroup(folder)


def _disabled_now(folder: Path) -> str:
    """Return whether the kernel may kill in the group, as it is written: what stands there is put back."""
    with contextlib.suppress(OSError):
        if "oom_kill_disable 1" in (folder / _V1_CONTROL).read_text(encoding="ascii"):
            return "1"
    return "0"


@contextlib.contextmanager
def throttled(folder: Path, version: int, high_bytes: int) -> Iterator[None]:
    """Set memory.high of a v2 group, so that it is slowed down there, until the block ends. Raises TargetError."""
    if version == 1:
        raise TargetError(
            f"the group {folder} cannot be throttled: cgroup v1 has no memory.high", "On v1 use --hold-at-limit"
        )
    try:
        before = (folder / _V2_HIGH).read_text(encoding="ascii").strip()
    except OSError as error:
        raise TargetError(f"{folder / _V2_HIGH} cannot be read: {error.strerror}", _AS_ROOT) from error
    with _changed(folder / _V2_HIGH, str(high_bytes), before):
        yield


def _is_member(folder: Path, pid: int) -> bool:
    """Whether a process is in a group or in one below it."""
    for file in folder.rglob("cgroup.procs"):
        with contextlib.suppress(OSError):
            if str(pid) in file.read_text(encoding="ascii").split():
                return True
    return False


@contextlib.contextmanager
def _changed(file: Path, value: str, before: str) -> Iterator[None]:
    """Write a control file, and what stood there when the block ends; a guard does so when we are killed."""
    try:
        guard = uninterrupted(
            lambda: subprocess.Popen(  # noqa: S603 - a fixed script; the file is an argument, not part of it
                ["/bin/sh", "-c", _GUARD, "whyheap-guard", str(file), before],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
    except OSError as error:
        raise TargetError(f"no guard could be started for {file}: {error.strerror}", "It needs /bin/sh") from error
    try:
        _write(file, value)
        yield
    finally:
        with contextlib.suppress(OSError):
            file.write_text(before, encoding="ascii")
        guard.kill()
        guard.wait()
        if guard.stdin is not None:
            guard.stdin.close()


def _write(file: Path, value: str) -> None:
    try:
        file.write_text(value, encoding="ascii")
    except OSError as error:
        raise TargetError(f"{file} cannot be written: {error.strerror}", _AS_ROOT) from error
