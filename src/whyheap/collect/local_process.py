"""The process and the container behind a URL of this machine: who listens there, what it may use, how it is tuned."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from whyheap.collect.container import Container
from whyheap.collect.group_watch import exit_event
from whyheap.collect.neighbours import Neighbour
from whyheap.collect.shared_segments import SharedSegments
from whyheap.errors import TargetError
from whyheap.goruntime.heap_goal import DEFAULT_GC_PERCENT, parse_gc_percent, parse_memory_limit
from whyheap.host import process_files, procfs
from whyheap.host.http import is_loopback
from whyheap.host.page_map import read_resident
from whyheap.host.process_access import no_such_process
from whyheap.host.process_end import ProcessEnd
from whyheap.model.event import Event
from whyheap.model.gauge import Gap
from whyheap.parse.smaps import parse_smaps
from whyheap.parse.smaps_classes import Layout, classify

SMAPS_COST_SHARE = 0.01
LARGE_BYTES = 512 << 20
"""Resident: from here on smaps would hold up a process for some 25 ms, so that its pages are counted otherwise."""
_BY_SMAPS_ALONE = frozenset({"smaps_pss", "smaps_huge"})
_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class LocalProcess:
    """A process of this machine; its memory is read anew for each sample, the rest once.

    `arenas` tells where the Go heap is, when somebody knows; otherwise it is told by where Go puts it. Telling memory
    apart by class is rationed: it takes at most SMAPS_COST_SHARE of the time. Below LARGE_BYTES it is one read of
    smaps, which holds the process's memory map: it cannot map memory meanwhile. Above, its pages are counted without.
    """

    pid: int
    tuning: dict[str, float]
    proc: Path = procfs.PROC
    limit_name: str = ""
    gaps: list[Gap] = field(default_factory=list)
    arenas: Callable[[], tuple[tuple[int, int], ...]] | None = None
    _container: Container | None = None
    _started: str = ""
    _fixed: dict[str, float] = field(default_factory=dict)
    _smaps_due: float = 0.0
    _segments: SharedSegments = field(default_factory=SharedSegments)
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
        if not self.is_alive():
            return {}
        status, gaps = procfs.read_status(self.pid, self.proc)
        if "rss" not in status and not gaps:
            return {}  # it is ending: its memory is gone already, and its environment with it
        smaps = self._smaps(is_large=status.get("rss", 0.0) >= LARGE_BYTES)
        container = self.container
        values = {**self.tuning, **self._fixed, **smaps, **status, **container.read()}
        self._note(*gaps, *container.gaps)
        machine = procfs.read_machine_memory(self.proc)
        if machine is not None:
            values["machine_memory"], values["machine_usage"] = map(float, machine)
        if container.limit_name or machine is not None:
            self.limit_name = container.limit_name or "the machine's memory"
        return values

    @property
    def container(self) -> Container:
        """The memory groups of the process."""
        if self._container is None:
            self._container = Container(self.pid, self.proc)
        return self._container

    def is_alive(self) -> bool:
        """Whether the process still runs; another one that got its number later is not it."""
        if not process_files.is_running(self.pid, self.proc):
            return False
        ticks = process_files.start_ticks(self.pid, self.proc)
        self._started = self._started or ticks
        return ticks == self._started

    def events(self) -> tuple[Event, ...]:
        """Return what happened to the process and its group since the last call."""
        if self._ended or self.is_alive():
            found = self.container.events()
            self._note(*self.container.gaps)
            return (*self._segments.events(), *found)
        self._ended = True
        status = self._end.status() if self._end is not None else None
        status = status if status is not None else process_files.ended_with(self.pid, self.proc)
        self.container.look_after_the_end()
        found = self.container.events()
        self.gaps.extend(gap for gap in self.container.gaps if gap.witness == "kernel" and gap not in self.gaps)
        return (*found, exit_event(self.pid, status))

    def neighbours(self) -> tuple[Neighbour, ...]:
        """Return the other processes of the group whose limit is nearest, the largest first."""
        return self.container.neighbours().processes

    def _smaps(self, *, is_large: bool) -> dict[str, float]:
        """Return resident bytes by class, when it is time to look again."""
        begun = time.monotonic()
        if begun < self._smaps_due:
            return {}
        pages = read_resident(self.pid, self.proc) if is_large else None
        lines = pages or process_files.read_smaps(self.pid, self.proc)
        if lines is None and self.is_alive():
            reason = f"/proc/{self.pid}/smaps may not be read: memory is not told apart by class"
            self._note(Gap(procfs.WITNESS, reason, "Run whyheap as the process's user or as root (CAP_SYS_PTRACE)."))
        values = {} if lines is None else self._by_class(lines)
        if pages:
            values = {name: value for name, value in values.items() if name not in _BY_SMAPS_ALONE}
        self._smaps_due = begun + (time.monotonic() - begun) / SMAPS_COST_SHARE
        return values

    def _by_class(self, lines: list[str]) -> dict[str, float]:
        arenas = self._arenas()
        found = classify(
            parse_smaps(lines),
            Layout(
                process_files.program_path(self.pid, self.proc),
                arenas,
                process_files.memory_devices(self.pid, self.proc),
            ),
        )
        self._segments.look(found.shared)
        values = {"mappings": float(found.mappings), **found.values}
        if not arenas and not found.named:
            values["smaps_go_heap_inferred"] = 1.0
        return values

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
