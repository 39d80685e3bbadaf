"""The flight recorder loses nothing: at its own death, on a full disk, at a restart, a clock jump, or in ten hours."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest

from collect.recorder_samples import MIB, FakeClock, FakeWitness
from whyheap.capture import Capture, load_capture
from whyheap.capture_writer import CaptureWriter
from whyheap.collect.recorder import Recorder, Settings
from whyheap.collect.recorder_file import Recording
from whyheap.collect.runtime_sample import samples_from_gauges
from whyheap.collect.schedule import Schedule
from whyheap.collect.witness import LiveWitness
from whyheap.errors import OutputError, TargetError
from whyheap.host.process_wait import ProcessWait
from whyheap.model.event import EventKind

HEAD = Capture(("http://127.0.0.1:6060",), "2026-01-01T00:00:00Z")
KILLS = 50
WRITERS = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from collect.recorder_samples import FakeWitness
from whyheap.capture_writer import CaptureWriter
from whyheap.capture import Capture
from whyheap.collect.recorder import Recorder, Told
from whyheap.collect.schedule import Schedule
for line in sys.stdin:
    path = Path(line.strip())
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        continue
    with open(path.with_suffix(".told"), "wb", buffering=0) as told:
        writer = CaptureWriter(path, Capture(("pid:7",), "2026-01-01T00:00:00Z"), "0")
        witness = FakeWitness(time.monotonic, bulk=60000)
        kept = Told(lambda sample, _: told.write(b"."))
        Recorder(lambda: witness, writer, Capture(("pid:7",), ""), Schedule(0.001, 0.001), told=kept).run()
"""


def record(
    path: Path,
    clock: FakeClock,
    *witnesses: FakeWitness,
    settings: Settings | None = None,
    schedule: Schedule | None = None,
    most_bytes: int = 256 * MIB,
) -> Recording:
    left = list(witnesses)

    def open_target() -> LiveWitness:
        if not left:
            raise TargetError("nothing answers", "")
        return cast("LiveWitness", left.pop(0))

    writer = CaptureWriter(path, HEAD, "0.1.0", most_bytes)
    recorder = Recorder(
        open_target,
        writer,
        HEAD,
        schedule,
        settings or Settings(restarts=False),
        stop=cast("threading.Event", clock),
        clock=clock,
        wall=clock.wall,
    )
    try:
        return recorder.run()
    finally:
        writer.close()


def test_a_recording_tells_samples_profiles_goroutines_and_the_end(tmp_path: Path) -> None:
    clock = FakeClock()
    recording = record(tmp_path / "x.whyheap", clock, FakeWitness(clock, life=60))
    capture = load_capture(tmp_path / "x.whyheap")
    samples = samples_from_gauges(capture.gauges, capture.goroutines)
    assert recording.samples == len(samples) > 20
    assert recording.profiles == len(capture.profiles) == len(capture.profile_times) >= 1
    assert samples[0].goroutines[0].count == 40
    assert [event.kind for event in capture.events] == [EventKind.EXIT]
    assert capture.limit_name == "cgroup v1 /shop"
    assert capture.pid == 7
    assert recording.ending == "the process has ended, its exit code is not known"


@pytest.mark.live
@pytest.mark.timeout(120)
def test_killed_at_random_moments_each_capture_opens_and_lacks_the_last_sample_at_most(tmp_path: Path) -> None:
    dice = random.Random(4)  # noqa: S311 - moments, not secrets
    seen = []
    command = [sys.executable, "-c", WRITERS, str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for number in range(KILLS):
            path = tmp_path / f"{number}.whyheap"
            told = path.with_suffix(".told")
            print(path, file=writers.stdin, flush=True)
            pid = int(writers.stdout.readline())
            while not told.exists():  # it is about to make the file
                time.sleep(0.001)
            time.sleep(dice.uniform(0.0, 0.15))
            os.kill(pid, signal.SIGKILL)
            ProcessWait(pid).has_ended(10)
            if path.exists():
                seen.append((told.stat().st_size, len(samples_from_gauges(load_capture(path).gauges))))
            else:
                assert told.stat().st_size == 0
        writers.stdin.close()
    assert len(seen) > KILLS * 0.8
    assert all(told <= kept <= told + 1 for told, kept in seen), seen  # told after it was kept
    assert len({told for told, _ in seen}) > 5


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of transactions wait for a disk each."""
    if not os.access("/dev/shm", os.W_OK):  # noqa: S108 - a folder of our own in it
        yield tmp_path
        return
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_ten_hours_stay_within_the_size_and_keep_both_ends(memory_path: Path) -> None:
    clock, tmp_path = FakeClock(), memory_path
    witness = FakeWitness(clock, usage=lambda now: 100 * MIB + (now % 3600) * 250_000, bulk=200_000)
    most = 2 * MIB
    record(tmp_path / "x.whyheap", clock, witness, settings=Settings(seconds=36_000), most_bytes=most)
    assert (tmp_path / "x.whyheap").stat().st_size <= most * 1.1
    capture = load_capture(tmp_path / "x.whyheap")
    samples = samples_from_gauges(capture.gauges)
    assert witness.samples > 3600
    assert samples[0].seconds < 60
    assert samples[-1].seconds > 35_900
    gaps = [later.seconds - earlier.seconds for earlier, later in pairwise(samples)]
    assert max(gaps[-50:]) <= 10.5  # the newest are not thinned
    assert len(capture.profiles) >= 2


def test_a_restart_is_told_and_recording_goes_on(tmp_path: Path) -> None:
    clock = FakeClock()
    first, second = FakeWitness(clock, life=20, pid=7), FakeWitness(clock, life=100, pid=8)
    recording = record(tmp_path / "x.whyheap", clock, first, second, settings=Settings(wait_seconds=5, seconds=60))
    events = load_capture(tmp_path / "x.whyheap").events
    restart = next(event for event in events if event.kind is EventKind.RESTART)
    assert dict(restart.labels) == {"old_pid": "7", "new_pid": "8"}
    assert recording.restarts == 1
    assert second.samples > 5


def test_a_clock_that_was_set_is_told_and_seconds_go_on(tmp_path: Path) -> None:
    clock = FakeClock()
    witness = FakeWitness(clock, life=40)
    whole = witness.sample

    def jumping(*, stacks: bool = True) -> object:
        if witness.samples == 10:
            clock.set_by = -3600.0
        return whole(stacks=stacks)

    witness.sample = jumping  # type: ignore[method-assign, assignment] # a stand-in
    record(tmp_path / "x.whyheap", clock, witness)
    capture = load_capture(tmp_path / "x.whyheap")
    jump = next(event for event in capture.events if event.kind is EventKind.CLOCK)
    assert jump.labels["seconds"] == "-3600"
    seconds = [sample.seconds for sample in samples_from_gauges(capture.gauges)]
    assert seconds == sorted(seconds)


def test_a_full_disk_is_borne_a_while_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    path = tmp_path / "x.whyheap"
    add = CaptureWriter.add
    full = [False]

    def adding(writer: CaptureWriter, *arguments: object) -> None:
        if full[0]:
            raise OutputError("x.whyheap cannot be written: database or disk is full.", "Make space")
        add(writer, *arguments)  # type: ignore[arg-type] # of its cases

    monkeypatch.setattr(CaptureWriter, "add", adding)
    witness = FakeWitness(clock)
    whole = witness.sample

    def filling(*, stacks: bool = True) -> object:
        full[0] = witness.samples in range(20, 25) or witness.samples > 40
        return whole(stacks=stacks)

    witness.sample = filling  # type: ignore[method-assign, assignment] # a stand-in
    with pytest.raises(OutputError, match="disk is full"):
        record(path, clock, witness)
    kept = samples_from_gauges(load_capture(path).gauges)
    assert 30 <= len(kept) <= 41  # what came between was kept


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_is_really_full_leaves_a_readable_file(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], check=True)
    try:
        clock = FakeClock()
        with pytest.raises(OutputError, match="full"):
            record(small / "x.whyheap", clock, FakeWitness(clock, bulk=60_000), schedule=Schedule(1.0, 1.0))
        capture = load_capture(small / "x.whyheap")
        assert samples_from_gauges(capture.gauges)
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "x.whyheap"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="is there already"):
        CaptureWriter(path, HEAD, "0")
    assert path.read_bytes() == b"precious"


def test_old_samples_are_given_up_where_an_age_is_set(memory_path: Path) -> None:
    clock, tmp_path = FakeClock(), memory_path
    settings = Settings(seconds=3600, most_age_seconds=600, restarts=False)
    record(tmp_path / "x.whyheap", clock, FakeWitness(clock), settings=settings)
    samples = samples_from_gauges(load_capture(tmp_path / "x.whyheap").gauges)
    assert 2900 < samples[0].seconds < samples[-1].seconds
