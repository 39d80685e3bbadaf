"""Real programs that die at real limits while they are recorded, or are held there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolchains import ROOT, environment, go
from whyheap.app.held_group import Acts
from whyheap.app.packages_ahead import PackagesRequest
from whyheap.app.record import RecordRequest, record
from whyheap.capture import Capture, load_capture
from whyheap.collect.recorder_file import Recording
from whyheap.collect.runtime_sample import samples_from_gauges
from whyheap.errors import TargetError
from whyheap.host.limited_process import LimitedProcess, limited_process
from whyheap.host.memory_group import MemoryGroup, group_version, memory_group
from whyheap.model.event import EventKind

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may limit"),
    pytest.mark.timeout(120),
]
SOURCE = ROOT / "src/whyheap/causes/unbounded_cache/scenario/session_map/main.go"
LIMIT_BYTES = 64 << 20
WHYHEAP = Path(sys.executable).with_name("whyheap")


@pytest.fixture(scope="module")
def grower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service that keeps 4 KiB more a few thousand times a second."""
    binary = tmp_path_factory.mktemp("grower") / "grower"
    env = environment() | {"GO111MODULE": "off"}
    subprocess.run([go(), "build", "-o", binary, SOURCE.name], cwd=SOURCE.parent, env=env, check=True)
    return binary


@contextmanager
def limited(grower: Path, rate: int = 3000) -> Iterator[tuple[LimitedProcess, MemoryGroup]]:
    """Run it in a group; somebody waits for it, as a service manager does."""
    command = [str(grower), "-for=60s", f"-rate={rate}"]
    with memory_group(LIMIT_BYTES) as group, limited_process(command, group=group) as program:
        done = threading.Event()

        def reap() -> None:
            while program.code is None and not done.wait(0.05):
                pass

        reaper = threading.Thread(target=reap, daemon=True)
        reaper.start()
        try:
            yield program, group
        finally:
            done.set()
            reaper.join()


def recorded(target: str, folder: Path, acts: Acts | None = None, seconds: float = 40.0) -> tuple[Recording, Capture]:
    file = folder / "x.whyheap"
    request = RecordRequest((target,), file, seconds=seconds, wait_seconds=1.0, acts=acts or Acts())
    return record(request), load_capture(file)


@pytest.mark.skipif(group_version() is None, reason="no memory group can be made here")
@pytest.mark.parametrize("by", ["pid", "url"])
def test_a_kill_for_memory_is_recorded_to_its_end(by: str, grower: Path, tmp_path: Path) -> None:
    with limited(grower, rate=1500) as (program, _):  # on a busy machine a quarter of a second may become one
        recording, capture = recorded(program.line if by == "url" else f"pid:{program.pid}", tmp_path)
    kinds = {event.kind for event in capture.events}
    assert {EventKind.OOM_COUNTED, EventKind.OOM_KILL, EventKind.EXIT} <= kinds
    assert next(event for event in capture.events if event.kind is EventKind.EXIT).labels["signal"] == "9"
    assert recording.ending == "killed by signal 9 (SIGKILL), and the kernel counted a kill for memory"
    samples = samples_from_gauges(capture.gauges, capture.goroutines)
    assert max(sample.values["container_usage"] for sample in samples) > 0.8 * LIMIT_BYTES
    assert len(capture.profiles) == len(capture.profile_times) >= 2
    assert any(sample.goroutines for sample in samples)


@pytest.mark.skipif(group_version() != 1, reason="cgroup v2 has no such control")
@pytest.mark.parametrize("raised", [None, 1 << 30])
def test_a_group_is_held_at_its_limit_for_a_last_census(raised: int | None, grower: Path, tmp_path: Path) -> None:
    with limited(grower) as (program, group):
        acts = Acts(hold_at_limit=True, raised_limit_bytes=raised)
        _, capture = recorded(f"pid:{program.pid}", tmp_path, acts, seconds=9.0 if raised else 40.0)
        held = next(event for event in capture.events if event.kind is EventKind.HELD)
        samples = samples_from_gauges(capture.gauges, capture.goroutines)
        last = min(samples, key=lambda sample: abs(_seconds(sample.at) - _seconds(held.at)))
        assert last.values["heap_inuse"] > 0.5 * LIMIT_BYTES
        assert last.goroutines
        control = (group.folder / "memory.oom_control").read_text()
        assert "oom_kill_disable 0" in control
        if raised:
            assert program.code is None  # it goes on
            assert samples[-1].values["container_limit"] == raised
        else:
            assert program.code == -9


@pytest.mark.skipif(group_version() != 1, reason="cgroup v2 has no such control")
def test_a_group_is_let_go_when_the_recorder_is_killed(grower: Path, tmp_path: Path) -> None:
    with limited(grower, rate=1) as (program, group):
        control = group.folder / "memory.oom_control"
        command = [
            str(WHYHEAP),
            "record",
            f"pid:{program.pid}",
            "-o",
            str(tmp_path / "x.whyheap"),
            "--hold-at-limit",
            "-q",
        ]
        with subprocess.Popen(command) as recorder:
            _until(lambda: "oom_kill_disable 1" in control.read_text())
            recorder.kill()
        _until(lambda: "oom_kill_disable 0" in control.read_text())
        assert program.code is None


@pytest.mark.skipif(group_version() != 1, reason="cgroup v2 has no such control")
def test_a_recorder_does_not_freeze_itself(grower: Path, tmp_path: Path) -> None:
    with limited(grower, rate=1) as (program, group):
        command = f"echo $$ > {group.procs} && exec {WHYHEAP} record pid:{program.pid} -o {tmp_path}/x.whyheap"
        done = subprocess.run(["sh", "-c", f"{command} --hold-at-limit"], capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "would freeze as well" in done.stderr
        assert "oom_kill_disable 0" in (group.folder / "memory.oom_control").read_text()


def test_another_process_at_the_same_address_is_recorded_into_the_same_file(tmp_path: Path, grower: Path) -> None:
    """oomshop takes a fixed port; a program in its place is another process."""
    del grower
    shop = tmp_path / "shop"
    env = environment()
    subprocess.run([go(), "build", "-o", shop, "."], cwd=ROOT / "examples" / "oomshop", env=env, check=True)
    with subprocess.Popen([shop, "-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        address = first.stdout.readline().split("http://")[1].split()[0]
        stop = threading.Event()
        request = RecordRequest((f"http://{address}",), tmp_path / "x.whyheap", wait_seconds=20.0)
        found: list[Recording] = []
        recorder = threading.Thread(target=lambda: found.append(record(request, stop=stop)))
        recorder.start()
        _until((tmp_path / "x.whyheap").exists)
        time.sleep(1.5)
        first.terminate()
        first.wait()
        with subprocess.Popen([shop, "-listen", address], stdout=subprocess.PIPE, text=True) as second:
            _until(lambda: any(event.kind is EventKind.RESTART for event in load_capture(request.file).events))
            stop.set()
            recorder.join()
            second.terminate()
    restart = next(event for event in load_capture(request.file).events if event.kind is EventKind.RESTART)
    assert dict(restart.labels) == {"old_pid": str(first.pid), "new_pid": str(second.pid)}
    assert found[0].restarts == 1


def test_a_target_that_never_answers_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError):
        recorded("http://127.0.0.1:9", tmp_path)
    assert list(tmp_path.iterdir()) == []


def _seconds(at: str) -> float:
    hours, minutes, seconds = at[11:-1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def test_packages_are_scanned_into_the_recording(grower: Path, tmp_path: Path) -> None:
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module sessions\n\ngo 1.22\n")
    (module / "main.go").write_text(SOURCE.read_text())
    file = tmp_path / "x.whyheap"
    build = PackagesRequest(folder=str(module), go=str(go()), go_env={"GOTOOLCHAIN": "local"})
    with limited(grower, rate=100) as (program, _):
        record(RecordRequest(("./...", f"pid:{program.pid}"), file, seconds=2.0, build=build))
        broken = RecordRequest(
            ("./nothing/...", f"pid:{program.pid}"), tmp_path / "y.whyheap", seconds=0.5, build=build
        )
        record(broken)
    capture = load_capture(file)
    assert capture.targets == ("./...", f"pid:{program.pid}")
    assert capture.scan is not None
    assert capture.scan.module == "sessions"
    assert any(package.facts for package in capture.scan.packages)
    assert capture.gauges
    without = load_capture(tmp_path / "y.whyheap")
    assert without.scan is None
    assert without.gauges
    assert any(gap.reason.startswith("the packages were not scanned") for gap in without.gaps)


def test_an_interrupted_recording_does_not_wait_for_the_scan(grower: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module sessions\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text(SOURCE.read_text())
    build = PackagesRequest(folder=str(tmp_path), go=str(go()), go_env={"GOTOOLCHAIN": "local"})

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with limited(grower, rate=100) as (program, _):
        request = RecordRequest(("./...", f"pid:{program.pid}"), tmp_path / "x.whyheap", build=build)
        with pytest.raises(KeyboardInterrupt):
            record(request, on_sample=interrupt)
    capture = load_capture(tmp_path / "x.whyheap")
    assert capture.scan is None
    assert [gap.reason for gap in capture.gaps if gap.witness == "compiler"] == [
        "the recording ended before the packages were scanned"
    ]
