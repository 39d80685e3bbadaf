"""A recorder tells ends from hiccups: what runs but is silent is watched on, what ended is told with its status."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from collect.recorder_samples import FakeClock, FakeWitness
from whyheap.capture import Capture, load_capture
from whyheap.capture_writer import CaptureWriter
from whyheap.collect import silent_target
from whyheap.collect.process_grip import Held
from whyheap.collect.recorder import Recorder, Settings, Told
from whyheap.collect.recorder_file import Recording
from whyheap.collect.runtime_sample import samples_from_gauges
from whyheap.collect.witness import LiveWitness
from whyheap.errors import OutputError, TargetError
from whyheap.model.event import Event, EventKind

HEAD = Capture(("http://127.0.0.1:6060",), "2026-01-01T00:00:00Z")


class FakeHeld:
    """A process that ends at a moment, with a wait status."""

    def __init__(self, clock: FakeClock, ends_at: float, status: int | None = None) -> None:
        self._clock, self._ends_at, self._status = clock, ends_at, status
        self.closed = False

    def has_ended(self, seconds: float = 0.0, stop: threading.Event | None = None) -> bool:
        del stop
        self._clock.now = min(self._clock.now + seconds, max(self._ends_at, self._clock.now))
        return self._clock.now >= self._ends_at

    def status(self) -> int | None:
        return self._status

    def close(self) -> None:
        self.closed = True


def recorded(
    path: Path,
    clock: FakeClock,
    witness: FakeWitness,
    hold: Callable[[int], FakeHeld],
    settings: Settings | None = None,
    said: list[str] | None = None,
) -> Recording:
    first = [witness]

    def open_target() -> LiveWitness:
        if not first:
            raise TargetError("nothing answers", "")
        return cast("LiveWitness", first.pop())

    writer = CaptureWriter(path, HEAD, "0")
    try:
        return Recorder(
            open_target,
            writer,
            HEAD,
            settings=settings or Settings(restarts=False),
            stop=cast("threading.Event", clock),
            told=Told(say=(said if said is not None else []).append),
            hold=cast("Callable[[int], Held]", hold),
            clock=clock,
            wall=clock.wall,
        ).run()
    finally:
        writer.close()


def test_an_end_is_noticed_between_two_looks_and_its_status_told(tmp_path: Path) -> None:
    clock = FakeClock()
    held = FakeHeld(clock, clock.now + 33.25, status=2 << 8)
    recording = recorded(tmp_path / "x.whyheap", clock, FakeWitness(clock, life=33.2), lambda _: held)
    assert recording.ending == "exit code 2"
    assert clock.now == pytest.approx(1000 + 33.25 + 0.8)  # at once, and the last words
    end = next(event for event in load_capture(tmp_path / "x.whyheap").events if event.kind is EventKind.EXIT)
    assert dict(end.labels) == {"pid": "7", "known": "yes", "code": "2"}
    assert held.closed


def test_a_service_that_runs_but_does_not_answer_is_watched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    witness = FakeWitness(clock)
    whole = witness.sample

    def hanging(*, stacks: bool = True) -> object:
        if 20 <= clock.now - 1000 < 50:
            raise TargetError("http://127.0.0.1:6060 did not answer within 10 s.", "")
        return whole(stacks=stacks)

    class Asked(silent_target.SilentTarget):
        """Asked in this thread, as the clock is a fake."""

        def numbers(self) -> dict[str, float]:
            return {"rss": 5.0}

        def answers(self) -> bool:
            self._ask()
            return self._answered.is_set()

    witness.sample = hanging  # type: ignore[method-assign, assignment] # a stand-in
    monkeypatch.setattr("whyheap.collect.recorder.SilentTarget", Asked)
    said: list[str] = []
    settings = Settings(seconds=100)
    path = tmp_path / "x.whyheap"
    recording = recorded(path, clock, witness, lambda _: FakeHeld(clock, float("inf")), settings, said)
    capture = load_capture(path)
    samples = samples_from_gauges(capture.gauges)
    meanwhile = [sample for sample in samples if "heap_alloc" not in sample.values]
    assert [sample.values["rss"] for sample in meanwhile] == [5.0] * len(meanwhile)
    assert len(meanwhile) >= 6
    assert samples[-1].values["heap_alloc"]
    assert recording.restarts == 0
    assert [event.kind for event in capture.events] == [EventKind.NOTE]
    assert "did not answer for 3" in capture.events[0].text
    assert len(said) == 1
    assert "runs on" in said[0]


def test_another_process_between_two_looks_is_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    witness = FakeWitness(clock)
    whole = witness.sample

    def other(*, stacks: bool = True) -> object:
        if clock.now > 1040:
            witness.pid = 8
        return whole(stacks=stacks)

    witness.sample = other  # type: ignore[method-assign, assignment] # a stand-in
    held: list[int] = []

    def hold(pid: int) -> FakeHeld:
        held.append(pid)
        return FakeHeld(clock, float("inf"))

    recording = recorded(tmp_path / "x.whyheap", clock, witness, hold, Settings(seconds=100))
    restart = next(event for event in load_capture(tmp_path / "x.whyheap").events)
    assert restart.kind is EventKind.RESTART
    assert dict(restart.labels) == {"old_pid": "7", "new_pid": "8"}
    assert recording.restarts == 1
    assert held == [7, 8]


def test_events_of_a_full_disk_are_kept_when_there_is_space_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    witness = FakeWitness(clock)
    kill = Event(EventKind.OOM_KILL, "2026-01-01T00:00:00Z", "The kernel killed something.", "kernel")
    told = [kill]
    monkeypatch.setattr(witness, "events", lambda: (told.pop(),) if told and clock.now > 1021 else ())
    add = CaptureWriter.add

    def adding(writer: CaptureWriter, *given: object) -> None:
        if 20 <= clock.now - 1000 < 50:
            raise OutputError("x.whyheap cannot be written: the disk is full.", "Make space")
        add(writer, *given)  # type: ignore[arg-type] # of its cases

    monkeypatch.setattr(CaptureWriter, "add", adding)
    said: list[str] = []
    path = tmp_path / "x.whyheap"
    recorded(path, clock, witness, lambda _: FakeHeld(clock, float("inf")), Settings(seconds=100), said)
    events = load_capture(path).events
    assert events[0] == kill
    assert events[1].kind is EventKind.NOTE
    assert int(events[1].labels["missed"]) > 5
    assert len(said) == 2
    assert said[0].startswith("x.whyheap cannot be written: the disk is full. Trying again for 60 s")
    assert said[1].startswith("there is space again")


def test_ctrl_c_keeps_what_happened_last(tmp_path: Path) -> None:
    clock = FakeClock()
    witness = FakeWitness(clock, life=30.0)
    whole = witness.sample

    def interrupted(*, stacks: bool = True) -> object:
        if clock.now >= 1030:
            raise KeyboardInterrupt
        return whole(stacks=stacks)

    witness.sample = interrupted  # type: ignore[method-assign, assignment] # a stand-in
    path = tmp_path / "x.whyheap"
    with pytest.raises(KeyboardInterrupt):
        recorded(path, clock, witness, lambda _: FakeHeld(clock, float("inf")))
    assert [event.kind for event in load_capture(path).events] == [EventKind.EXIT]
