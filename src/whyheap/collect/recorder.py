"""The flight recorder: one target, looked at again and again until it ends, each look kept at once.

What it costs the target is what its witness costs, at most 1 % of its time for numbers, goroutines and profiles each:
see schedule.py. It survives the target's death, and its own: see capture_writer.py.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from whyheap.capture import Capture
from whyheap.capture_writer import CaptureWriter, Mark
from whyheap.collect.process_ends import is_another, now_text, told_end
from whyheap.collect.process_grip import Held, Hold, ProcessGrip
from whyheap.collect.recorder_file import WITNESS, RecorderFile, Recording
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.schedule import Schedule
from whyheap.collect.silent_target import RETRY_SECONDS, SilentTarget
from whyheap.collect.witness import LiveWitness
from whyheap.errors import TargetError
from whyheap.model.event import Event, EventKind
from whyheap.model.gauge import Gap
from whyheap.units import format_duration

CLOCK_JUMP_SECONDS = 5.0
_RETRY_SECONDS = 0.5
_LAST_WORDS = (0.0, 0.2, 0.6)
"""When, after a target's end, its group and the kernel are asked what they know, in seconds."""
_MARKS_IN_AN_AGE = 20

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


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what while a recording goes on; what they raise ends it."""

    sample: Callable[[RuntimeSample, LiveWitness], None] = lambda _, __: None
    profile: Callable[[bytes], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None


class Recorder:
    """Records into one file."""

    def __init__(
        self,
        open_target: Open,
        writer: CaptureWriter,
        head: Capture,
        schedule: Schedule | None = None,
        settings: Settings | None = None,
        *,
        stop: threading.Event | None = None,
        told: Told | None = None,
        hold: Hold | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`head` says what was recorded; `clock` does not jump, `wall` is the time of day.

        `hold` notices the end of a process of this machine; without it an end is noticed at the next look.
        """
        self._open = open_target
        self._schedule = schedule or Schedule()
        self._settings = settings or Settings()
        self._stop = stop or threading.Event()
        self._told = told or Told()
        self._grip = ProcessGrip(hold)
        self._clock, self._wall = clock, wall
        self._begun = clock()
        self._last: tuple[float, float] | None = None
        self._before: tuple[RuntimeSample, int | None] | None = None
        self._marks: deque[tuple[float, Mark]] = deque()
        self.recording = Recording()
        self._file = RecorderFile(writer, head, self.recording, self._told.say, clock)

    def run(self) -> Recording:
        """Record until the target ends, time is up or `stop` is set.

        Raises TargetError when the target never answered, OutputError when the file cannot be written for long.
        """
        latest = self._first_witness()
        witness: LiveWitness | None = latest
        try:
            while witness is not None:
                latest = witness
                if not self._watch(witness):
                    self._file.keep(events=witness.events())
                    break
                witness = self._after_the_end(witness)
        except KeyboardInterrupt:
            self.recording.ending = "the recording was stopped"
            self._file.keep(events=latest.events())
            raise
        finally:
            self.recording.seconds = self._clock() - self._begun
            self._file.tell_head(latest)
            self._grip.let_go()
        return self.recording

    def keep_moment(self, witness: LiveWitness, event: Event) -> None:
        """Keep one more look, numbers, goroutines and profile, at a moment that is not ours to choose.

        May be called from another thread. Raises TargetError or OutputError.
        """
        sample = witness.sample()
        sample = replace(sample, seconds=self._clock() - self._begun)
        raw: bytes | None = None
        with suppress(TargetError):  # numbers and stacks are worth keeping without it
            raw = witness.profile()
        self._file.keep(sample, (sample.at, raw) if raw else None, (event,))

    def note(self, gaps: Iterable[Gap]) -> None:
        """Keep what others could not see for this recording."""
        self._file.note(gaps)

    def _first_witness(self) -> LiveWitness:
        deadline = self._clock() + self._settings.wait_seconds
        while True:
            try:
                return self._open()
            except TargetError:
                if self._clock() >= deadline or self._stop.wait(_RETRY_SECONDS):
                    raise

    def _watch(self, witness: LiveWitness) -> bool:
        """Look until the target falls silent (True), or the recording is over."""
        while True:
            sample = self._look(witness)
            if sample is None:
                return True
            pause = self._schedule.pause(self._clock(), sample.values, witness.cost_seconds)
            left = self._settings.seconds - (self._clock() - self._begun)
            if left <= 0:
                self.recording.ending = "its time was up"
                return False
            held = self._grip.on(witness.pid)
            if held is not None:
                if held.has_ended(min(pause, left), self._stop):
                    self.recording.ending = f"process {witness.pid} has ended"
                    return True
            elif self._stop.wait(min(pause, left)):
                self.recording.ending = "the recording was stopped"
                return False
            if self._stop.is_set():
                self.recording.ending = "the recording was stopped"
                return False

    def _look(self, witness: LiveWitness) -> RuntimeSample | None:
        """Take a sample and keep it; None when the target does not answer any more."""
        now, worked = self._clock(), time.thread_time()
        try:
            sample = witness.sample(stacks=self._schedule.wants_stacks(now))
        except TargetError as error:
            self.recording.ending = error.message.rstrip(".")
            return None
        took = self._clock() - now
        if sample.goroutines:  # read from outside they cost our own work, however long that waits for a processor
            self._schedule.took_stacks(now, took if witness.cost_seconds else min(took, time.thread_time() - worked))
        sample = replace(sample, seconds=now - self._begun, values={**sample.values, "recorder_seconds": took})
        profile = self._profile(witness, sample)
        events = (*self._clock_event(sample), *self._restart_event(sample, witness.pid), *witness.events())
        self._file.keep(sample, profile, events)
        self._told.sample(sample, witness)  # at once: what is kept is counted where Ctrl-C comes now
        self._file.tell_head(witness)
        self._forget(sample)
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
        if raw is None:
            return None
        self._told.profile(raw)
        return sample.at, raw

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

    def _restart_event(self, sample: RuntimeSample, pid: int | None) -> tuple[Event, ...]:
        """Say that another process answered since the last sample: what it counts began anew."""
        before, self._before = self._before, (sample, pid)
        if before is None or not is_another(before, self._before):
            return ()
        self.recording.restarts += 1
        numbers = (("old_pid", before[1]), ("new_pid", pid))
        labels = {name: str(number) for name, number in numbers if number is not None}
        text = f"Another process answers{f' (pid {pid})' if pid else ''}: the target was restarted."
        return (Event(EventKind.RESTART, sample.at, text, WITNESS, labels),)

    def _after_the_end(self, witness: LiveWitness) -> LiveWitness | None:
        """Ask what is known of the end, then wait for the target or a successor; None when there is none."""
        running = self._grip.running
        for pause in _LAST_WORDS if running is None else (0.0,):
            if pause:
                self._stop.wait(pause)
            self._file.keep(events=[self._grip.completed(event) for event in witness.events()])
        self.recording.ending = told_end(self.recording.events) or self.recording.ending
        if running is not None:
            return self._while_silent(witness, running)
        self._grip.let_go()
        if not self._settings.restarts or self._stop.is_set():
            return None
        wait = self._settings.wait_seconds
        if wait > 0:
            self._told.say(f"{self.recording.ending}; waiting up to {format_duration(wait)} for another process")
        deadline = self._clock() + wait
        while self._clock() < deadline and not self._stop.wait(_RETRY_SECONDS):
            late = witness.events()  # a cluster tells of an end some seconds after it
            if late:
                self._file.keep(events=late)
                self.recording.ending = told_end(self.recording.events) or self.recording.ending
            try:
                successor = self._open()
                successor.sample(stacks=False)
            except TargetError:
                continue
            return successor
        return None

    def _while_silent(self, witness: LiveWitness, held: Held) -> LiveWitness | None:
        """Keep what the kernel tells of a process that runs but does not answer, until it does or ends."""
        pid = witness.pid or 0
        silent = SilentTarget(witness, pid)
        begun = self._clock()
        self._told.say(f"{self.recording.ending}; pid {pid} runs on, and what the kernel tells of it is kept meanwhile")
        while not silent.answers():
            values = silent.numbers()
            at = now_text()
            if values:  # none where it is ending just now
                self._file.keep(RuntimeSample(at, self._clock() - self._begun, values))
            left = self._settings.seconds - (self._clock() - self._begun)
            pause = min(self._schedule.pause(self._clock(), values, 0.0), RETRY_SECONDS, max(left, 0.0))
            if held.has_ended(pause, self._stop):
                return witness  # looking at it tells how
            if left <= 0 or self._stop.is_set():
                return None
        seconds = self._clock() - begun
        text = f"The service did not answer for {format_duration(seconds)}, though its process ran."
        self._file.keep(events=(Event(EventKind.NOTE, now_text(), text, WITNESS, {"seconds": f"{seconds:.1f}"}),))
        return witness

    def _forget(self, sample: RuntimeSample) -> None:
        """Give up what is too old, now and then."""
        age = self._settings.most_age_seconds
        if age == float("inf"):
            return
        if not self._marks or sample.seconds - self._marks[-1][0] >= age / _MARKS_IN_AN_AGE:
            self._marks.append((sample.seconds, self._file.mark()))
        old = None
        while len(self._marks) > 1 and sample.seconds - self._marks[0][0] > age:
            old = self._marks.popleft()[1]
        if old is not None:
            self._file.forget_before(old)
