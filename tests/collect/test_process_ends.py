"""How a process ended is told in words, and another in its place is noticed."""

from __future__ import annotations

import pytest

from whyheap.collect.process_ends import is_another, told_end
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.event import Event, EventKind

AT = "2026-01-01T00:00:00Z"


def sample(**values: float) -> RuntimeSample:
    return RuntimeSample(AT, 0.0, values)


def event(kind: EventKind, **labels: str) -> Event:
    return Event(kind, AT, "", "test", labels)


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [
        ((sample(), 7), (sample(), 8), True),
        ((sample(), 7), (sample(), 7), False),
        ((sample(process_started=1000.0), 7), (sample(process_started=1060.0), 7), True),  # the number came again
        ((sample(process_started=1000.0), None), (sample(process_started=1000.4), None), False),
        ((sample(num_gc=9.0), None), (sample(num_gc=2.0), None), True),
        ((sample(total_alloc=9.0), None), (sample(total_alloc=2.0), None), True),
        ((sample(num_gc=9.0), None), (sample(num_gc=9.0), None), False),
        ((sample(num_gc=9.0), None), (sample(), None), False),
        ((sample(), None), (sample(), 7), False),
    ],
)
def test_another_process(
    before: tuple[RuntimeSample, int | None],
    after: tuple[RuntimeSample, int | None],
    another: bool,  # noqa: FBT001 - a table
) -> None:
    assert is_another(before, after) is another


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], ""),
        ([event(EventKind.NOTE)], ""),
        ([event(EventKind.OOM_COUNTED)], ""),
        ([event(EventKind.EXIT, signal="9")], "killed by signal 9 (SIGKILL)"),
        ([event(EventKind.EXIT, signal="99")], "killed by signal 99"),
        ([event(EventKind.EXIT, code="2")], "exit code 2"),
        ([event(EventKind.EXIT)], "the process has ended, its exit code is not known"),
        (
            [event(EventKind.OOM_COUNTED), event(EventKind.EXIT, signal="9")],
            "killed by signal 9 (SIGKILL), and the kernel counted a kill for memory",
        ),
        (
            [event(EventKind.OOM_KILL), event(EventKind.RESTART), event(EventKind.EXIT, code="0")],
            "exit code 0",
        ),
        (
            [event(EventKind.TERMINATED, reason="OOMKilled", exit_code="137")],
            "terminated: OOMKilled, exit code 137",
        ),
    ],
)
def test_the_end_in_words(events: list[Event], words: str) -> None:
    assert told_end(events) == words
