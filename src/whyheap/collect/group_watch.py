"""What happens to a process's memory group between samples: kills, a changed limit, throttling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from whyheap.host.kernel_log import KernelLog
from whyheap.model.event import Event, EventKind
from whyheap.parse.oom_log import is_about, parse_oom_log

if TYPE_CHECKING:
    from whyheap.collect.local_process import Neighbour

WITNESS = "container"
_LEAST_NEIGHBOUR_SHARE = 0.1
_COUNTERS = {"container_max_hits": "max_hits", "container_high_hits": "high_hits"}


class GroupWatch:
    """Compares each look at a group with the one before, and follows the kernel's log from its making on."""

    def __init__(self, pid: int, log: KernelLog | None = None) -> None:
        """Watch the group of this process."""
        self._pid = pid
        self._log = log or KernelLog()
        self._groups: list[str] = []
        self._before: dict[str, float] = {}
        self._named: set[int] = set()
        self._events: list[Event] = []

    def look(self, values: Mapping[str, float], groups: Sequence[str], others: Sequence[Neighbour]) -> None:
        """Take the numbers of a moment; `groups` are the process's own and its parents."""
        self._groups = list(groups)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._before:
            self._compare(values, now)
        self._name(values, others, now)
        self._before = dict(values)

    def look_again(self, values: Mapping[str, float]) -> None:
        """Take the counters once more after the process has ended."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._before and values:
            self._compare({**self._before, **values}, now)
            self._before |= values

    def events(self) -> tuple[Event, ...]:
        """Return what was noticed since the last call, the kernel's own words among it."""
        kills = [event for event in parse_oom_log(self._log.read()) if is_about(event, self._pid, self._groups)]
        found, self._events = (*self._events, *kills), []
        return tuple(sorted(found, key=lambda event: event.at))

    def _compare(self, values: Mapping[str, float], now: str) -> None:
        group = self._groups[0] if self._groups else ""
        kills = int(values.get("container_oom_kills", 0.0) - self._before.get("container_oom_kills", 0.0))
        if kills > 0:
            text = f"The group {group} counted {kills} kill{'s' if kills > 1 else ''} for memory."
            self._add(EventKind.OOM_COUNTED, now, text, group=group, kills=str(kills))
        old, new = self._before.get("container_limit"), values.get("container_limit")
        if old is not None and new is not None and old != new:
            text = f"The limit was changed from {old / 2**20:.0f} MiB to {new / 2**20:.0f} MiB."
            self._add(EventKind.LIMIT_CHANGED, now, text, old=str(int(old)), new=str(int(new)))
        hits = {
            label: str(int(values[name] - self._before[name]))
            for name, label in _COUNTERS.items()
            if name in values and values[name] > self._before.get(name, values[name])
        }
        if hits and not any(event.kind is EventKind.PRESSURE for event in self._events):
            times = next(iter(hits.values()))
            self._add(EventKind.PRESSURE, now, f"The group hit its limit {times} times: the kernel reclaimed.", **hits)

    def _name(self, values: Mapping[str, float], others: Sequence[Neighbour], now: str) -> None:
        """Name each neighbour once that takes a share of the limit worth naming."""
        for other in others:
            if other.pid in self._named or other.rss_bytes < _LEAST_NEIGHBOUR_SHARE * values["container_limit"]:
                continue
            self._named.add(other.pid)
            text = f"{other.name} (pid {other.pid}) takes {other.rss_bytes / 2**20:.0f} MiB of the same group."
            labels = {"neighbour": other.name, "pid": str(other.pid), "rss": str(other.rss_bytes)}
            self._add(EventKind.NOTE, now, text, **labels)

    def _add(self, kind: EventKind, at: str, text: str, **labels: str) -> None:
        self._events.append(Event(kind, at, text, WITNESS, labels))


def exit_event(pid: int, status: int | None) -> Event:
    """Say that a process ended, and how where its wait status is known (man 2 wait)."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    labels = {"pid": str(pid)}
    if status is None:
        return Event(
            EventKind.EXIT, now, f"The process (pid {pid}) has ended; its exit code was not seen.", WITNESS, labels
        )
    labels["known"] = "yes"
    signal = status & 0x7F
    labels |= {"signal": str(signal)} if signal else {"code": str(status >> 8 & 0xFF)}
    how = f"was ended by signal {signal}" if signal else f"ended with exit code {labels['code']}"
    return Event(EventKind.EXIT, now, f"The process (pid {pid}) {how}.", "process", labels)
