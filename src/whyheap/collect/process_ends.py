"""How a process ended, and whether another took its place: told from samples and events."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from datetime import UTC, datetime

from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.event import Event, EventKind

_COUNTS_FROM_THE_START = ("num_gc", "total_alloc")
_KILLS = frozenset({EventKind.OOM_KILL, EventKind.OOM_COUNTED})


def now_text() -> str:
    """Return the time of day, RFC 3339 UTC to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_another(before: tuple[RuntimeSample, int | None], after: tuple[RuntimeSample, int | None]) -> bool:
    """Whether two samples, each with its process's number where that is known, are of different processes."""
    if before[1] is not None and after[1] is not None and before[1] != after[1]:
        return True
    old, new = before[0].values, after[0].values
    if "process_started" in old and "process_started" in new:
        return abs(new["process_started"] - old["process_started"]) >= 1
    return any(new.get(name, old.get(name, 0.0)) < old.get(name, 0.0) for name in _COUNTS_FROM_THE_START)


def told_end(events: Iterable[Event]) -> str:
    """Return in words how the process ended that ended last; "" where nobody told."""
    ending, kills = "", ""
    for event in events:
        if event.kind in _KILLS:
            kills = ", and the kernel counted a kill for memory"
        elif event.kind is EventKind.EXIT:
            ending = _spell_exit(event)
        elif event.kind is EventKind.TERMINATED:
            reason, code = event.labels.get("reason", ""), event.labels.get("exit_code", "")
            ending = f"terminated: {reason}" + (f", exit code {code}" if code else "")
        elif event.kind is EventKind.RESTART:
            ending = kills = ""
    return ending + kills if ending else ""


def _spell_exit(event: Event) -> str:
    labels = event.labels
    if "signal" in labels:
        return f"killed by signal {labels['signal']}{_signal_name(labels['signal'])}"
    if "code" in labels:
        return f"exit code {labels['code']}"
    return "the process has ended, its exit code is not known"


def _signal_name(number: str) -> str:
    try:
        return f" ({signal.Signals(int(number)).name})"
    except ValueError:
        return ""
