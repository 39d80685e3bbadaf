"""The process and the container behind a URL of this machine: who listens there, what it may use, how it is tuned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from whyheap.errors import TargetError
from whyheap.goruntime.heap_goal import DEFAULT_GC_PERCENT, parse_gc_percent, parse_memory_limit
from whyheap.host import cgroup, procfs
from whyheap.host.http import is_loopback
from whyheap.model.event import Event
from whyheap.model.gauge import Gap

_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class LocalProcess:
    """A process of this machine; its memory is read anew for each sample, the rest once."""

    pid: int
    tuning: dict[str, float]
    proc: Path = procfs.PROC
    limit_name: str = ""
    gaps: list[Gap] = field(default_factory=list)

    def read(self) -> dict[str, float]:
        """Return what the process and its container use now, under the names of runtime_sample.UNITS."""
        status, gaps = procfs.read_status(self.pid, self.proc)
        values = {**self.tuning, **status}
        limit, limit_gaps = cgroup.read_limit(self.pid, self.proc)
        self._note(*gaps, *limit_gaps)
        if limit is not None:
            values["container_limit"] = float(limit.limit_bytes)
            values["container_usage"] = float(limit.usage_bytes - limit.reclaimable_bytes)
            self.limit_name = f"cgroup v{limit.version} {limit.path}"
        machine = procfs.read_machine_memory(self.proc)
        if machine is not None:
            values["machine_memory"], values["machine_usage"] = map(float, machine)
            self.limit_name = self.limit_name or "the machine's memory"
        return values

    def events(self) -> tuple[Event, ...]:
        """Return what happened to the process and its group since the last call."""
        return ()

    def _note(self, *gaps: Gap) -> None:
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
