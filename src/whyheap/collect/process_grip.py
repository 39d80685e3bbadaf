"""Holding on to the process that is recorded, so that its end is noticed at once and how it ended is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from whyheap.collect.group_watch import exit_event
from whyheap.model.event import Event, EventKind


class Held(Protocol):
    """A process whose end is noticed: see host/process_wait.py."""

    def has_ended(self, seconds: float = 0.0, stop: threading.Event | None = None) -> bool:
        """Wait so long, less when `stop` is set; whether it has ended."""
        ...

    def status(self) -> int | None:
        """Return its wait status, None where that is not known."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


Hold = Callable[[int], Held]


class ProcessGrip:
    """Holds one process at a time, or none."""

    def __init__(self, hold: Hold | None) -> None:
        """`hold` takes hold of a process; None: ends are noticed only as a target that does not answer."""
        self._hold = hold
        self._pid: int | None = None
        self._held: Held | None = None

    def on(self, pid: int | None) -> Held | None:
        """Hold this process, in place of another; None where it cannot be held."""
        if self._held is None or self._pid != pid:
            self.let_go()
            self._held = self._hold(pid) if pid is not None and self._hold is not None else None
            self._pid = pid
        return self._held

    @property
    def running(self) -> Held | None:
        """The process that is held, None when it has ended or none is held."""
        return None if self._held is None or self._held.has_ended() else self._held

    def completed(self, event: Event) -> Event:
        """Add to an event of its end what only those can know who waited for it."""
        status = self._held.status() if self._held is not None else None
        if self._pid is None or status is None or event.kind is not EventKind.EXIT or "known" in event.labels:
            return event
        return replace(exit_event(self._pid, status), at=event.at)

    def let_go(self) -> None:
        """Hold none."""
        held, self._held, self._pid = self._held, None, None
        if held is not None:
            held.close()
