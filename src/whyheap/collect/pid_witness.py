"""Witness: a process of this machine by its number, read from outside: the kernel's numbers and a census of its heap.

Nothing is stopped, written or forced. What it costs the target: nothing but shared caches; full smaps reads, which hold
its memory map's lock, are rationed by LocalProcess.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from whyheap.collect.census import Census
from whyheap.collect.local_process import LocalProcess, open_local_process
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.series import CHEAP_SHARE
from whyheap.errors import TargetError
from whyheap.host.process_access import NotPermittedError
from whyheap.host.procfs import PROC
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap

WITNESS = "process"


class PidWitness:
    """Reads one process repeatedly. Without the right to read its memory the kernel's numbers are left, and a Gap."""

    def __init__(self, pid: int, *, proc: Path = PROC, progress: Callable[[str], None] = lambda _: None) -> None:
        """Look at the process once. Raises TargetError when there is none, or it is no Go program."""
        self._local: LocalProcess = open_local_process(pid, proc)
        self._census: Census | None = None
        self._gaps: list[Gap] = []
        self._reading = threading.Lock()  # samples and profiles are asked for side by side
        self._started: float | None = None
        self._stacks_cost_seconds = 0.0
        self._stacks_read_at = float("-inf")
        self.cost_seconds = 0.0
        try:
            self._census = Census.open(pid, proc=proc, progress=progress)
        except NotPermittedError as error:
            self._note(Gap(WITNESS, f"{error.message.rstrip('.')}: only what the kernel tells is seen", error.hint))
        else:
            self._local.arenas = self._census.arenas

    @property
    def go(self) -> str:
        """The Go version it was built with, "" when that could not be read."""
        return self._census.go if self._census else ""

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read so far."""
        census = self._census.gaps if self._census else ()
        return (*self._gaps, *census, *self._local.gaps)

    @property
    def pid(self) -> int:
        """The process."""
        return self._local.pid

    @property
    def limit_name(self) -> str:
        """Whose limit it runs under."""
        return self._local.limit_name

    def sample(self, *, stacks: bool = True) -> RuntimeSample:
        """Read one moment. Raises TargetError when the process has ended."""
        begun = time.monotonic()
        if self._started is None:
            self._started = begun
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        values = self._local.read()
        groups: tuple[GoroutineGroup, ...] = ()
        if self._census is not None:
            try:
                with self._reading:
                    told = self._census.read()
                values |= {**told, "threads": values.get("threads", told.get("threads", 0.0))}  # C's count as well
                if stacks or time.monotonic() - self._stacks_read_at > self._stacks_cost_seconds / CHEAP_SHARE:
                    values["goroutines"], groups = self._read_stacks(self._census)
            except TargetError:
                if not self._local.is_alive():
                    raise
                self._note(Gap(WITNESS, "the heap could not be read at one moment at least", ""))
        if not values or not self._local.is_alive():
            raise TargetError(f"process {self.pid} has ended", "Record it from its start:  whyheap record pid:N")
        return RuntimeSample(at, begun - self._started, values, groups)

    def _read_stacks(self, census: Census) -> tuple[float, tuple[GoroutineGroup, ...]]:
        asked = time.monotonic()
        with self._reading:
            total, groups = census.goroutines()
        self._stacks_read_at = time.monotonic()
        self._stacks_cost_seconds = self._stacks_read_at - asked
        return float(total), groups

    def profile(self) -> bytes | None:
        """Read the heap profile from the process's memory; None where it keeps none."""
        if self._census is None:
            return None
        with self._reading:
            return self._census.heap_profile()

    def events(self) -> tuple[Event, ...]:
        """Return what happened to the process and its group since the last call."""
        return self._local.events()

    def _note(self, gap: Gap) -> None:
        if gap not in self._gaps:
            self._gaps.append(gap)
