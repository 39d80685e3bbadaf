"""What happens to a process's memory group between looks: kills, a changed limit, pressure, large neighbours."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from whyheap.collect.neighbours import Neighbour
from whyheap.host.kernel_log import KernelLog, read_journal
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gap
from whyheap.parse.log_lines import unwrap_line
from whyheap.parse.oom_log import is_about, parse_oom_log
from whyheap.units import format_bytes

WITNESS = "container"
NAMED = 5
"""So many neighbours are named at most at one moment."""
LEAST_NEIGHBOUR_SHARE = 0.1
"""Of the limit: smaller neighbours are not named."""
NAMED_AGAIN = 2.0
"""Times what was said of a neighbour: then it is said again."""
PRESSURE_SECONDS = 60.0
"""Pressure goes on for hours: it is said once in this time, with all counts since."""
LEAST_WAITING_SHARE = 0.1
_JOURNAL_LAG_SECONDS = 5.0
_COUNTERS = {"container_max_hits": "max_hits", "container_high_hits": "high_hits"}
_LINES = {"max_hits": "limit", "high_hits": "memory.high"}


@dataclass(frozen=True, slots=True)
class GroupLook:
    """What was seen at one moment. `values` are gauges of the group `binding`, the one whose limit is nearest.

    `chain` are the paths of the process's own group and its parents, `kills` the kills counted so far by folder.
    """

    binding: str
    chain: Sequence[str]
    values: Mapping[str, float]
    kills: Mapping[Path, int]
    neighbours: Sequence[Neighbour] = ()


class GroupWatch:
    """Compares each look at a group with the one before, and follows the kernel's log from its making on."""

    def __init__(self, pid: int, log: KernelLog | None = None) -> None:
        """Watch the group of this process."""
        self._pid = pid
        self._log = log or KernelLog()
        self._before: GroupLook | None = None
        self._kills: dict[Path, int] = {}
        self._unnamed = False
        self._begun = time.time()
        self._pressed_from: dict[str, float] = {}
        self._pressed_at = float("-inf")
        self._said: dict[int, int] = {}
        self._events: list[Event] = []

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be told; that the kernel's log cannot be read matters only when there was a kill."""
        if not self._unnamed or not self._log.error:
            return ()
        reason = f"the kernel's log could not be read ({self._log.error}): a kill was counted, but not who was killed"
        return (Gap("kernel", reason, "Run as root, or: sudo sysctl kernel.dmesg_restrict=0; or give  journalctl -k."),)

    def look(self, now: GroupLook, seconds: float) -> None:
        """Take what was seen at a moment, `seconds` by a clock that does not jump."""
        self._compare_kills(now.kills, now.binding)
        if self._before is not None and self._before.binding == now.binding:
            self._compare_limit(self._before.values, now)
        else:  # another group's counters are no rise of this one's
            self._pressed_from = dict(now.values)
        self._note_pressure(now, seconds)
        self._name(now)
        self._before = now

    def remember(self, kills: Mapping[Path, int]) -> None:
        """Keep what groups have counted that matter only when those below them are gone; without an event."""
        self._kills |= kills

    def look_again(self, kills: Mapping[Path, int]) -> None:
        """Take the counters once more after the process has ended."""
        self._compare_kills(kills, self._before.binding if self._before is not None else "")

    def events(self) -> tuple[Event, ...]:
        """Return what was noticed since the last call, the kernel's own words among it."""
        chain = self._before.chain if self._before is not None else ()
        kills = [event for event in parse_oom_log(self._read_log()) if is_about(event, self._pid, chain)]
        self._unnamed = self._unnamed and not kills
        found, self._events = (*self._events, *kills), []
        return tuple(sorted(found, key=lambda event: event.at))

    def _read_log(self) -> list[tuple[str, str]]:
        """Return what the kernel wrote; where its log may not be read the journal is asked, once a kill was counted."""
        if not self._log.error or not self._unnamed:
            return self._log.read()
        begun, self._begun = self._begun, time.time() - _JOURNAL_LAG_SECONDS
        return [unwrap_line(line) for line in read_journal(begun)]

    def _compare_kills(self, kills: Mapping[Path, int], binding: str) -> None:
        for folder, count in kills.items():
            more = count - self._kills.get(folder, count)
            if more > 0:
                self._unnamed = True
                name = binding if binding.endswith(f"/{folder.name}") else folder.name
                text = f"The group {name} counted {more} kill{'s' if more > 1 else ''} for memory."
                self._add(EventKind.OOM_COUNTED, text, group=name, kills=str(more))
        self._kills |= kills

    def _compare_limit(self, before: Mapping[str, float], now: GroupLook) -> None:
        old, new = before.get("container_limit"), now.values.get("container_limit")
        if old is not None and new is not None and old != new:
            text = f"The limit of {now.binding} was changed from {format_bytes(old)} to {format_bytes(new)}."
            self._add(EventKind.LIMIT_CHANGED, text, old=str(int(old)), new=str(int(new)), group=now.binding)

    def _note_pressure(self, now: GroupLook, seconds: float) -> None:
        if seconds - self._pressed_at < PRESSURE_SECONDS:
            return
        hits = {
            label: int(now.values[name] - self._pressed_from.get(name, now.values[name]))
            for name, label in _COUNTERS.items()
            if name in now.values
        }
        labels = {label: str(count) for label, count in hits.items() if count > 0}
        said = [f"hit its {_LINES[label]} {count} times" for label, count in labels.items()]
        waiting = now.values.get("psi_some_avg10", 0.0)
        if waiting >= LEAST_WAITING_SHARE:
            labels["waiting"] = f"{waiting:.3f}"
            said.append(f"waited for memory {waiting:.0%} of the time")
        if labels:
            self._pressed_at, self._pressed_from = seconds, dict(now.values)
            self._add(EventKind.PRESSURE, f"The group {now.binding} {' and '.join(said)}.", **labels)

    def _name(self, now: GroupLook) -> None:
        """Name the neighbours that take a share of the limit worth naming, the largest last; again when they double."""
        least = LEAST_NEIGHBOUR_SHARE * now.values.get("container_limit", float("inf"))
        for other in reversed(now.neighbours[:NAMED]):
            if other.rss_bytes < max(least, NAMED_AGAIN * self._said.get(other.pid, 0)):
                continue
            self._said[other.pid] = other.rss_bytes
            ours = ", which is whyheap itself," if other.is_recorder else ""
            text = f"{other.name} (pid {other.pid}){ours} takes {format_bytes(other.rss_bytes)} of the same group."
            labels = {"neighbour": other.name, "pid": str(other.pid), "rss": str(other.rss_bytes), "group": other.group}
            self._add(EventKind.NOTE, text, **labels)

    def _add(self, kind: EventKind, text: str, **labels: str) -> None:
        self._events.append(Event(kind, _now(), text, WITNESS, labels))


def exit_event(pid: int, status: int | None) -> Event:
    """Say that a process ended, and how where its wait status is known (man 2 wait)."""
    labels = {"pid": str(pid)}
    if status is None:
        text = f"The process (pid {pid}) has ended; its exit code was not seen."
        return Event(EventKind.EXIT, _now(), text, WITNESS, labels)
    labels["known"] = "yes"
    signal = status & 0x7F
    labels |= {"signal": str(signal)} if signal else {"code": str(status >> 8 & 0xFF)}
    how = f"was ended by signal {signal}" if signal else f"ended with exit code {labels['code']}"
    return Event(EventKind.EXIT, _now(), f"The process (pid {pid}) {how}.", "process", labels)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
