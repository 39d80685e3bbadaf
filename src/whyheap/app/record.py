"""The job of `whyheap record`: keep what a target does until it ends, in a file that is whole at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from whyheap.app.live_targets import LiveTarget, open_live
from whyheap.app.targets import Target, TargetKind, recognise
from whyheap.capture import Capture
from whyheap.capture_writer import DEFAULT_MOST_BYTES, CaptureWriter
from whyheap.collect.recorder import Recorder, Recording, Settings
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.collect.schedule import Schedule
from whyheap.collect.witness import LiveWitness
from whyheap.errors import TargetError, UsageError
from whyheap.host.cgroup import read_limit
from whyheap.host.http import Access, scrub
from whyheap.model.event import Event, EventKind
from whyheap.version import VERSION

Seen = Callable[[RuntimeSample, LiveWitness], None]
_EXAMPLE = "For example:  whyheap record http://127.0.0.1:6060 -o shop.whyheap"


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What to record into which file. `interval_seconds` fixes the pause; None lets it adapt.

    `hold_at_limit` and `high_share` (0..1) act on the target's group: see host/cgroup_control.py.
    """

    targets: tuple[str, ...]
    file: Path
    seconds: float = float("inf")
    wait_seconds: float = 30.0
    interval_seconds: float | None = None
    most_bytes: int = DEFAULT_MOST_BYTES
    most_age_seconds: float = float("inf")
    hold_at_limit: bool = False
    high_share: float | None = None
    access: Access = field(default_factory=Access)


def record(
    request: RecordRequest,
    *,
    stop: threading.Event | None = None,
    on_sample: Seen = lambda _, __: None,
    announce: Callable[[str], None] = lambda _: None,
) -> Recording:
    """Record until the target ends, time is up or `stop` is set; what was gathered is kept in any case.

    Raises:
        UsageError: not one live target was named.
        TargetError: it never answered; no file is left then. Also where acting on its group is not possible.
        OutputError: the file is there already, or could not be written for a minute.
    """
    target = _only(request.targets)
    stop = stop or threading.Event()
    first = _wait_for(target, request, stop)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = Capture((scrub(target.text) if "://" in target.text else target.text,), at)
    witness = first.witness
    if witness is None:
        raise TargetError(f"{first.name} has no process that could be observed", _EXAMPLE)
    writer = CaptureWriter(request.file, head, VERSION, request.most_bytes)
    waiting = [witness]

    def open_target() -> LiveWitness:
        if waiting:
            return waiting.pop()
        opened = open_live(target, request.access, lambda _: None).witness
        if opened is None:
            raise TargetError(f"{first.name} does not answer", "")
        return opened

    pause = request.interval_seconds
    schedule = Schedule() if pause is None else Schedule(pause, pause)
    settings = Settings(
        request.seconds, request.wait_seconds, request.most_age_seconds, restarts=target.kind is not TargetKind.PID
    )
    with ExitStack() as stack:
        stack.callback(writer.close)
        seen = _acting(request, witness, writer, stack, on_sample, announce)
        recorder = Recorder(open_target, writer, head, schedule, settings, stop=stop, on_sample=seen)
        return recorder.run()


def _only(texts: tuple[str, ...]) -> Target:
    targets = [recognise(text) for text in texts]
    live = [target for target in targets if target.is_live]
    if len(live) != 1 or len(targets) != 1:
        what = "no service or process" if not live else "more than one target"
        raise UsageError(f"{what} was named to record", _EXAMPLE)
    return live[0]


def _wait_for(target: Target, request: RecordRequest, stop: threading.Event) -> LiveTarget:
    """Open the target and see that it answers, before a file is made."""
    waited = 0.0
    while True:
        try:
            opened = open_live(target, request.access, lambda _: None)
            if opened.witness is not None:
                opened.witness.sample(stacks=False)
        except TargetError:
            if target.kind is TargetKind.PID or waited >= request.wait_seconds or stop.wait(0.5):
                raise
            waited += 0.5
        else:
            return opened


def _acting(
    request: RecordRequest,
    witness: LiveWitness,
    writer: CaptureWriter,
    stack: ExitStack,
    on_sample: Seen,
    announce: Callable[[str], None],
) -> Seen:
    """Do to the target's group what was asked for; returns what is called after each sample."""
    if not request.hold_at_limit and request.high_share is None:
        return on_sample
    from whyheap.host.cgroup_control import held_at_limit, throttled  # noqa: PLC0415 - only when asked for

    limit = read_limit(witness.pid)[0] if witness.pid is not None else None
    if limit is None:
        raise TargetError("the target's memory group is not visible from here, or has no limit", "Record it by pid:N")
    if request.high_share is not None:
        high = int(request.high_share * limit.limit_bytes)
        announce(
            f"memory.high of {limit.path} is set to {high >> 20} MiB: the whole group is slowed down from there on"
        )
        stack.enter_context(throttled(limit.folder, limit.version, high))
        return on_sample
    announce(f"{limit.path} is held at its limit: its processes freeze there for a last census before they are killed")
    held = stack.enter_context(held_at_limit(limit.folder, limit.version))
    watch = _LimitWatch(witness, writer, held.folder, lambda: held.is_at_limit, held.let_go, announce)
    stack.enter_context(watch.running())
    return on_sample


@dataclass(slots=True)
class _LimitWatch:
    """Looks at a held group ten times a second, and takes a last census when it is at its limit."""

    witness: LiveWitness
    writer: CaptureWriter
    folder: Path
    is_at_limit: Callable[[], bool]
    let_go: Callable[[], None]
    announce: Callable[[str], None]
    taken: bool = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch in a thread while the block runs."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                if self.is_at_limit():
                    self.take()
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(timeout=5)

    def take(self) -> None:
        """Read the frozen process once more, keep it, and let the kernel go on."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            from whyheap.collect.pid_witness import PidWitness  # noqa: PLC0415 - only a frozen process needs it

            if self.witness.pid is not None:  # one that serves HTTP answers no more: read from outside
                frozen = PidWitness(self.witness.pid)
                sample = frozen.sample()
                raw = frozen.profile()
                text = "The group was held at its limit, and its process read once more before the kernel went on."
                labels: Mapping[str, str] = {"group": str(self.folder)}
                event = Event(EventKind.HELD, at, text, "recorder", labels)
                self.writer.add(
                    sample.gauges, (sample.at, sample.goroutines), (sample.at, raw) if raw else None, (event,)
                )
                self.taken = True
        except TargetError as error:
            self.announce(f"no last census: {error.message}")
        finally:
            self.let_go()
