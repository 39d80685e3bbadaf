"""Who else uses memory of a group: its processes besides the one that is looked at, and what each holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from whyheap.host import procfs
from whyheap.host.cgroup import read_members, subgroups

MOST_PROCESSES = 5000


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another process whose memory counts against the same limit.

    `rss_bytes` are its resident anonymous and shared memory, without the files it has mapped, which the kernel can
    drop. `name` is the command name, which it chose itself; `group` the last part of its group's path; `is_recorder`
    says that it is whyheap itself.
    """

    pid: int
    name: str
    rss_bytes: int
    group: str = ""
    is_recorder: bool = False


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The other processes of a group and the groups below it, the largest first.

    `hidden` are in other process namespaces: they count, but cannot be seen from here. `folders` are the groups.
    """

    processes: tuple[Neighbour, ...]
    hidden: int
    folders: tuple[Path, ...]

    @property
    def rss_bytes(self) -> int:
        """What they hold together; memory that several share is counted for each."""
        return sum(one.rss_bytes for one in self.processes)


def find_neighbours(pid: int, folder: Path, proc: Path = procfs.PROC) -> Neighbours:
    """Look at all processes of a group besides `pid`: some 70 us each. Nobody's memory map is held for it.

    That is why their proportional share (PSS) is not asked for: smaps_rollup holds a lock of processes that nobody
    asked about.
    """
    found: list[Neighbour] = []
    folders: list[Path] = []
    hidden = 0
    for group in subgroups(folder):
        folders.append(group)
        for other in read_members(group):
            if other == 0:
                hidden += 1
            elif other != pid and len(found) < MOST_PROCESSES:
                found.append(_look(other, group.name, proc))
    found.sort(key=lambda one: (-one.rss_bytes, one.pid))
    return Neighbours(tuple(found), hidden, tuple(folders))


def _look(pid: int, group: str, proc: Path) -> Neighbour:
    status, _ = procfs.read_status(pid, proc)
    size = status.get("rss_anon", 0.0) + status.get("rss_shmem", 0.0)
    return Neighbour(pid, procfs.read_name(pid, proc), int(size), group, pid == os.getpid())
