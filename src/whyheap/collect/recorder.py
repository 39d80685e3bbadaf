"""The flight recorder: one target, looked at again and again until it ends, each look kept at once.

What it costs the target is what its witness costs, at most 1 % of its time for numbers, goroutines and profiles each:
see schedule.py. It survives the target's death, and its own: see capture_writer.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from whyheap.capture import Capture
from whyheap.capture_writer import CaptureWriter
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.schedule import Schedule
from whyheap.collect.witness import LiveWitness
from whyheap.errors import OutputError, TargetError
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gap

WITNESS = "recorder"
CLOCK_JUMP_SECONDS = 5.0
_RETRY_SECONDS = 0.5
_LAST_WORDS = (0.0, 0.2, 0.6)
"""When, after a target's end, its group and the kernel are asked what they know, in seconds."""
_FULL_DISK_SECONDS = 60.0

Open = Callable[[], LiveWitness]
"""Opens the target anew, as when another process answers at its address. Raises TargetError."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How long to record: `seconds` in all, and how long to `wait_seconds` for a target that does not answer.

    Samples older than `most_age_seconds` are given up. `restarts` says that another process may take the place of one
    that ended, as behind an address.
    """

    seconds: float = float("inf")
    wait_seconds: float = 30.0
    most_age_seconds: float = float("inf")
    restarts: bool = True


@dataclass(slots=True)
class Recording:
    """What a recording came to. `ending` says in words how it ended."""

    samples: int = 0
    profiles: int = 0
    restarts: int = 0
    seconds: float = 0.0
    ending: str = ""
    events: list[Event] = field(default_factory=list)


class Recorder:
    """Records into one file. `on_sample` is called after each sample was kept; what it raises ends the recording."""

    def __init__(
        self,
        open_target: Open,
        writer: CaptureWriter,
        head: Capture,
        schedule: Schedule | None = None,
        settings: Settings | None = None,
        *,
        stop: threading.Event | None = None,
        on_sample: Callable[[RuntimeSample, LiveWitness], None] = lambda _, __: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`head` says what was recorded; `clock` does not jump, `wall` is the time of day."""
        self._open = open_target
        self._writer = writer
        self._head = head
        self._schedule = schedule or Schedule()
        self._settings = settings or Settings()
        self._stop = stop or threading.Event()
        self._on_sample = on_sample
        self._clock, self._wall = clock, wall
        self._begun = clock()
        self._last: tuple[float, float] | None = None
        self._full_since: float | None = None
        self._forgot_at = self._begun
        self.recording = Recording()

    def run(self) -> Recording:
        """Record until the target ends, time is up or `stop` is set.

        Raises TargetError when the target never answered, OutputError when the file cannot be written for long.
        """
        witness = self._first_witness()
        try:
            while True:
                sample = self._look(witness)
                if sample is None:
                    successor = self._after_the_end(witness)
                    if successor is None:
                        break
                    witness = successor
                    continue
                pause = self._schedule.pause(self._clock(), sample.values, witness.cost_seconds)
                left = self._settings.seconds - (self._clock() - self._begun)
                if left <= 0 or self._stop.wait(max(min(pause, left), 0.0)):
                    self.recording.ending = "the recording was stopped" if left > 0 else "its time was up"
                    self._keep(events=witness.events())
                    break
        finally:
            self.recording.seconds = self._clock() - self._begun
            self._tell_head(witness)
        return self.recording

    def _first_witness(self) -> LiveWitness:
        deadline = self._clock() + self._settings.wait_seconds
        while True:
            try:
                return self._open()
            except TargetError:
                if self._clock() >= deadline or self._stop.wait(_RETRY_SECONDS):
                    raise

    def _look(self, witness: LiveWitness) -> RuntimeSample | None:
        """Take a sample and keep it; None when the target does not answer any more."""
        now = self._clock()
        with_stacks = self._schedule.wants_stacks(now)
        try:
            sample = witness.sample(stacks=with_stacks)
        except TargetError as error:
            if not self.recording.samples:
                raise
            self.recording.ending = error.message
            return None
        took = self._clock() - now
        if sample.goroutines:
            self._schedule.took_stacks(now, took)
        sample = replace(sample, seconds=now - self._begun, values={**sample.values, "recorder_seconds": took})
        profile = self._profile(witness, sample)
        events = (*self._clock_event(sample), *witness.events())
        if self._keep(sample, profile, events):
            self.recording.samples += 1
        self._tell_head(witness)
        self._forget(sample)
        self._on_sample(sample, witness)
        return sample

    def _profile(self, witness: LiveWitness, sample: RuntimeSample) -> tuple[str, bytes] | None:
        now = self._clock()
        if not self._schedule.wants_profile(now, sample.values):
            return None
        try:
            raw = witness.profile()
        except TargetError:
            raw = None
        self._schedule.took_profile(now, sample.values, self._clock() - now)
        return None if raw is None else (sample.at, raw)

    def _keep(
        self,
        sample: RuntimeSample | None = None,
        profile: tuple[str, bytes] | None = None,
        events: tuple[Event, ...] = (),
    ) -> bool:
        """Write; a full disk is borne for a while, as it may be made free again."""
        try:
            self._writer.add(
                sample.gauges if sample else (),
                (sample.at, sample.goroutines) if sample and sample.goroutines else None,
                profile,
                events,
            )
        except OutputError:
            now = self._clock()
            self._full_since = self._full_since if self._full_since is not None else now
            if now - self._full_since >= _FULL_DISK_SECONDS:
                raise
            return False
        self._full_since = None
        self.recording.events.extend(events)
        self.recording.profiles += profile is not None
        return True

    def _clock_event(self, sample: RuntimeSample) -> tuple[Event, ...]:
        """Say that the time of day jumped since the last sample."""
        now, wall = self._clock(), self._wall()
        last, self._last = self._last, (now, wall)
        if last is None:
            return ()
        jump = (wall - last[1]) - (now - last[0])
        if abs(jump) < CLOCK_JUMP_SECONDS:
            return ()
        text = f"The clock was set {'forward' if jump > 0 else 'back'} by {abs(jump):.0f} s."
        return (Event(EventKind.CLOCK, sample.at, text, WITNESS, {"seconds": f"{jump:.0f}"}),)

    def _after_the_end(self, witness: LiveWitness) -> LiveWitness | None:
        """Ask what is known of the end, then wait for a successor; None when there is none."""
        for pause in _LAST_WORDS:
            if pause:
                self._stop.wait(pause)
            self._keep(events=witness.events())
        if not self._settings.restarts:
            return None
        deadline = self._clock() + self._settings.wait_seconds
        while self._clock() < deadline and not self._stop.wait(_RETRY_SECONDS):
            try:
                successor = self._open()
                successor.sample(stacks=False)
            except TargetError:
                continue
            self._restarted(witness, successor)
            return successor
        return None

    def _restarted(self, old: LiveWitness, new: LiveWitness) -> None:
        if old.pid is not None and old.pid == new.pid:
            return
        self.recording.restarts += 1
        labels = {name: str(pid) for name, pid in (("old_pid", old.pid), ("new_pid", new.pid)) if pid is not None}
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = f"Another process answers{f' (pid {new.pid})' if new.pid else ''}: the target was restarted."
        self._keep(events=(Event(EventKind.RESTART, at, text, WITNESS, labels),))

    def _forget(self, sample: RuntimeSample) -> None:
        """Give up what is too old, now and then."""
        age = self._settings.most_age_seconds
        if sample.seconds <= age or sample.seconds - self._forgot_at < age / 20:
            return
        self._forgot_at = sample.seconds
        oldest = datetime.fromisoformat(sample.at).timestamp() - age
        at = datetime.fromtimestamp(oldest, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._writer.forget_before(at)

    def _tell_head(self, witness: LiveWitness) -> None:
        """Keep whose limit it was, and what could not be seen."""
        gaps = list(witness.gaps)
        if self._full_since is not None:
            gaps.append(Gap(WITNESS, "the disk was full for a while: samples are missing", "Make space, or --max-size"))
        try:
            self._writer.set_head(
                replace(
                    self._head,
                    limit_name=witness.limit_name or self._head.limit_name,
                    pid=witness.pid or self._head.pid,
                    gaps=tuple(dict.fromkeys((*self._head.gaps, *gaps))),
                )
            )
        except OutputError:
            return
