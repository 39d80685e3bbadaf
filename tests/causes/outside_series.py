"""Made-up processes for causes outside the Go heap: a small level heap, and gauges of the kernel that say something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from causes.series import MIB, process
from whyheap.causes.catalogue import judge
from whyheap.causes.history import RuntimeHistory
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.event import Event, EventKind
from whyheap.model.facts import GoroutineGroup
from whyheap.model.verdict import CauseVerdict

LIMIT = 128 * MIB
GROUP = "/shop"
PID = "4242"
AT_THE_END = "2026-01-01T00:00:13Z"
Gauge = float | Callable[[float], float]


def level(_: float) -> float:
    return 4.0 * MIB


def samples(
    live: Callable[[float], float] = level, groups: Sequence[GoroutineGroup] = (), /, **gauges: Gauge
) -> tuple[RuntimeSample, ...]:
    """Return a sample a second for 12 s; a gauge is a number or a function of the second. 12 MiB are resident."""
    plain: dict[str, Gauge] = {
        "process_started": 1.7e9,
        "rss": 12.0 * MIB,
        "rss_anon": 6.0 * MIB,
        "sys": 14.0 * MIB,
        "heap_idle": 2.0 * MIB,
        "heap_released": 2.0 * MIB,
        "threads": 6.0,
        "gomaxprocs": 2.0,
        "container_limit": float(LIMIT),
        "container_usage": 16.0 * MIB,
        "container_oom_kills": 0.0,
    }
    made = []
    for sample in process(live):
        values = {
            name: gauge(sample.seconds) if callable(gauge) else gauge for name, gauge in {**plain, **gauges}.items()
        }
        made.append(replace(sample, values={**sample.values, **values}, goroutines=tuple(groups)))
    return tuple(made)


def grows(mebibytes_per_second: float, start: float = 2.0) -> Callable[[float], float]:
    return lambda second: (start + mebibytes_per_second * second) * MIB


def verdicts(made: Sequence[RuntimeSample], *events: Event) -> tuple[CauseVerdict, ...]:
    """Judge by the whole catalogue."""
    verdict = judge(RuntimeHistory(tuple(made), limit_name="cgroup v2 /shop", events=events)).verdict
    return verdict.causes if verdict is not None else ()


def slugs(made: Sequence[RuntimeSample], *events: Event) -> list[str]:
    return [verdict.cause for verdict in verdicts(made, *events)]


def words(verdict: CauseVerdict) -> str:
    """Return all that a verdict says."""
    return "\n".join((verdict.summary, *(statement.text for statement in verdict.evidence), *verdict.advice))


def exited(**labels: str) -> Event:
    return Event(EventKind.EXIT, AT_THE_END, "The process has ended.", "process", {"pid": PID, **labels})


def killed(pid: str = PID, task: str = "shop", at: str = AT_THE_END, **labels: str) -> Event:
    said = {"pid": pid, "task": task, "oom_group": GROUP, "task_group": GROUP, **labels}
    return Event(EventKind.OOM_KILL, at, f"The kernel killed {task} (pid {pid}).", "kernel", said)


def counted(at: str = AT_THE_END) -> Event:
    return Event(EventKind.OOM_COUNTED, at, "The group counted 1 kill.", "container", {"group": GROUP, "kills": "1"})


def crashed(**labels: str) -> Event:
    return Event(EventKind.CRASH, AT_THE_END, 'the process ended with "it".', "log", labels)


def terminated(**labels: str) -> Event:
    return Event(EventKind.TERMINATED, AT_THE_END, "container shop ended.", "kubernetes", labels)
