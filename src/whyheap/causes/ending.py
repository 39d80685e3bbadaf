"""How a process ended, as events tell it: killed for memory, or in some other way, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from whyheap.causes.history import RuntimeHistory
from whyheap.model.event import Event, EventKind

OOM_REASON = "OOMKilled"
_SIGKILL = "9"
_KILL_EXIT_CODE = "137"  # 128 + SIGKILL, as shells and container runtimes spell it
_SAME_DEATH_SECONDS = 10.0
"""A kill that is counted or logged this long before or after the end may be the end's cause."""
OWN_TROUBLE = frozenset({"memory", "stack", "threads"})
"""What a crash is about when the runtime gave up for want of something."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The events around a process's end. `is_oom` says that the kernel killed this process for memory.

    `kills` are memory kills in its group or the groups above that hit another process.
    """

    exit: Event | None
    terminated: Event | None
    crash: Event | None
    probe: Event | None
    kill: Event | None
    kills: tuple[Event, ...]

    @property
    def is_oom(self) -> bool:
        """Whether this process was killed for memory."""
        return self.kill is not None or (
            self.terminated is not None and self.terminated.labels.get("reason") == OOM_REASON
        )

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return any((self.exit, self.terminated, self.crash, self.kill))

    @property
    def signal(self) -> str:
        """The signal that ended it, as a number; "" when none is known."""
        for event in (self.exit, self.terminated):
            if event is not None and event.labels.get("signal"):
                return event.labels["signal"]
        return _SIGKILL if self.code == _KILL_EXIT_CODE else ""

    @property
    def code(self) -> str:
        """Its exit code; "" when unknown."""
        exited = self.exit.labels.get("code", "") if self.exit is not None else ""
        return exited or (self.terminated.labels.get("exit_code", "") if self.terminated is not None else "")


def ending(history: RuntimeHistory) -> Ending:
    """Sort the events by what they say about this process's end; the last of each kind counts."""
    last: dict[EventKind, Event] = {}
    for event in history.events:
        before = last.get(event.kind)
        if before is None or before.labels.get("chosen") != "yes" or event.labels.get("chosen") == "yes":
            last[event.kind] = event  # of a pod's containers one is judged
    exited, terminated, crash = (last.get(kind) for kind in (EventKind.EXIT, EventKind.TERMINATED, EventKind.CRASH))
    named = history.pid is not None and any(
        event.kind is EventKind.OOM_KILL and event.labels.get("pid") == str(history.pid) for event in history.events
    )  # the kernel's log may be read before its end is noticed
    own, others = _kills(history, exited, is_dead=named or any((exited, terminated)))
    if crash is not None and crash.labels.get("about") in OWN_TROUBLE:
        others, own = (*others, *([own] if own else [])), None  # the runtime ended it: a kill hit somebody else
    return Ending(exited, terminated, crash, last.get(EventKind.PROBE_FAILED), own, others)


def _kills(history: RuntimeHistory, exited: Event | None, *, is_dead: bool) -> tuple[Event | None, tuple[Event, ...]]:
    """Tell the kill that ended this process from those of others. The kernel's log names the victim, a counter none."""
    own: Event | None = None
    others: list[Event] = []
    counted: list[Event] = []
    pid = exited.labels.get("pid", "") if exited is not None else str(history.pid or "")
    could_be = exited is None or not (exited.labels.get("code") or exited.labels.get("signal", _SIGKILL) != _SIGKILL)
    for event in history.events:
        if event.kind is EventKind.OOM_COUNTED:
            counted.append(event)
        elif event.kind is EventKind.OOM_KILL:
            victim = event.labels.get("pid", "")
            if is_dead and could_be and (victim == pid if pid and victim else _at_the_end(event, exited)):
                own = event
            else:
                others.append(event)
    logged = {event.at for event in (own, *others) if event is not None}
    for event in counted:
        if any(_seconds_between(event.at, at) <= _SAME_DEATH_SECONDS for at in logged):
            continue  # the log has said who it was
        if own is None and is_dead and could_be and _at_the_end(event, exited):
            own = event
        else:
            others.append(event)
    return own, tuple(others)


def _at_the_end(event: Event, exited: Event | None) -> bool:
    return exited is None or _seconds_between(event.at, exited.at) <= _SAME_DEATH_SECONDS


def _seconds_between(first: str, second: str) -> float:
    """Return the distance of two moments; 0 where one is not known, which then does not speak against anything."""
    try:
        return abs((datetime.fromisoformat(first) - datetime.fromisoformat(second)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
