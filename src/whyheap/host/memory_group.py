"""Memory groups of our own: a program is run under a real limit, and nothing is left behind.

cgroup v1's memory hierarchy where there is one, else v2's; both need the right to write there (root, or a delegated
group). Format: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html and .../cgroup-v2.html.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import ToolError

_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")
_NUMBERS = itertools.count()
_LONGEST_REMOVAL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A group with a limit. A process joins it by writing its number to `procs`."""

    folder: Path
    version: int

    @property
    def procs(self) -> Path:
        """The file that lists the group's processes."""
        return self.folder / "cgroup.procs"


def group_version() -> int | None:
    """Return which hierarchy groups can be made in, 1 or 2; None where neither may be written."""
    if os.access(_V1, os.W_OK) and (_V1 / "memory.limit_in_bytes").exists():
        return 1
    controllers = _V2 / "cgroup.controllers"
    with contextlib.suppress(OSError):
        if os.access(_V2, os.W_OK) and "memory" in controllers.read_text(encoding="ascii").split():
            return 2
    return None


@contextlib.contextmanager
def memory_group(limit_bytes: int | None) -> Iterator[MemoryGroup]:
    """Make a group with this limit (None = no limit) and remove it at the end, with all processes still in it.

    Raises ToolError where no group can be made.
    """
    version = group_version()
    if version is None:
        raise ToolError("no memory group can be made here", "Run as root, where cgroup v1 or v2 memory is mounted")
    parent = _V1 if version == 1 else _V2
    folder = parent / f"whyheap-{os.getpid()}-{next(_NUMBERS)}"
    try:
        if version != 1:
            with contextlib.suppress(OSError):
                (parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        folder.mkdir()
    except OSError as error:
        raise ToolError(f"no memory group can be made in {parent}: {error.strerror}", "Run as root") from error
    try:
        if limit_bytes is not None:
            _limit(folder, version, limit_bytes)
        yield MemoryGroup(folder, version)
    finally:
        _remove(folder)


def _limit(folder: Path, version: int, limit_bytes: int) -> None:
    names = ("memory.limit_in_bytes",) if version == 1 else ("memory.max",)
    for name in names:
        (folder / name).write_text(str(limit_bytes), encoding="ascii")
    without_swap = "memory.memsw.limit_in_bytes" if version == 1 else "memory.swap.max"
    with contextlib.suppress(OSError):  # absent where the kernel accounts no swap
        (folder / without_swap).write_text(str(limit_bytes) if version == 1 else "0", encoding="ascii")


def _remove(folder: Path) -> None:
    """Remove a group of ours: children that outlived their parent are ended, which takes the kernel a moment."""
    deadline = time.monotonic() + _LONGEST_REMOVAL_SECONDS
    while True:
        _end_members(folder)
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline or not folder.exists():
                return
            time.sleep(0.05)
        else:
            return


def _end_members(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)
