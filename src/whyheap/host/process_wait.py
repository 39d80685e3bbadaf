"""Waiting for the end of a process that is not our child: noticed at once, and its wait status with it."""

from __future__ import annotations

import os
import select
import threading
import time

from whyheap.host.exit_events import ExitEvents
from whyheap.host.process_end import ProcessEnd
from whyheap.host.process_files import ended_with, is_running

_LONGEST_POLL_SECONDS = 0.25


class ProcessWait:
    """One running process. Where the kernel has no pidfds (before 5.3) it is looked for in /proc instead."""

    def __init__(self, pid: int) -> None:
        """Hold on to a process that runs now."""
        self.pid = pid
        self._end = ProcessEnd(pid)
        self._events = ExitEvents(pid)
        self._status: int | None = None
        self._poll: select.poll | None = None
        self._descriptor = -1
        try:
            self._descriptor = os.pidfd_open(pid)
        except (OSError, AttributeError):  # it has ended already, or there are no pidfds
            return
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def has_ended(self, seconds: float = 0.0, stop: threading.Event | None = None) -> bool:
        """Wait so long, less when `stop` is set; whether the process has ended."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            piece = min(left, _LONGEST_POLL_SECONDS)
            if self._poll is None:
                ended = not is_running(self.pid)
                if not ended:
                    time.sleep(piece)
            else:
                ended = bool(self._poll.poll(piece * 1000))
            if ended:
                self._note_status()
                return True
            if left <= 0 or (stop is not None and stop.is_set()):
                return False

    def status(self) -> int | None:
        """Return the wait status (man 2 wait); None while the process runs, or where nobody tells."""
        self._note_status()
        return self._status

    def close(self) -> None:
        """Let go of the process."""
        self._end.close()
        self._events.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor, self._poll = -1, None

    def _note_status(self) -> None:
        for ask in (self._events.status, self._end.status, self._from_proc):
            if self._status is None:
                self._status = ask()

    def _from_proc(self) -> int | None:
        return ended_with(self.pid)
