"""Live targets, opened: how each kind is observed, and how its heap profile is read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from whyheap.app.targets import Target, TargetKind
from whyheap.collect.leak_profile import FindLeaked, find_leaked
from whyheap.collect.profile import ProfileReading, collect_process_profile, collect_profile
from whyheap.collect.runtime import RuntimeWitness
from whyheap.collect.runtime_sample import RuntimeSeries
from whyheap.collect.witness import LiveWitness
from whyheap.host.http import Access, fetch, scrub

if TYPE_CHECKING:
    from whyheap.app.pod_target import HistoryOptions

Say = Callable[[str], None]
ReadProfile = Callable[[float, threading.Event], ProfileReading | None]
"""Reads a profile over this many seconds; None: the target keeps none. Raises TargetError."""


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A target that answers. `name` is what the user knows it by, without secrets.

    `witness` is None for a pod whose process cannot be reached; `told` is what was told about it without sampling.
    `find_leaked` forces a collection in the target: only where it was asked for.
    """

    name: str
    witness: LiveWitness | None
    read_profile: ReadProfile | None
    told: RuntimeSeries | None = None
    find_leaked: FindLeaked | None = None


def open_url(url: str, access: Access) -> LiveTarget:
    """Return a service with net/http/pprof; nothing is asked of it yet."""
    base = base_url(url)

    def read(path: str, timeout_seconds: float) -> bytes:
        return fetch(base + path, access, timeout_seconds)

    def read_profile(seconds: float, stop: threading.Event) -> ProfileReading:
        return collect_profile(url, access=access, window_seconds=seconds, stop=stop)

    return LiveTarget(scrub(base), RuntimeWitness(base, read), read_profile, find_leaked=lambda: find_leaked(read))


def open_pid(pid: int, progress: Say) -> LiveTarget:
    """Return a process of this machine. Raises TargetError when there is none, or it is no Go program."""
    from whyheap.collect.pid_witness import PidWitness  # noqa: PLC0415 - brings DWARF and more

    name = f"pid:{pid}"
    witness = PidWitness(pid, progress=progress)

    def read_profile(seconds: float, stop: threading.Event) -> ProfileReading | None:
        return collect_process_profile(witness.profile, name, seconds, stop)

    return LiveTarget(name, witness, read_profile)


def open_live(target: Target, access: Access, progress: Say, history: HistoryOptions | None = None) -> LiveTarget:
    """Open a URL, a PID or a pod, a pod with its `history` where one is asked for."""
    if target.kind is TargetKind.POD:
        from whyheap.app.pod_target import open_pod_target  # noqa: PLC0415 - brings kubectl and more

        return open_pod_target(target.text, access, progress, history)
    return open_pid(target.pid, progress) if target.kind is TargetKind.PID else open_url(target.text, access)


def base_url(url: str) -> str:
    """Cut a profile's address down to the service's: what stands before /debug/pprof."""
    parts = urlsplit(url)
    path = parts.path.partition("/debug/pprof")[0].rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
