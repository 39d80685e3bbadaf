"""Acting on a process's memory group, when asked to: holding it at its limit (v1), throttling it below (v2).

Formats: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html section 10, .../cgroup-v2.html memory.high. Whatever
was changed is put back at the end, also when we are killed: a guard, a shell that waits for our end, does it then.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import TargetError

_V1_CONTROL = "memory.oom_control"
_V2_HIGH = "memory.high"
_GUARD = 'while kill -0 "$1" 2>/dev/null; do sleep 0.2; done; echo "$3" > "$2"'


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


@contextlib.contextmanager
def held_at_limit(folder: Path, version: int) -> Iterator[HeldGroup]:
    """Hold a group at its limit instead of having its processes killed, until the block ends or `let_go`.

    Raises TargetError where that cannot be done: cgroup v2, or no right to write there.
    """
    if version != 1:
        raise TargetError(
            f"the group {folder} cannot be held at its limit: cgroup v2 has no such control",
            "On v2 use --high 95%, which slows the group down near its limit",
        )
    with _changed(folder / _V1_CONTROL, "1", "0"):
        yield HeldGroup(folder)


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
        raise TargetError(f"{folder / _V2_HIGH} cannot be read: {error.strerror}", "Run as root") from error
    with _changed(folder / _V2_HIGH, str(high_bytes), before):
        yield


@contextlib.contextmanager
def _changed(file: Path, value: str, before: str) -> Iterator[None]:
    """Write a control file, and what stood there when the block ends; a guard does so when we are killed."""
    try:
        guard = subprocess.Popen(  # noqa: S603 - a fixed script; the file is an argument, not part of it
            ["/bin/sh", "-c", _GUARD, "whyheap-guard", str(os.getpid()), str(file), before],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise TargetError(f"no guard could be started for {file}: {error.strerror}", "") from error
    try:
        try:
            file.write_text(value, encoding="ascii")
        except OSError as error:
            raise TargetError(f"{file} cannot be written: {error.strerror}", "Run whyheap as root") from error
        yield
    finally:
        with contextlib.suppress(OSError):
            file.write_text(before, encoding="ascii")
        guard.kill()
        guard.wait()
