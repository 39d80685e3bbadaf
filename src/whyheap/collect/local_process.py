"""The process and the container behind a URL of this machine: who listens there, what it may use, how it is tuned."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from whyheap.collect.group_watch import GroupWatch, exit_event
from whyheap.errors import TargetError
from whyheap.goruntime.heap_goal import DEFAULT_GC_PERCENT, parse_gc_percent, parse_memory_limit
from whyheap.host import cgroup, process_files, procfs
from whyheap.host.group_numbers import members, read_group_numbers
from whyheap.host.http import is_loopback
from whyheap.host.process_access import no_such_process
from whyheap.host.process_end import ProcessEnd
from whyheap.model.event import Event
from whyheap.model.gauge import Gap
from whyheap.parse.smaps import classify, parse_smaps

SMAPS_COST_SHARE = 0.01
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another process whose memory counts against the same limit; `rss_bytes` are anonymous, `name` its command."""

    pid: int
    name: str
    rss_bytes: int


@dataclass(slots=True)
class LocalProcess:
    """A process of this machine; its memory is read anew for each sample, the rest once.

    `arenas` tells where the Go heap is, when somebody knows. A full read of smaps is rationed: it takes at most
    SMAPS_COST_SHARE of the time, since it holds the process's memory map.
    """

    pid: int
    tuning: dict[str, float]
    proc: Path = procfs.PROC
    limit_name: str = ""
    gaps: list[Gap] = field(default_factory=list)
    arenas: Callable[[], tuple[tuple[int, int], ...]] | None = None
    _fixed: dict[str, float] = field(default_factory=dict)
    _smaps_due: float = 0.0
    _watch: GroupWatch | None = None
    _last_group: tuple[Path, int] | None = None
    _ended: bool = False
    _end: ProcessEnd | None = None

    def read(self) -> dict[str, float]:
        """Return what the process and its container use now, under the names of model/gauge_units.py."""
        if self._end is None and self.proc == procfs.PROC:
            self._end = ProcessEnd(self.pid)
        if not self._fixed:
            self._fixed = {**process_files.read_resource_limits(self.pid, self.proc)}
            started = process_files.started_at(self.pid, self.proc)
            if started is not None:
                self._fixed["process_started"] = started
        status, gaps = procfs.read_status(self.pid, self.proc)
        self._note(*gaps)
        values = {**self.tuning, **self._fixed, **self._smaps(), **status, **self._container()}
        machine = procfs.read_machine_memory(self.proc)
        if machine is not None:
            values["machine_memory"], values["machine_usage"] = map(float, machine)
            self.limit_name = self.limit_name or "the machine's memory"
        return values

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return process_files.is_running(self.pid, self.proc)

    def events(self) -> tuple[Event, ...]:
        """Return what happened to the process and its group since the last call."""
        watch = self._watched()
        if self._ended or self.is_alive():
            return watch.events()
        self._ended = True
        status = process_files.ended_with(self.pid, self.proc)  # before its parent has taken it
        status = status if status is not None or self._end is None else self._end.status()
        if self._last_group is not None:  # its number leads to no group any more
            watch.look_again(read_group_numbers(*self._last_group))
        return (*watch.events(), exit_event(self.pid, status))

    def neighbours(self) -> tuple[Neighbour, ...]:
        """Return the other processes of the group whose limit is nearest, the largest first."""
        limit, _ = cgroup.read_limit(self.pid, self.proc)
        return self._others(limit.folder) if limit is not None else ()

    def _watched(self) -> GroupWatch:
        if self._watch is None:
            self._watch = GroupWatch(self.pid)
        return self._watch

    def _container(self) -> dict[str, float]:
        limit, gaps = cgroup.read_limit(self.pid, self.proc)
        self._note(*gaps)
        groups = cgroup.find_groups(self.pid, self.proc)
        if limit is None:
            return {}
        self._last_group = limit.folder, limit.version
        values = read_group_numbers(*self._last_group)
        values["container_limit"] = float(limit.limit_bytes)
        values["container_usage"] = float(limit.usage_bytes - limit.reclaimable_bytes)
        self.limit_name = f"cgroup v{limit.version} {limit.path}"
        if groups and groups[0].folder != limit.folder:
            own = read_group_numbers(groups[0].folder, groups[0].version)
            if "container_charge" in own:
                values["container_own_charge"] = own["container_charge"]
        others = self._others(limit.folder)
        values["container_processes"] = float(len(others) + 1)
        values["container_other_rss"] = float(sum(other.rss_bytes for other in others))
        self._watched().look(values, [group.path for group in groups], others)
        return values

    def _others(self, folder: Path) -> tuple[Neighbour, ...]:
        found = []
        for pid in members(folder):
            if pid != self.pid:
                status, _ = procfs.read_status(pid, self.proc)
                found.append(Neighbour(pid, procfs.read_name(pid, self.proc), int(status.get("rss_anon", 0))))
        return tuple(sorted(found, key=lambda one: (-one.rss_bytes, one.pid)))

    def _smaps(self) -> dict[str, float]:
        """Return resident bytes by class, when it is time to look again."""
        begun = time.monotonic()
        if begun < self._smaps_due:
            return {}
        lines = process_files.read_smaps(self.pid, self.proc)
        self._smaps_due = begun + (time.monotonic() - begun) / SMAPS_COST_SHARE
        if lines is None:
            if self.is_alive():
                reason = f"/proc/{self.pid}/smaps may not be read: memory is not told apart by class"
                self._note(
                    Gap(procfs.WITNESS, reason, "Run whyheap as the process's user or as root (CAP_SYS_PTRACE).")
                )
            return {}
        arenas = self._arenas()
        found = classify(parse_smaps(lines), process_files.program_path(self.pid, self.proc), arenas)
        if not arenas and not found.named:
            return {"mappings": float(found.mappings), **_without_heap(found.values)}
        return {"mappings": float(found.mappings), **found.values}

    def _arenas(self) -> tuple[tuple[int, int], ...]:
        if self.arenas is None:
            return ()
        try:
            return self.arenas()
        except TargetError:
            return ()

    def _note(self, *gaps: Gap) -> None:
        if self.is_alive():  # that a process which has ended cannot be read is no gap
            self.gaps.extend(gap for gap in gaps if gap not in self.gaps)


def _without_heap(values: dict[str, float]) -> dict[str, float]:
    """Leave out what cannot be told apart without the arenas: the Go heap is among other anonymous memory then."""
    return {name: value for name, value in values.items() if name not in {"smaps_other_anon", "smaps_go_heap"}}


def find_local_process(
    base_url: str, fetch_command_line: Callable[[], bytes], proc: Path = procfs.PROC
) -> tuple[LocalProcess | None, tuple[Gap, ...]]:
    """Return the process that serves a loopback URL, told from its listening socket and its command line.

    The command line (pprof's own, against /proc) keeps a port forwarder from being taken for the service.
    """
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    if not is_loopback(host):
        return None, (_remote(f"{host} is another machine: its process and container are not visible from here"),)
    if not proc.is_dir():
        return None, (_remote("this system has no /proc"),)
    pids = procfs.find_listening_pids(port, proc)
    if not pids:
        return None, (_remote(f"no process of this machine is seen to listen on port {port}"),)
    try:
        command_line = fetch_command_line()
    except TargetError:
        return None, (_remote("/debug/pprof/cmdline does not answer, so the process could not be told"),)
    pid = next((pid for pid in pids if procfs.serves_command_line(pid, command_line, proc)), None)
    if pid is None:
        return None, (_remote(f"pid {pids[0]} listens on port {port} but is not the service: a port forwarder"),)
    tuning, gaps = _read_tuning(pid, proc)
    return LocalProcess(pid, tuning, proc, gaps=list(gaps)), ()


def open_local_process(pid: int, proc: Path = procfs.PROC) -> LocalProcess:
    """Return a process by its number. Raises TargetError when there is none."""
    if not (proc / str(pid)).is_dir():
        raise no_such_process(pid)
    tuning, gaps = _read_tuning(pid, proc)
    return LocalProcess(pid, tuning, proc, gaps=list(gaps))


def _read_tuning(pid: int, proc: Path) -> tuple[dict[str, float], tuple[Gap, ...]]:
    """Return `gogc` and `memory_limit` as at the process's start; a later call of debug.SetGCPercent is not seen."""
    variables, gaps = procfs.read_go_variables(pid, proc)
    if gaps:
        return {}, gaps
    percent = parse_gc_percent(variables["GOGC"]) if "GOGC" in variables else None
    tuning = {"gogc": float(DEFAULT_GC_PERCENT if percent is None else percent)}
    limit = parse_memory_limit(variables.get("GOMEMLIMIT", ""))
    if limit is not None:
        tuning["memory_limit"] = float(limit)
    return tuning, ()


def _remote(reason: str) -> Gap:
    return Gap("container", reason, "Run whyheap on the same machine, or name the process:  whyheap why pid:N")
