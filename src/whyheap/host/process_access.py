"""Why a process may not be read, and what would let us: the kernel's checks in words (man 2 ptrace, man 5 proc)."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from whyheap.errors import TargetError

_YAMA = Path("sys/kernel/yama/ptrace_scope")  # Documentation/admin-guide/LSM/Yama.rst
_NOBODY_MAY = 3
_SIDECAR = (
    "In Kubernetes: shareProcessNamespace: true, and SYS_PTRACE in the container's securityContext.capabilities.add"
)


class NotPermittedError(TargetError):
    """The process is there, but its memory may not be read; what the kernel tells everybody can still be had."""


def refused(pid: int, error: OSError, proc: Path) -> TargetError:
    """Return the error for a process whose memory could not be opened, with the option that would open it."""
    if error.errno in {errno.ENOENT, errno.ESRCH} and not (proc / str(pid)).is_dir():
        return no_such_process(pid)
    if error.errno not in {errno.EACCES, errno.EPERM}:
        return TargetError(f"The memory of pid {pid} could not be read: {error.strerror}.")
    scope = _ptrace_scope(proc)
    if scope >= _NOBODY_MAY:
        return NotPermittedError(
            f"pid {pid} may not be read: kernel.yama.ptrace_scope is {scope}, which lets nobody read a process.",
            "Set kernel.yama.ptrace_scope lower at the next start of the machine, or use its pprof endpoint by URL.",
        )
    owner = _owner(pid, proc)
    if owner is not None and owner != os.geteuid():
        return NotPermittedError(
            f"pid {pid} may not be read: it belongs to user {owner}, we are user {os.geteuid()}"
            " without the capability CAP_SYS_PTRACE.",
            f"Run whyheap as that user or as root (sudo), or give it CAP_SYS_PTRACE. {_SIDECAR}",
        )
    if scope:
        return NotPermittedError(
            f"pid {pid} may not be read: kernel.yama.ptrace_scope is {scope}"
            " and we have not the capability CAP_SYS_PTRACE.",
            f"Run whyheap as root (sudo), or: sudo sysctl kernel.yama.ptrace_scope=0. {_SIDECAR}",
        )
    return NotPermittedError(
        f"pid {pid} may not be read: the kernel demands the capability CAP_SYS_PTRACE in the process's user namespace,"
        " as it is protected (capabilities of its own, or not dumpable) or a container profile forbids it.",
        f"Run whyheap as root (sudo), or give it CAP_SYS_PTRACE. {_SIDECAR}",
    )


def no_such_process(pid: int) -> TargetError:
    """Return the error for a number that no process has, or that cannot be seen from here."""
    return TargetError(
        f"There is no process with pid {pid} here.",
        "List them with: pgrep -l NAME. From another container it is visible only with a shared process namespace"
        " (Kubernetes: shareProcessNamespace: true; docker: --pid).",
    )


def _ptrace_scope(proc: Path) -> int:
    with suppress(OSError, ValueError):
        return int((proc / _YAMA).read_text())
    return 0


def _owner(pid: int, proc: Path) -> int | None:
    """Return the effective user of a process: /proc/PID itself belongs to root when it is not dumpable."""
    with suppress(OSError, ValueError, IndexError):
        for line in (proc / str(pid) / "status").read_text(errors="replace").splitlines():
            if line.startswith("Uid:"):
                return int(line.split()[2])
    return None
