"""The memory limit that a process's container puts on it: cgroup v1 and v2, all parent groups.

Format: https://docs.kernel.org/admin-guide/cgroup-v2.html and .../cgroup-v1/memory.html; /proc/PID/cgroup in man 7
cgroups. A limit of any parent binds too; the one with the least room left is the one that will fire.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whyheap.host.cgroup_mounts import GroupMount, find_mounts, group_path
from whyheap.host.procfs import PROC
from whyheap.model.gauge import Gap

WITNESS = "container"
MOST_GROUPS = 2000
_V1_UNLIMITED = 1 << 62  # v1 writes the largest multiple of the page size instead of "max"
_LIMIT_AND_USAGE = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}
_HIERARCHICAL = "memory.use_hierarchy"


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """A group with a limit. `usage_bytes` counts against it; of that the kernel can drop `reclaimable_bytes`."""

    path: str
    version: int
    limit_bytes: int
    usage_bytes: int
    reclaimable_bytes: int
    folder: Path = Path()

    @property
    def room_bytes(self) -> int:
        """What is left before the group is out of memory."""
        return self.limit_bytes - self.usage_bytes + self.reclaimable_bytes


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it can be read from here. `path` is as the kernel spells it, as far as our namespace shows it."""

    path: str
    version: int
    folder: Path


def find_groups(pid: int, proc: Path = PROC, controller: str = "memory") -> tuple[Group, ...]:
    """Return the process's own group and its parents, outermost last; empty when none is visible from here."""
    membership = read_membership(pid, proc)
    for mounts in _views(pid, proc, controller):
        found = tuple(
            Group(mount.kernel_path(folder), mount.version, folder)
            for mount in mounts
            for folder in _folders(group_path(membership, mount.version, controller), mount, pid)
        )
        if found:
            return found
    return ()


def read_membership(pid: int, proc: Path = PROC) -> str:
    """Return /proc/PID/cgroup, which tells whether groups have to be looked for again; "" when it cannot be read."""
    try:
        return (proc / str(pid) / "cgroup").read_text(errors="replace")
    except OSError:
        return ""


def nearest_limit(groups: Sequence[Group]) -> GroupLimit | None:
    """Return the limit with the least room among a group and its parents; None when none has one."""
    limits = [limit for group in groups if (limit := _read_group(group)) is not None]
    return min(limits, key=lambda limit: limit.room_bytes, default=None)


def read_limit(pid: int, proc: Path = PROC) -> tuple[GroupLimit | None, tuple[Gap, ...]]:
    """Return the group with the least room among the process's and its parents; None when none has a limit."""
    groups = find_groups(pid, proc)
    return nearest_limit(groups), group_gaps(pid, groups, proc)


def group_gaps(pid: int, groups: Sequence[Group], proc: Path = PROC) -> tuple[Gap, ...]:
    """Say why groups tell nothing of a process's memory, when they do not."""
    if not groups:
        try:
            (proc / str(pid) / "cgroup").read_bytes()
        except OSError as error:
            return (_gap(f"the group of pid {pid} could not be read: {error.strerror}"),)
        return (_gap(f"no memory group of pid {pid} is visible from here"),)
    own = groups[0]
    is_root = own.path == "/" and len(groups) == 1
    if not is_root and not any((group.folder / _LIMIT_AND_USAGE[group.version][1]).exists() for group in groups):
        hint = "Enable the memory controller for it: systemd's MemoryAccounting=yes, or cgroup.subtree_control."
        return (Gap(WITNESS, f"the kernel does not count the memory of {own.path}: no memory controller", hint),)
    return ()


def subgroups(folder: Path) -> Iterator[Path]:
    """Yield a group and all groups below it, at most MOST_GROUPS."""
    waiting, seen = [folder], 0
    while waiting and seen < MOST_GROUPS:
        group = waiting.pop()
        seen += 1
        yield group
        with suppress(OSError), os.scandir(group) as entries:
            waiting += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]


def read_members(folder: Path) -> tuple[int, ...]:
    """Return the processes of one group, a 0 for each of other process namespaces; none when they may not be seen."""
    try:
        lines = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return ()
    return tuple(int(line) for line in lines if line.isdecimal() and len(line) < 20)  # noqa: PLR2004 - 64 bits


def _views(pid: int, proc: Path, controller: str) -> Iterator[list[GroupMount]]:
    """Yield the hierarchies as we see them, then as the process sees them (a sidecar sees only its own)."""
    yield find_mounts(proc / "self" / "mountinfo", Path("/"), controller)
    own = proc / str(pid)
    yield find_mounts(own / "mountinfo", own / "root", controller, is_foreign=True)


def _folders(path: str | None, mount: GroupMount, pid: int) -> list[Path]:
    """Return the group's folder and its parents up to the mount; empty when the group is not below what is mounted."""
    start = None if path is None else _folder(path, mount, pid)
    if start is None:
        return []
    folders = [start]
    while folders[-1] != mount.point:
        parent = folders[-1].parent
        with suppress(OSError):
            if (parent / _HIERARCHICAL).read_text().strip() == "0":  # v1 before Linux 5.11: parents count by themselves
                break
        folders.append(parent)
    return folders


def _folder(path: str, mount: GroupMount, pid: int) -> Path | None:
    """Return the folder of a group; through another's root, the one that is seen to hold the process is preferred."""
    group, root = PurePosixPath(path), PurePosixPath(mount.root)
    below = group.relative_to(root).parts if group.is_relative_to(root) else None
    if not mount.is_foreign:
        start = mount.point.joinpath(*below) if below is not None and ".." not in (*below, *root.parts) else None
        return start if start is not None and start.is_dir() else None
    named = [below] if below is not None else []
    parts = [part for part in group.parts if part not in {"/", ".."}]
    named += [tuple(parts[skipped:]) for skipped in range(len(parts) + 1)]  # a namespace may begin at any of them
    folders = [
        folder for part in dict.fromkeys(named) if ".." not in part and (folder := mount.point.joinpath(*part)).is_dir()
    ]
    if not folders:
        return None
    return next(
        (folder for folder in folders if pid in read_members(folder)),
        next((folder for folder in subgroups(mount.point) if pid in read_members(folder)), folders[0]),
    )


def _read_group(group: Group) -> GroupLimit | None:
    """Return the group's limit; None for "max", v1's unlimited, or the root group, which has no such files."""
    limit, usage = (_read_number(group.folder / name) for name in _LIMIT_AND_USAGE[group.version])
    if limit is None or limit >= _V1_UNLIMITED:
        return None
    reclaimable = _inactive_file_bytes(group.folder, group.version)
    return GroupLimit(group.path, group.version, limit, usage or 0, reclaimable, group.folder)


def _inactive_file_bytes(folder: Path, version: int) -> int:
    name = "inactive_file" if version == 2 else "total_inactive_file"  # noqa: PLR2004
    try:
        for line in (folder / "memory.stat").read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    except (OSError, ValueError):
        pass
    return 0


def _read_number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdecimal() and len(text) < 20 else None  # noqa: PLR2004 - 64 bits


def _gap(reason: str) -> Gap:
    hint = (
        "Run on the same machine as the service, as its user or root; in a sidecar: share the pod's process namespace"
        " (shareProcessNamespace: true) and run as the same user or with SYS_PTRACE."
    )
    return Gap(WITNESS, reason, hint)
