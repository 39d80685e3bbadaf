"""What /proc says of one process besides its status: memory maps, limits, when it started, whether it still runs.

Format: man 5 proc; https://docs.kernel.org/filesystems/proc.html. Nothing here attaches to or stops a process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from whyheap.host.procfs import PROC

_LIMITS: Mapping[str, str] = {
    "Max address space": "address_space_limit",
    "Max data size": "data_limit",
    "Max processes": "process_limit",
}
_CAP_SYS_PTRACE = 19  # include/uapi/linux/capability.h
_DEAD = frozenset("ZX")
_IN_MEMORY = frozenset({"tmpfs", "devtmpfs", "ramfs", "hugetlbfs"})
_START = 19  # field 22 of the file, starttime, 20th behind the name
_LARGEST_SMAPS_BYTES = 256 << 20


def program_path(pid: int, proc: Path = PROC) -> str:
    """Return the executable's path as the kernel spells it, "" when it may not be seen."""
    try:
        return str((proc / str(pid) / "exe").readlink())
    except OSError:
        return ""


def code_mappings(pid: int, proc: Path = PROC) -> list[tuple[int, int, int, str]]:
    """Return start, end, file offset and path of all code that is mapped, by address; none when it may not be seen."""
    found = []
    with suppress(OSError, ValueError):
        for line in (proc / str(pid) / "maps").read_text(errors="replace").splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and "x" in fields[1]:  # noqa: PLR2004 - the columns of maps
                start, _, end = fields[0].partition("-")
                found.append((int(start, 16), int(end, 16), int(fields[2], 16), fields[5].removesuffix(" (deleted)")))
    return found


def is_running(pid: int, proc: Path = PROC) -> bool:
    """Whether there is such a process that has not ended; a zombie has."""
    fields = _stat(pid, proc)
    return bool(fields) and fields[0] not in _DEAD


def start_ticks(pid: int, proc: Path = PROC) -> str:
    """Return when a process started, in clock ticks since boot; tells it from a later one of the same number."""
    return next(iter(_stat(pid, proc)[_START : _START + 1]), "")


def started_at(pid: int, proc: Path = PROC) -> float | None:
    """Return when a process started, in seconds since 1970."""
    fields = _stat(pid, proc)
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = (proc / "stat").read_text().splitlines()
        booted = int(next(line for line in lines if line.startswith("btime ")).split()[1])
        return booted + int(fields[_START]) / os.sysconf("SC_CLK_TCK")
    return None


def ended_with(pid: int, proc: Path = PROC) -> int | None:
    """Return the wait status of a process that ended and was not waited for yet; None for others, and for 0."""
    fields = _stat(pid, proc)
    if not fields or fields[0] not in _DEAD:
        return None
    with suppress(ValueError, IndexError):
        status = int(fields[49])  # field 52, exit_code
        return status or None  # who has not the rights of a debugger reads 0: fs/proc/array.c, do_task_stat
    return None


def read_resource_limits(pid: int, proc: Path = PROC) -> dict[str, float]:
    """Return the limits that are set, by gauge name, and the machine's on mappings."""
    found: dict[str, float] = {}
    with suppress(OSError):
        for line in (proc / str(pid) / "limits").read_text(errors="replace").splitlines():
            for title, gauge in _LIMITS.items():
                soft = line.removeprefix(title).split()
                if line.startswith(title) and soft and soft[0].isdecimal():
                    found[gauge] = float(soft[0])
    with suppress(OSError, ValueError):
        found["mapping_limit"] = float((proc / "sys/vm/max_map_count").read_text())
    return found


def read_smaps(pid: int, proc: Path = PROC) -> list[str] | None:
    """Return the lines of /proc/PID/smaps; None when it may not be read.

    The kernel holds the process's memory map while it looks at a mapping: threads that map memory wait, some 50 ms for
    each GiB of 4 KiB pages in it (see page_map.py); faults do not, since Linux 6.4. It lets go between mappings.
    """
    try:
        with (proc / str(pid) / "smaps").open(errors="replace") as stream:
            return stream.readlines(_LARGEST_SMAPS_BYTES)
    except OSError:
        return None


def may_trace_any(proc: Path = PROC) -> bool:
    """Whether we may read every process that the kernel lets anybody read: we have CAP_SYS_PTRACE."""
    with suppress(OSError, ValueError):
        for line in (proc / "self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> _CAP_SYS_PTRACE & 1)
    return False


def ptrace_scope(proc: Path = PROC) -> int:
    """Return Yama's restriction: 0 = own processes may be read, 3 = none. Documentation/admin-guide/LSM/Yama.rst."""
    with suppress(OSError, ValueError):
        return int((proc / "sys/kernel/yama/ptrace_scope").read_text())
    return 0


def memory_devices(pid: int, proc: Path = PROC) -> frozenset[str]:
    """Return the devices, as smaps spells them ("00:1b"), of file systems that are memory: tmpfs and its like."""
    found = set()
    with suppress(OSError, ValueError):
        for line in (proc / str(pid) / "mountinfo").read_text(errors="replace").splitlines():
            place, _, kind = line.partition(" - ")
            if kind.partition(" ")[0] in _IN_MEMORY:
                major, _, minor = place.split(" ")[2].partition(":")
                found.add(f"{int(major):02x}:{int(minor):02x}")
    return frozenset(found)


def _stat(pid: int, proc: Path) -> list[str]:
    """Return the fields of /proc/PID/stat behind the name, which may hold anything."""
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
