"""One scenario, run under its limit and recorded until it ends."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from whyheap.host.limited_process import LimitedProcess, limited_process
from whyheap.host.memory_group import MemoryGroup, memory_group
from whyheap.lab.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `code` is None where it was still running when the lab ended it, negative for a signal.

    `limit` says what limited it: "cgroup v1", "cgroup v2", "process limit" or "none". `last_words` are the end of its
    standard error.
    """

    code: int | None
    seconds: float
    limit: str
    last_words: bytes


Record = Callable[[str, threading.Event], None]
"""Records a target ("http://..." or "pid:N") until it ends or the event is set."""


def run_scenario(scenario: Scenario, binary: Path, record: Record, *, by_pid: bool = False) -> Ending:
    """Run a program under its conditions while `record` watches it, at most for the scenario's seconds.

    With `by_pid` it is watched by its number also where it prints an address.

    Raises ToolError where its limit cannot be had, or what `record` raises.
    """
    with ExitStack() as stack:
        group = stack.enter_context(memory_group(scenario.limit_bytes)) if scenario.limit_bytes else None
        begun = time.monotonic()
        program = stack.enter_context(_running(scenario, binary, scenario.args, group))
        if scenario.neighbour is not None:
            stack.enter_context(_running(scenario, binary, scenario.neighbour, group))
        serves = program.line.startswith("http://") and not by_pid
        target = program.line if serves else f"pid:{program.pid}"
        stop = threading.Event()
        end = threading.Timer(scenario.seconds, stop.set)
        end.daemon = True
        end.start()
        reaper = threading.Thread(target=_reap, args=(program, stop), daemon=True)
        reaper.start()
        try:
            if program.code is None or program.line:
                record(target, stop)
        finally:
            end.cancel()
            stop.set()
            reaper.join()
        if program.code is None:
            with contextlib.suppress(Exception):
                program.process.wait(0.01)
        return Ending(program.code, time.monotonic() - begun, _limit_kind(scenario, group), program.last_words)


def _reap(program: LimitedProcess, stop: threading.Event) -> None:
    """Wait for the program as its parent does, so that it does not stay a zombie under the recorder's eyes."""
    while not stop.wait(0.1):
        if program.code is not None:
            return


@contextmanager
def _running(
    scenario: Scenario, binary: Path, arguments: tuple[str, ...], group: MemoryGroup | None
) -> Iterator[LimitedProcess]:
    lifetime = f"-for={scenario.seconds + 10:.0f}s"
    command = [str(binary), lifetime, *arguments]
    with limited_process(command, group=group, rlimits=scenario.rlimits, env=dict(scenario.env)) as program:
        yield program


def _limit_kind(scenario: Scenario, group: MemoryGroup | None) -> str:
    if group is not None:
        return f"cgroup v{group.version}"
    return "process limit" if scenario.rlimits else "none"
