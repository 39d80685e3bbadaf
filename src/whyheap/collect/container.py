"""Witness: the container. The memory groups of one process, read again and again at little cost.

Which groups there are is found once, and again when the process was moved. The neighbours, of which there may be
thousands, are looked at as often as that takes at most NEIGHBOURS_COST_SHARE of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from whyheap.collect.group_watch import GroupLook, GroupWatch
from whyheap.collect.neighbours import Neighbours, find_neighbours
from whyheap.host import cgroup
from whyheap.host.group_numbers import count_kills, read_group_numbers, read_machine_pressure, read_task_numbers
from whyheap.host.procfs import PROC
from whyheap.model.event import Event
from whyheap.model.gauge import Gap

NEIGHBOURS_COST_SHARE = 0.01
MOST_COUNTERS = 64
"""Of so many groups below a v1 limit kills are counted; v2 counts them together."""


@dataclass(slots=True)
class Container:
    """The groups of a process. `limit_name` says whose limit is nearest, "" when there is none."""

    pid: int
    proc: Path = PROC
    limit_name: str = ""
    gaps: list[Gap] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _membership: str | None = None
    _groups: tuple[cgroup.Group, ...] = ()
    _task_groups: tuple[cgroup.Group, ...] = ()
    _binding: Path | None = None
    _neighbours: Neighbours | None = None
    _neighbours_due: float = 0.0
    _counters: tuple[Path, ...] = ()
    _watch: GroupWatch | None = None

    def read(self) -> dict[str, float]:
        """Return the gauges of the group whose limit is nearest; without a limit, kills in its own and pressure."""
        self._find_groups()
        limit = cgroup.nearest_limit(self._groups)
        tasks = read_task_numbers(self._task_groups)
        machine_pressure = read_machine_pressure(self.proc)
        if not self._groups:
            return {**machine_pressure, **tasks}
        own = self._groups[0]
        if limit is None:
            self._binding, self.limit_name = None, ""
            values: dict[str, float] = {}
            shown, seen, neighbours = own.path, own.folder, None
        else:
            values = read_group_numbers(limit.folder, limit.version)
            values["container_limit"] = float(limit.limit_bytes)
            values["container_usage"] = float(limit.usage_bytes - limit.reclaimable_bytes)
            self.limit_name = f"cgroup v{limit.version} {limit.path}"
            if own.folder != limit.folder:
                charge = read_group_numbers(own.folder, own.version).get("container_charge")
                values |= {} if charge is None else {"container_own_charge": charge}
            shown, seen = limit.path, limit.folder
            neighbours = self._look_around(limit.folder)
            self._binding = limit.folder
        if neighbours is not None:
            values["container_processes"] = float(len(neighbours.processes) + neighbours.hidden + 1)
            values["container_other_rss"] = float(neighbours.rss_bytes)
        kills = self._count_kills(seen)
        if kills:
            values["container_oom_kills"] = float(sum(kills.get(folder, 0) for folder in self._own_counters(seen)))
        look = GroupLook(
            shown,
            tuple(group.path for group in self._groups),
            values,
            kills,
            neighbours.processes if neighbours is not None else (),
        )
        self._watched().look(look, self.clock())
        self._watched().remember(count_kills(self._above(seen), own.version))
        return {**machine_pressure, **tasks, **values}

    def neighbours(self) -> Neighbours:
        """Look at the other processes of the group whose limit is nearest now, without regard to what it takes."""
        self._find_groups()
        limit = cgroup.nearest_limit(self._groups)
        return find_neighbours(self.pid, limit.folder, self.proc) if limit is not None else Neighbours((), 0, ())

    def look_after_the_end(self) -> None:
        """Take the counters once more when the process has ended: its number leads to no group any more."""
        if self._groups:
            seen = self._binding or self._groups[0].folder
            kills = self._count_kills(seen)  # a container's group goes with it, v2's group above it has counted too
            self._watched().look_again(kills or count_kills(self._above(seen), self._groups[0].version))

    def events(self) -> tuple[Event, ...]:
        """Return what happened to the groups since the last call."""
        found = self._watched().events()
        self._note(*self._watched().gaps)
        return found

    def _find_groups(self) -> None:
        membership = cgroup.read_membership(self.pid, self.proc)
        if membership == self._membership and (self._groups or not membership):
            return
        groups = cgroup.find_groups(self.pid, self.proc)
        self._note(*cgroup.group_gaps(self.pid, groups, self.proc))
        if groups:  # a process that is ending is moved to the root, or seen nowhere
            self._groups = groups
            is_v2 = groups[0].version == 2  # noqa: PLR2004
            self._task_groups = groups if is_v2 else cgroup.find_groups(self.pid, self.proc, "pids")
        self._membership = membership

    def _look_around(self, folder: Path) -> Neighbours | None:
        """Look at the neighbours when it is time to; None otherwise."""
        begun = self.clock()
        if begun < self._neighbours_due and folder == self._binding:
            return None
        found = find_neighbours(self.pid, folder, self.proc)
        self._neighbours_due = begun + (self.clock() - begun) / NEIGHBOURS_COST_SHARE
        self._counters = found.folders[:MOST_COUNTERS]
        return found

    def _above(self, folder: Path) -> tuple[Path, ...]:
        """Return the group above one of v2's, which counts the same kills and outlives it."""
        folders = [group.folder for group in self._groups if group.version != 1]
        return tuple(folders[folders.index(folder) + 1 :][:1]) if folder in folders else ()

    def _own_counters(self, binding: Path) -> tuple[Path, ...]:
        """Return the groups of the process that count kills: v2's binding group alone, v1's own and up to it."""
        if self._groups[0].version != 1:
            return (binding,)
        folders = [group.folder for group in self._groups]
        return tuple(folders[: folders.index(binding) + 1]) if binding in folders else (binding,)

    def _count_kills(self, binding: Path) -> dict[Path, int]:
        version = self._groups[0].version
        beside = self._counters if version == 1 else ()
        return count_kills(dict.fromkeys((*self._own_counters(binding), *beside)), version)

    def _watched(self) -> GroupWatch:
        if self._watch is None:
            self._watch = GroupWatch(self.pid)
        return self._watch

    def _note(self, *gaps: Gap) -> None:
        self.gaps.extend(gap for gap in gaps if gap not in self.gaps)
