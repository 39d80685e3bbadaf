"""Where control groups are mounted, as we see it and as another process sees it.

Format: /proc/PID/mountinfo in https://docs.kernel.org/filesystems/proc.html (3.5). Its roots and the paths of
/proc/PID/cgroup are both relative to the READER's cgroup namespace (kernel/cgroup/cgroup.c, cgroup_show_path;
proc_cgroup_show), so they can be compared whoever's files they are; what lies outside of it begins with "/..".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_ESCAPED = re.compile(r"\\([0-7]{3})")
_SEPARATOR = "-"
_UP = ".."


@dataclass(frozen=True, slots=True)
class GroupMount:
    """A hierarchy of groups: the group `root` is what `point` shows. `is_foreign`: seen through another's root."""

    root: str
    point: Path
    version: int
    is_foreign: bool = False

    def kernel_path(self, folder: Path) -> str:
        """Return a folder's path as the kernel's log spells it, as far as our namespace lets us know it."""
        below = folder.relative_to(self.point).parts
        above = () if _UP in self.root.split("/") else Path(self.root).parts[1:]
        return "/" + "/".join((*above, *below))


def find_mounts(mountinfo: Path, root: Path, controller: str, *, is_foreign: bool = False) -> list[GroupMount]:
    """Return the mounts that may hold a controller: v1's own hierarchy if there is one, else v2.

    Later mounts on the same point hide earlier ones. `root` is put before each mount point.
    """
    try:
        lines = mountinfo.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found: dict[str, GroupMount | None] = {}
    for line in lines:
        fields = line.split(" ")
        if _SEPARATOR not in fields[6:]:
            continue
        dash = fields.index(_SEPARATOR, 6)
        kind = fields[dash + 1] if dash + 1 < len(fields) else ""
        point = _unescape(fields[4])
        version = _version(kind, fields[-1], controller)
        place = root / point.lstrip("/")
        found[point] = GroupMount(_unescape(fields[3]), place, version, is_foreign) if version else None
    mounts = [mount for mount in found.values() if mount is not None]
    return [mount for mount in mounts if mount.version == 1] or mounts


def group_path(membership: str, version: int, controller: str) -> str | None:
    """Return a process's group in a hierarchy, told from /proc/PID/cgroup: `0::/path` is v2, `4:memory:/path` v1."""
    for line in membership.splitlines():
        identity, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (version == 2 and identity == "0") or (version == 1 and controller in controllers.split(",")):  # noqa: PLR2004
            return path.removesuffix(" (deleted)")
    return None


def _version(kind: str, super_options: str, controller: str) -> int:
    if kind == "cgroup2":
        return 2
    return 1 if kind == "cgroup" and controller in super_options.split(",") else 0


def _unescape(text: str) -> str:
    """Undo mountinfo's octal escapes of space, tab, newline and backslash."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
