"""Keeping what a recorder sees, also through a disk that is full for a while."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from whyheap.capture import Capture
from whyheap.capture_writer import CaptureWriter, Mark
from whyheap.collect.process_ends import now_text
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.witness import LiveWitness
from whyheap.errors import OutputError
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gap

WITNESS = "recorder"
FULL_DISK_SECONDS = 60.0
_EVENTS_REMEMBERED = 100
_MOST_WAITING = 1000
_MOST_GAPS = 200
_DIGITS = re.compile(r"\d+")  # gaps that differ in their numbers only are one


@dataclass(slots=True)
class Recording:
    """What a recording came to. `ending` says in words how it ended, `events` are the latest."""

    samples: int = 0
    profiles: int = 0
    restarts: int = 0
    seconds: float = 0.0
    ending: str = ""
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=_EVENTS_REMEMBERED))


class RecorderFile:
    """The file of one recording. `recording` counts what it holds."""

    def __init__(
        self,
        writer: CaptureWriter,
        head: Capture,
        recording: Recording,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """`say` is told when the file cannot be written, and when it can again."""
        self._writer = writer
        self._head = head
        self._recording = recording
        self._say, self._clock = say, clock
        self._waiting: deque[Event] = deque(maxlen=_MOST_WAITING)
        self._full_since: float | None = None
        self._missed = 0
        self._gaps: dict[str, Gap] = {}
        self._lock = threading.RLock()

    def keep(
        self,
        sample: RuntimeSample | None = None,
        profile: tuple[str, bytes] | None = None,
        events: Iterable[Event] = (),
    ) -> None:
        """Write what was seen at a moment. A full disk is borne for FULL_DISK_SECONDS, as it may be made free again.

        Samples of that time are lost, events are not. Raises OutputError after it.
        """
        new = tuple(events)
        goroutines = (sample.at, sample.goroutines) if sample is not None and sample.goroutines else None
        with self._lock:  # a group that is held at its limit is read from another thread
            self._recording.events.extend(new)
            self._waiting.extend(new)
            try:
                self._writer.add(
                    sample.gauges if sample else (), goroutines, profile, (*self._waiting, *self._missing())
                )
            except OutputError as error:
                self._bear(error, is_sample=sample is not None)
                return
            self._waiting.clear()
            if self._missed:
                self._say(f"there is space again: {self._missed} samples are missing")
            self._full_since, self._missed = None, 0
            self._recording.samples += sample is not None
            self._recording.profiles += profile is not None

    def _missing(self) -> tuple[Event, ...]:
        """Say how many samples are missing, once there is space again."""
        if not self._missed:
            return ()
        text = f"The file could not be written for a while: {self._missed} samples are missing."
        return (Event(EventKind.NOTE, now_text(), text, WITNESS, {"missed": str(self._missed)}),)

    def _bear(self, error: OutputError, *, is_sample: bool) -> None:
        now = self._clock()
        if self._full_since is None:
            self._full_since = now
            self._say(f"{error.message} Trying again for {FULL_DISK_SECONDS:.0f} s; what was recorded is kept.")
        self._missed += is_sample
        if now - self._full_since >= FULL_DISK_SECONDS:
            raise error

    def mark(self) -> Mark:
        """Return where the file stands now."""
        return self._writer.mark()

    def forget_before(self, mark: Mark) -> None:
        """Give up samples and profiles from before a mark; put off where the file cannot be written now."""
        if self._full_since is None:
            try:
                self._writer.forget_before(mark)
            except OutputError as error:
                self._bear(error, is_sample=False)

    def tell_head(self, witness: LiveWitness) -> None:
        """Keep whose limit it was, which process, and what could not be seen."""
        if self._full_since is not None:
            return
        self._head = replace(
            self._head, limit_name=witness.limit_name or self._head.limit_name, pid=witness.pid or self._head.pid
        )
        self.note(witness.gaps)

    def note(self, gaps: Iterable[Gap]) -> None:
        """Keep more that could not be seen, with what a process could not tell that has ended since."""
        for gap in (*self._head.gaps, *gaps):
            self._gaps[_DIGITS.sub("#", f"{gap.witness} {gap.reason}")] = gap
        try:
            self._writer.set_head(replace(self._head, gaps=tuple(self._gaps.values())[:_MOST_GAPS]))
        except OutputError as error:
            self._bear(error, is_sample=False)
