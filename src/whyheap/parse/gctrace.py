"""GODEBUG=gctrace=1: one line for each collection, on stderr.

Source: Go's src/runtime/mgc.go, gcMarkTermination (1.22.10:1119, 1.27.3 the same but for the leak check's words), and
the text in src/runtime/extern.go. The sizes are `>>20`: whole MiB, cut off, although the line says MB:

    gc 12 @3.400s 5%: 0.01+1.2+0.002 ms clock, 0.03+0.5/0.9/0+0.005 ms cpu, 45->46->23 MB, 47 MB goal, 0 MB stacks,
    1 MB globals, 2 P (forced)

`45` is the heap when the collection began, `46` when marking ended, `23` what was live; the goal is the one that led to
this collection (gcController.lastHeapGoal), not the next one. The percentage is of the CPU since the program started.
Lines of scavtrace and gcpacertrace say nothing that is not in here and are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZE = r"(\d{1,9})"
_LINE = re.compile(
    r"(?:^|.{0,400}[\s:|])"
    r"gc ([1-9]\d{0,11}) @(\d{1,10}\.\d{1,3})s (\d{1,3})%(?: \(checking for goroutine leaks\))?: "
    r"([\d.]{1,20}\+[\d.]{1,20}\+[\d.]{1,20}) ms clock, [\d.+/]{1,120} ms cpu, "
    rf"{_SIZE}->{_SIZE}->{_SIZE} MB, {_SIZE} MB goal, (?:{_SIZE} MB stacks, {_SIZE} MB globals, )?\d{{1,6}} P"
    r"( \(forced\))?\s*"
)
_BEGINNING = re.compile(r"(?:^|[\s:|])gc \d{1,12} @\d{1,10}\.\d")
_MIB = 1 << 20
_LONGEST_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection. `seconds` is when it began, on the program's own clock; sizes are in bytes, cut to whole MiB.

    `stack_bytes` and `globals_bytes` are what was scanned; None where an older Go does not say it. `gc_cpu` is a share.
    """

    number: int
    seconds: float
    gc_cpu: float
    duration_seconds: float
    before_bytes: int
    marking_ended_bytes: int
    marked_bytes: int
    goal_bytes: int
    stack_bytes: int | None = None
    globals_bytes: int | None = None
    forced: bool = False


def parse_collection(line: str) -> Collection | None:
    """Return what one line says, whatever a log put before it; None when it is no such line or was torn apart."""
    if " MB goal" not in line or len(line) > _LONGEST_LINE:
        return None
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    number, began, percent, clock, before, ended, marked, goal, stacks, globals_, forced = match.groups()
    try:
        milliseconds = sum(float(part) for part in clock.split("+"))
    except ValueError:
        return None
    return Collection(
        int(number),
        float(began),
        min(int(percent), 100) / 100,
        milliseconds / 1000,
        int(before) * _MIB,
        int(ended) * _MIB,
        int(marked) * _MIB,
        int(goal) * _MIB,
        int(stacks) * _MIB if stacks is not None else None,
        int(globals_) * _MIB if globals_ is not None else None,
        forced is not None,
    )


def begins_collection(line: str) -> bool:
    """Whether a line begins as one of gctrace, although `parse_collection` may not understand it."""
    return len(line) <= _LONGEST_LINE and _BEGINNING.search(line) is not None
