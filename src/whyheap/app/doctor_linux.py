"""What `whyheap doctor` says of the witnesses that Linux has: groups, the kernel's log, other processes."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from whyheap.app.doctor_check import Check
from whyheap.host.cgroup import find_groups, read_limit
from whyheap.host.kernel_log import KernelLog
from whyheap.host.process_files import may_trace_any, ptrace_scope

PRESSURE = Path("/proc/pressure/memory")
_NOBODY_MAY = 3


def examine_linux() -> list[Check]:
    """Look at all of them; reads only."""
    if not sys.platform.startswith("linux"):
        detail = "limits and RSS are read on Linux only"
        return [Check("container", ok=False, detail=detail, remedy="Watch the service over HTTP")]
    return [_container(), _pressure(), _kernel_log(), _processes()]


def _container() -> Check:
    limit, gaps = read_limit(os.getpid())
    if limit is not None:
        detail = f"cgroup v{limit.version} {limit.path}: {limit.limit_bytes >> 20:,} MiB"
        return Check("container", ok=True, detail=detail)
    if gaps:
        return Check("container", ok=False, detail=gaps[0].reason, remedy=gaps[0].hint)
    version = find_groups(os.getpid())[0].version
    return Check("container", ok=True, detail=f"cgroup v{version}; no memory limit on this shell's control group")


def _pressure() -> Check:
    if os.access(PRESSURE, os.R_OK):
        return Check("pressure", ok=True, detail="the kernel tells how long tasks wait for memory (PSI)")
    remedy = "Boot with psi=1, where the kernel has CONFIG_PSI; without it limits that were hit are counted only"
    return Check("pressure", ok=False, detail="the kernel does not tell how long tasks wait for memory", remedy=remedy)


def _kernel_log() -> Check:
    log = KernelLog()
    log.close()
    if not log.error:
        return Check("kernel log", ok=True, detail="readable: kills for memory are told with limit and victim")
    detail = f"/dev/kmsg: {log.error}; kills for memory are only counted"
    if shutil.which("journalctl"):
        return Check(
            "kernel log",
            ok=False,
            detail=f"{detail}, unless the journal may be read",
            remedy="Run as root, or join the group systemd-journal or adm",
        )
    return Check("kernel log", ok=False, detail=detail, remedy="Run as root, or: sudo sysctl kernel.dmesg_restrict=0")


def _processes() -> Check:
    scope = ptrace_scope()
    if scope >= _NOBODY_MAY:
        detail = f"kernel.yama.ptrace_scope is {scope}: nobody may read a process's memory"
        return Check("processes", ok=False, detail=detail, remedy="Watch services over HTTP")
    if may_trace_any():
        return Check("processes", ok=True, detail="pid:N reads any process (CAP_SYS_PTRACE)")
    if scope:
        detail = f"kernel.yama.ptrace_scope is {scope}: only root may read a process's memory"
        remedy = "Run as root (sudo), or: sudo sysctl kernel.yama.ptrace_scope=0"
        return Check("processes", ok=False, detail=detail, remedy=remedy)
    return Check("processes", ok=True, detail="pid:N reads this user's processes; others' need root or CAP_SYS_PTRACE")
