"""Acting on a target's memory group while it is recorded, where that was asked for; each act is announced before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from whyheap.collect.process_ends import now_text
from whyheap.collect.recorder import Recorder
from whyheap.errors import TargetError, WhyheapError
from whyheap.host.cgroup import GroupLimit, read_limit
from whyheap.host.cgroup_control import HeldGroup, held_at_limit, throttled
from whyheap.model.event import Event, EventKind
from whyheap.units import format_bytes

_LOOK_SECONDS = 0.1
Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Acts:
    """What to do to the target's group: hold it at its limit and perhaps raise that, or throttle it from a share on."""

    hold_at_limit: bool = False
    raised_limit_bytes: int | None = None
    high_share: float | None = None

    def __bool__(self) -> bool:
        """Whether anything is to be done."""
        return self.hold_at_limit or self.high_share is not None


@contextmanager
def acting(acts: Acts, pid: int | None, recorder: Recorder, announce: Announce) -> Iterator[None]:
    """Do what was asked for while the block runs, and put it back. Raises TargetError where that is not possible."""
    limit = read_limit(pid)[0] if pid is not None else None
    if pid is None or limit is None:
        raise TargetError(
            "the target's memory group is not visible from here, or has no limit",
            "Run whyheap on the target's machine, as root, and record it by its number:  whyheap record pid:N",
        )
    with ExitStack() as stack:
        if acts.high_share is not None:
            high = int(acts.high_share * limit.limit_bytes)
            announce(
                f"memory.high of {limit.path} is {format_bytes(high)} until the recording ends: from there on"
                " the kernel slows the whole group down, for minutes perhaps, before it kills"
            )
            stack.enter_context(throttled(limit.folder, limit.version, high))
        if acts.hold_at_limit:
            stack.enter_context(_holding(acts, pid, limit, recorder, announce))
        yield


@contextmanager
def _holding(acts: Acts, pid: int, limit: GroupLimit, recorder: Recorder, announce: Announce) -> Iterator[None]:
    raised = acts.raised_limit_bytes
    if raised is not None and raised <= limit.limit_bytes:
        raise TargetError(
            f"--raise-limit {format_bytes(raised)} is not above the limit of {limit.path}, "
            f"{format_bytes(limit.limit_bytes)}",
            "Give a larger one",
        )
    then = (
        "killed by the kernel" if raised is None else f"let go on with a limit of {format_bytes(raised)}, which stays"
    )
    announce(
        f"{limit.path} is held at its limit: there all its processes stand still for the 1 to 3 s that a last census "
        f"takes, then they are {then}"
    )
    with held_at_limit(limit.folder, limit.version) as held:
        watch = _LimitWatch(held, pid, raised, recorder, announce)
        done = threading.Event()
        thread = threading.Thread(target=watch.run, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(timeout=5)


@dataclass(slots=True)
class _LimitWatch:
    """Looks at a held group ten times a second, and takes a last census when it is at its limit."""

    held: HeldGroup
    pid: int
    raised_limit_bytes: int | None
    recorder: Recorder
    announce: Announce

    def run(self, done: threading.Event) -> None:
        """Wait for the limit, once."""
        while not done.wait(_LOOK_SECONDS):
            if self.held.is_at_limit:
                self.take()
                return

    def take(self) -> None:
        """Read the frozen process once more, keep it, and let it go."""
        try:
            from whyheap.collect.pid_witness import PidWitness  # noqa: PLC0415 - only a frozen process needs it

            text = "The group was held at its limit, and its process read once more before it was let go."
            event = Event(EventKind.HELD, now_text(), text, "recorder", {"group": str(self.held.folder)})
            self.recorder.keep_moment(PidWitness(self.pid), event)  # one that serves HTTP does not answer now
        except WhyheapError as error:
            self.announce(f"no last census at the limit: {error.message}")
        finally:
            self._let_go()

    def _let_go(self) -> None:
        try:
            if self.raised_limit_bytes is not None:
                self.held.raise_limit(self.raised_limit_bytes)
                self.announce(f"the limit is {format_bytes(self.raised_limit_bytes)} now")
        except TargetError as error:
            self.announce(error.message)
        finally:
            self.held.let_go()
