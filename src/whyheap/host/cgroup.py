"""The memory limit that a process's container puts on it: cgroup v1 and v2, all parent groups.

Format: https://docs.kernel.org/admin-guide/cgroup-v2.html and .../cgroup-v1/memory.html; /proc/PID/cgroup in man 7
cgroups. A limit of any parent binds too; the one with the least room left is the one that will fire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whyheap.host.procfs import PROC
from whyheap.model.gauge import Gap

WITNESS = "container"
_V1_UNLIMITED = 1 << 62  # v1 writes the largest multiple of the page size instead of "max"
_LIMIT_AND_USAGE = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}
_ESCAPED = re.compile(r"\\([0-7]{3})")
_SEPARATOR = "-"


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
class _Mount:
    root: str
    point: Path
    version: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it can be read from here. `path` is relative to the mount."""

    path: str
    version: int
    folder: Path


def find_groups(pid: int, proc: Path = PROC) -> tuple[Group, ...]:
    """Return the process's own group and its parents, outermost last; empty when none is visible from here."""
    try:
        membership = (proc / str(pid) / "cgroup").read_text(errors="replace")
    except OSError:
        return ()
    for mounts in _views(pid, proc):
        found = tuple(
            Group(str(PurePosixPath("/", folder.relative_to(mount.point))), mount.version, folder)
            for mount in mounts
            for folder in _group_folders(_path_for(membership, mount.version), mount)
        )
        if found:
            return found
    return ()


def read_limit(pid: int, proc: Path = PROC) -> tuple[GroupLimit | None, tuple[Gap, ...]]:
    """Return the group with the least room among the process's and its parents; None when none has a limit."""
    try:
        membership = (proc / str(pid) / "cgroup").read_text(errors="replace")
    except OSError as error:
        return None, (_gap(f"the group of pid {pid} could not be read: {error.strerror}"),)
    for mounts in _views(pid, proc):
        folders = [
            (folder, mount)
            for mount in mounts
            for folder in _group_folders(_path_for(membership, mount.version), mount)
        ]
        if folders:
            limits = [limit for folder, mount in folders if (limit := _read_group(folder, mount)) is not None]
            return min(limits, key=lambda limit: limit.room_bytes, default=None), ()
    return None, (_gap(f"no memory group of pid {pid} is visible from here"),)


def _views(pid: int, proc: Path) -> Iterator[list[_Mount]]:
    """Yield the memory hierarchies as we see them, then as the process sees them (a sidecar sees only its own)."""
    yield _mounts(proc / "self" / "mountinfo", Path("/"))
    root = proc / str(pid) / "root"
    yield [_Mount("/..", mount.point, mount.version) for mount in _mounts(proc / str(pid) / "mountinfo", root)]


def _mounts(mountinfo: Path, root: Path) -> list[_Mount]:
    """Return mounts of v2 and of v1's memory controller; later mounts on the same point hide earlier ones."""
    try:
        lines = mountinfo.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found: dict[str, _Mount | None] = {}
    for line in lines:
        fields = line.split(" ")
        if _SEPARATOR not in fields[6:]:
            continue
        dash = fields.index(_SEPARATOR, 6)
        point = _unescape(fields[4])
        version = _version(fields[dash + 1], fields[-1])
        place = root / point.lstrip("/")
        found[point] = _Mount(_unescape(fields[3]), place, version) if version else None
    mounts = [mount for mount in found.values() if mount is not None]
    return [mount for mount in mounts if mount.version == 1] or mounts


def _version(kind: str, super_options: str) -> int:
    if kind == "cgroup2":
        return 2
    return 1 if kind == "cgroup" and "memory" in super_options.split(",") else 0


def _path_for(membership: str, version: int) -> str | None:
    """Return the process's group in the hierarchy: `0::/path` is v2, `4:memory:/path` v1."""
    for line in membership.splitlines():
        identity, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (version == 2 and identity == "0") or (version == 1 and "memory" in controllers.split(",")):  # noqa: PLR2004
            return path.removesuffix(" (deleted)")
    return None


def _group_folders(path: str | None, mount: _Mount) -> list[Path]:
    """Return the group's folder and its parents up to the mount; empty when the group is not below what is mounted."""
    if path is None:
        return []
    if mount.root == "/..":  # the process's own view: what is mounted there is its group, or holds it
        below = PurePosixPath(path.lstrip("/"))
        start = mount.point / below if (mount.point / below).is_dir() else mount.point
    else:
        group, root = PurePosixPath(path), PurePosixPath(mount.root)
        if ".." in group.parts or not group.is_relative_to(root):
            return []
        start = mount.point / group.relative_to(root)
    if not start.is_dir():
        return []
    folders = [start]
    while folders[-1] != mount.point:
        folders.append(folders[-1].parent)
    return folders


def _read_group(folder: Path, mount: _Mount) -> GroupLimit | None:
    """Return the group's limit; None for "max", v1's unlimited, or the root group, which has no such files."""
    limit, usage = (_read_number(folder / name) for name in _LIMIT_AND_USAGE[mount.version])
    if limit is None or limit >= _V1_UNLIMITED:
        return None
    path = PurePosixPath("/", folder.relative_to(mount.point))
    reclaimable = _inactive_file_bytes(folder, mount.version)
    return GroupLimit(str(path), mount.version, limit, usage or 0, reclaimable, folder)


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
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _unescape(text: str) -> str:
    """Undo mountinfo's octal escapes of space, tab, newline and backslash."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def _gap(reason: str) -> Gap:
    return Gap(WITNESS, reason, "Run on the same machine as the service, as its user or root.")
