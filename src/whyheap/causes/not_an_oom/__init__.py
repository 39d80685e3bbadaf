"""Not an OOM: the process ended, but not for want of memory.

What it is: Exit code 137 only says SIGKILL, and anybody may send that: a liveness probe that failed, a stop that took
longer than the grace period, a supervisor, a person. A panic ends with exit code 2, SIGTERM with 143, log.Fatal with 1.
All of them are reported as "the container restarted", and memory gets the blame.

How to tell: The process ended and no kill for memory was counted in its group, nor written to the kernel's log; memory
was not near the limit. The exit code or signal, the crash text, or the platform's events say what it was.

What tells it apart: After an OOM kill the group's counter of kills has risen. A crash that speaks of memory, stacks or
threads is a cause of its own.

What to do: Follow what ended it: the probe's timeout, the stop's grace period, the panic's stack.

When to leave it: The process was to end: a deployment, a scale-down, a job that is done.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import OWN_TROUBLE, Ending, ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import PRESSED_SHARE, container_limit, usage_bytes
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_share

CAUSE = Cause("not-an-oom", "It did not die of memory", __doc__)

_SIGKILL = "9"
_SIGTERM = "15"
_SIGNALS_FROM = 128  # a shell and container runtimes spell a death by signal N as exit code 128+N
_PANIC_CODE = "2"
_WAYS = {
    "0": "it ended by itself, with exit code 0",
    "1": "it ended itself with exit code 1 (log.Fatal, os.Exit(1))",
    _PANIC_CODE: "it ended with exit code 2: a panic or a fatal error of the runtime",
}


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when the process has ended and memory is ruled out as what ended it."""
    end = ending(history)
    if not end.has_ended or end.is_oom or _evicted_or_own_trouble(end) or end.code == "0":
        return None
    is_killed = _signal(end) in {_SIGKILL, ""} and end.crash is None and end.code in {"", "137"}
    counted = "container_oom_kills" in history.last
    limit = container_limit(history)
    is_near = limit is not None and usage_bytes(history) >= PRESSED_SHARE * limit
    is_probe = end.probe is not None and (
        end.probe.labels.get("killed") == "yes" or _signal(end) in {_SIGKILL, _SIGTERM}
    )
    has_reason = end.terminated is not None and bool(end.terminated.labels.get("reason"))
    if is_killed and not is_probe and ((not counted and not has_reason) or is_near):
        return None  # it may have been one all the same
    if is_killed and end.exit is not None and end.exit.labels.get("known") == "no":
        return None  # nobody saw that it ended
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if counted and not is_killed else Certainty.STATED if not is_killed else Certainty.INFERRED,
        0,
        0.0,
        f"not killed for memory: {_what(end, is_probe=is_probe)}",
        tuple(_evidence(history, end, is_near=is_near)),
        tuple(_advice(end, is_probe=is_probe)),
    )


def _evicted_or_own_trouble(end: Ending) -> bool:
    return end.crash is not None and end.crash.labels.get("about") in OWN_TROUBLE


def _signal(end: Ending) -> str:
    if end.signal:
        return end.signal
    if end.code.isdecimal() and _SIGNALS_FROM < int(end.code[:4]) < _SIGNALS_FROM + 65:
        return str(int(end.code) - _SIGNALS_FROM)
    return ""


def _name(number: str) -> str:
    try:
        return signal.Signals(int(number)).name
    except ValueError:
        return f"signal {number}"


def _what(end: Ending, *, is_probe: bool) -> str:
    if end.crash is not None:
        reason, place = end.crash.labels.get("reason", ""), end.crash.labels.get("place", "")
        return f"it crashed{f' ({reason})' if reason else ''}{f' at {place}' if place else ''}"
    if is_probe and end.probe is not None:
        return f"its {end.probe.labels.get('probe', 'liveness')} probe failed, and it was ended for that"
    number = _signal(end)
    if number:
        return f"it was ended by {_name(number)}, which {'somebody' if number == _SIGKILL else 'another process'} sent"
    if end.code in _WAYS:
        return _WAYS[end.code]
    return f"it ended itself with exit code {end.code}" if end.code else "how it ended was not seen"


def _evidence(history: RuntimeHistory, end: Ending, *, is_near: bool) -> list[Statement]:
    events = (end.exit, end.terminated, end.crash, end.probe)
    statements = [Statement(event.text, Certainty.STATED) for event in events if event is not None and event.text]
    kills = history.last.get("container_oom_kills")
    if kills is not None:
        before = f" ({kills:.0f} long before)" if kills else ""
        text = f"the group's counter of kills for memory did not rise when it ended{before}"
        statements.append(Statement(text, Certainty.MEASURED))
    limit = container_limit(history)
    if limit is not None:
        used = usage_bytes(history)
        near = "" if is_near else ": there was room"
        text = f"{format_bytes(used)} of {format_bytes(limit)} were used, {format_share(min(used / limit, 1.0))}{near}"
        statements.append(Statement(text, Certainty.MEASURED))
    return statements


def _advice(end: Ending, *, is_probe: bool) -> list[str]:  # noqa: PLR0911  one way of ending each
    if end.crash is not None:
        place = end.crash.labels.get("place", "")
        return [f"{place}: mend what the crash says" if place else "read the crash's stack: it names the line"]
    if is_probe:
        return [
            (
                "look at why the probe did not answer in time (GC pauses, CPU throttling, a lock), and at its "
                "timeout and failureThreshold"
            ),
            "memory needs no change for this",
        ]
    number = _signal(end)
    if number == _SIGKILL:
        return [
            (
                "find who sent SIGKILL: a failed liveness probe, a stop that outlasted its grace period, a supervisor, "
                "a person (kubectl describe pod, journalctl, the audit log)"
            ),
            "memory needs no change for this",
        ]
    if number == _SIGTERM:
        return ["it was told to stop (a deployment, a scale-down, a drain): handle SIGTERM if it should end in order"]
    if number:
        return [f"look for what raises {_name(number)}: faults in C code, an abort, or another process"]
    if end.code:
        return ["read the last lines of its log: it ended on its own account"]
    return [
        (
            "look up its exit code where it was started (kubectl describe pod, systemctl status, journalctl): 137 is "
            "SIGKILL, 143 SIGTERM, 2 a panic"
        ),
        "memory needs no change for this",
    ]
