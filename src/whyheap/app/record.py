"""The job of `whyheap record`: keep what a target does until it ends, in a file that is whole at any moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from whyheap.app.held_group import Acts, acting
from whyheap.app.live_targets import base_url, open_live
from whyheap.app.packages_ahead import LONGEST_SECONDS, PackagesAhead, PackagesRequest
from whyheap.app.targets import Target, TargetKind, recognise
from whyheap.capture import Capture
from whyheap.capture_writer import DEFAULT_MOST_BYTES, CaptureWriter
from whyheap.collect.local_process import find_local_process
from whyheap.collect.recorder import Recorder, Settings, Told
from whyheap.collect.recorder_file import Recording
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.schedule import Schedule
from whyheap.collect.witness import LiveWitness
from whyheap.errors import TargetError, ToolError, UsageError
from whyheap.host import kubectl
from whyheap.host.http import Access, fetch, scrub
from whyheap.host.process_wait import ProcessWait
from whyheap.units import format_duration
from whyheap.version import VERSION

_EXAMPLE = "For example:  whyheap record http://127.0.0.1:6060 -o shop.whyheap"
_RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What to record into which file. `interval_seconds` fixes the pause; None lets it adapt.

    `acts` is what is done to the target's group, nothing by default. `ahead` lets a second process do what takes much
    memory once, for a recorder that stays. `build` says how packages among the targets are scanned.
    """

    targets: tuple[str, ...]
    file: Path
    seconds: float = float("inf")
    wait_seconds: float = 30.0
    interval_seconds: float | None = None
    most_bytes: int = DEFAULT_MOST_BYTES
    most_age_seconds: float = float("inf")
    acts: Acts = field(default_factory=Acts)
    ahead: bool = False
    build: PackagesRequest = field(default_factory=PackagesRequest)
    access: Access = field(default_factory=Access)


def record(
    request: RecordRequest,
    *,
    stop: threading.Event | None = None,
    on_sample: Callable[[RuntimeSample, LiveWitness], None] = lambda _, __: None,
    on_profile: Callable[[bytes], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
) -> Recording:
    """Record until the target ends, time is up or `stop` is set; what was gathered is kept in any case.

    Raises:
        UsageError: not one live target was named.
        TargetError: it never answered; no file is left then. Also where acting on its group is not possible.
        OutputError: the file is there already, or could not be written for a minute.
    """
    target, packages = _sorted(request.targets)
    stop = stop or threading.Event()
    first = _wait_for(target, request, stop, announce)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = Capture((*packages, scrub(target.text) if "://" in target.text else target.text), at)
    writer = CaptureWriter(request.file, head, VERSION, request.most_bytes)
    waiting = [first]

    def open_target() -> LiveWitness:
        return waiting.pop() if waiting else _open(target, request)

    pause = request.interval_seconds
    schedule = Schedule() if pause is None else Schedule(pause, pause)
    settings = Settings(
        request.seconds, request.wait_seconds, request.most_age_seconds, restarts=target.kind is not TargetKind.PID
    )
    with ExitStack() as stack:
        stack.callback(writer.close)
        stack.callback(kubectl.end_running)  # a port-forward of a pod would go on by itself
        scan = PackagesAhead(replace(request.build, packages=packages), writer) if packages else None
        if scan is not None:
            stack.callback(scan.close)

        def seen(sample: RuntimeSample, witness: LiveWitness) -> None:
            if scan is not None:
                recorder.note(scan.take())
            on_sample(sample, witness)

        told = Told(seen, on_profile, announce)
        recorder = Recorder(open_target, writer, head, schedule, settings, stop=stop, told=told, hold=ProcessWait)
        if request.acts:
            try:
                stack.enter_context(acting(request.acts, first.pid, recorder, announce))
            except TargetError:
                request.file.unlink(missing_ok=True)  # nothing was recorded yet
                raise
        seconds = 0.0  # Ctrl-C is not to wait for a scan
        try:
            recording = recorder.run()
            seconds = LONGEST_SECONDS
        finally:
            if scan is not None:
                recorder.note(scan.finish(seconds))
        return recording


def _sorted(texts: tuple[str, ...]) -> tuple[Target, tuple[str, ...]]:
    """Return what is observed, and the packages that it was built from."""
    targets = [recognise(text) for text in texts]
    live = [target for target in targets if target.is_live]
    if len(live) != 1:
        what = "more than one service or process" if live else "no service or process"
        raise UsageError(f"{what} was named to record", _EXAMPLE)
    other = next((one for one in targets if not one.is_live and one.kind is not TargetKind.PACKAGES), None)
    if other is not None:
        raise UsageError(
            f"{other.text} does not run, so there is nothing to record",
            f"Read it together with the recording afterwards:  whyheap why {other.text} FILE.whyheap",
        )
    return live[0], tuple(target.text for target in targets if target.kind is TargetKind.PACKAGES)


def _open(target: Target, request: RecordRequest, announce: Callable[[str], None] = lambda _: None) -> LiveWitness:
    """Open what is to be observed. Raises TargetError where nothing answers."""
    if request.ahead:
        _read_ahead(target, request.access)
    try:
        opened = open_live(target, request.access, announce)
    except ToolError as error:
        if target.kind is not TargetKind.POD:
            raise
        raise TargetError(error.message, error.hint) from error  # a slow cluster may answer the next time
    if opened.witness is None:
        raise TargetError(f"{opened.name} has no process that could be observed", _EXAMPLE)
    return opened.witness


def _read_ahead(target: Target, access: Access) -> None:
    from whyheap.collect.layout_ahead import read_ahead  # noqa: PLC0415 - brings numpy, which pods need not pay for

    if target.kind is TargetKind.PID:
        read_ahead(target.pid)
    elif target.kind is TargetKind.URL:
        base = base_url(target.text)
        local, _ = find_local_process(base, lambda: fetch(f"{base}/debug/pprof/cmdline", access))
        if local is not None:
            read_ahead(local.pid)


def _wait_for(
    target: Target, request: RecordRequest, stop: threading.Event, announce: Callable[[str], None]
) -> LiveWitness:
    """Open the target and see that it answers, before a file is made."""
    deadline = time.monotonic() + request.wait_seconds
    is_told = False
    while True:
        try:
            witness = _open(target, request, announce)
            witness.sample(stacks=False)
        except TargetError as error:
            if target.kind is TargetKind.PID or time.monotonic() >= deadline:
                raise
            if not is_told:
                announce(f"{error.message.rstrip('.')}; waiting up to {format_duration(request.wait_seconds)} for it")
                is_told = True
            if stop.wait(_RETRY_SECONDS):
                raise
        else:
            return witness
