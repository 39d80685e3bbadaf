"""The garbage collector's pacing: how far the heap may grow before it is collected, by the runtime's own formula.

Read in Go 1.22.10 and 1.27.3 and identical there; line numbers are those of 1.27.3's src/runtime:

| what | where | since |
|---|---|---|
| goal = marked + (marked + stack scan + globals) x GOGC/100 | mgcpacer.go:1291, (*gcControllerState).commit | 1.19 |
| at least 4 MiB x GOGC/100 | mgcpacer.go:59 defaultHeapMinimum, :1343 setGCPercent | 1.19 |
| the smaller one of that and the memory limit's goal | mgcpacer.go:1000, heapGoalInternal | 1.19 |
| its goal = limit - non-heap - max(3 %, 1 MiB), at least marked | mgcpacer.go:1046, memoryLimitHeapGoal | 1.21 |
| GOGC=off: all bits set; what is told is the limit's goal, 97 % of 2^63 without one | mgcpacer.go:1294, :1000 | 1.19 |
| a collection at least every 2 minutes | proc.go:6527 forcegcperiod | 1.0 |
| MemStats.NextGC is heapGoal() | mstats.go:443, readmemstats_m | 1.19 |
| GOGC is read as "off" or an integer, 100 by default | mgcpacer.go:1368 readGOGC | 1.0 |
| GOMEMLIMIT is bytes with an optional B, KiB ... TiB, or "off" | string.go:416, parseByteCount | 1.19 |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_GC_PERCENT = 100
GC_OFF = -1
DEFAULT_HEAP_MINIMUM_BYTES = 4 << 20
LIMIT_HEADROOM_SHARE = 0.03
LIMIT_HEADROOM_MINIMUM_BYTES = 1 << 20
FORCED_GC_SECONDS = 120.0
NO_MEMORY_LIMIT_BYTES = 2**63 - 1
NO_GOAL_BYTES = 2.0**62
"""A goal at or above this is no goal: GOGC=off leaves what the memory limit allows, and none is 2^63 - 1, less 3 %."""

_MEMORY_LIMIT = re.compile(r"(\d{1,19})(B|KiB|MiB|GiB|TiB)?", re.ASCII)
_FACTORS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_GC_PERCENT = re.compile(r"[+-]?\d{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pacing:
    """What steers the collector. `gc_percent` is GOGC, -1 = off; `memory_limit_bytes` is GOMEMLIMIT, None = none."""

    gc_percent: int = DEFAULT_GC_PERCENT
    memory_limit_bytes: int | None = None

    @property
    def ratio(self) -> float:
        """GOGC as a factor: 1.0 for 100; 0.0 for off, where no goal follows from the live heap."""
        return max(self.gc_percent, 0) / 100


def heap_goal(marked_bytes: float, root_bytes: float, pacing: Pacing, non_heap_bytes: float = 0.0) -> float:
    """Return the heap size at which the next collection should end, in bytes; infinity for none.

    `marked_bytes` is the live heap, `root_bytes` stack scan plus globals, `non_heap_bytes` what else counts against
    GOMEMLIMIT.
    """
    goal = float("inf")
    if pacing.gc_percent >= 0:
        minimum = DEFAULT_HEAP_MINIMUM_BYTES * pacing.ratio
        goal = max(marked_bytes + (marked_bytes + root_bytes) * pacing.ratio, minimum)
    if pacing.memory_limit_bytes is None:
        return goal
    return min(goal, memory_limit_goal(marked_bytes, pacing.memory_limit_bytes, non_heap_bytes))


def memory_limit_goal(marked_bytes: float, memory_limit_bytes: float, non_heap_bytes: float) -> float:
    """Return the goal that GOMEMLIMIT alone would give."""
    if non_heap_bytes >= memory_limit_bytes:
        return marked_bytes
    goal = memory_limit_bytes - non_heap_bytes
    headroom = max(goal * LIMIT_HEADROOM_SHARE, LIMIT_HEADROOM_MINIMUM_BYTES)
    goal = max(goal - headroom, headroom)
    return max(goal, marked_bytes)


def marked_from_goal(goal_bytes: float, root_bytes: float, gc_percent: int) -> float | None:
    """Return the live heap after the last collection from the goal it led to: the formula, turned round.

    `root_bytes` may be estimated by the stacks in use, which is an upper bound. None where the goal does not follow
    from the live heap: GOGC=off, no goal, or the minimum heap.
    """
    if gc_percent <= 0 or not 0 < goal_bytes < NO_GOAL_BYTES:
        return None
    ratio = gc_percent / 100
    if goal_bytes <= DEFAULT_HEAP_MINIMUM_BYTES * ratio:
        return None
    return max((goal_bytes - root_bytes * ratio) / (1 + ratio), 0.0)


def parse_gc_percent(text: str) -> int | None:
    """Read GOGC's value as the runtime does; None when the runtime would ignore it and use 100."""
    if text == "off":
        return GC_OFF
    if not _GC_PERCENT.fullmatch(text):
        return None
    return max(int(text), GC_OFF)


def parse_memory_limit(text: str) -> int | None:
    """Read GOMEMLIMIT's value as the runtime does; None for "off", or for a value that would have ended the program."""
    match = _MEMORY_LIMIT.fullmatch(text)
    if match is None:
        return None
    limit = int(match[1]) * _FACTORS[match[2] or ""]
    return None if limit >= NO_MEMORY_LIMIT_BYTES else limit
