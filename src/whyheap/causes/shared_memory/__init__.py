"""Shared memory: files in a tmpfs, memfds and shared mappings fill the group.

What it is: A tmpfs (/dev/shm, an emptyDir with medium Memory) is memory, and its pages are charged to the group that
first wrote them. The same holds for memfd_create, System V segments and mappings with MAP_SHARED|MAP_ANONYMOUS. They
stay when nobody maps them any more: until the file is removed and its last descriptor closed.

How to tell: The group's shmem rises, or takes most of the limit. What is mapped is in the process's resident shared
memory as well; files that are only written are in no process at all.

What tells it apart: Page cache of a disk can be dropped at any time, this cannot (without swap). Off-heap memory is
anonymous and private. The Go heap is level.

What to do: Remove and close files in the tmpfs when they are done, also on error paths; a deleted file counts while it
is open. Unmap and close memfds. Give the tmpfs a size (size=, sizeLimit) below the limit, so that a write fails
instead of the process.

When to leave it: The segment has a fixed size and the limit was chosen with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import (
    LEAST_BYTES,
    PRESSED_SHARE,
    container_limit,
    growth,
    outlook,
    points,
    share_of_whole,
    spell_rise,
    usage_bytes,
)
from whyheap.causes.trend import LEAST_POINTS, Trend
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_rate

CAUSE = Cause("shared-memory", "Shared memory fills the group", __doc__)

LARGE_SHARE = 0.4
"""Of the limit: level shared memory is named from here on, when the limit is near."""
LEAST_GROWN_SHARE = 0.1
MAPPED_SHARE = 0.5
"""Of the group's shared memory: mapped by the process from here on, else only written."""


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when shared memory grows, or fills much of the limit."""
    of_group = points(history, "container_shmem")
    mapped = points(history, "rss_shmem")
    series = of_group if len(of_group) >= LEAST_POINTS or not mapped else mapped
    if not series:
        return None
    own = max((value for _, value in mapped[-3:]), default=history.last.get("smaps_shared", 0.0))
    size, trend, end = max(series[-1][1], own), growth(series), ending(history)
    limit = container_limit(history)
    is_short = limit is not None and (end.is_oom or usage_bytes(history) >= PRESSED_SHARE * limit)
    grown = trend is not None and size >= max(LEAST_BYTES, LEAST_GROWN_SHARE * (limit or 0.0))
    if not grown and not (is_short and limit is not None and size >= max(LEAST_BYTES, LARGE_SHARE * limit)):
        return None
    is_mapped = own >= MAPPED_SHARE * size
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED,
        int(size),
        share_of_whole(history, size),
        _summary(history, size, trend, is_mapped=is_mapped, killed=end.is_oom),
        tuple(_evidence(history, size, own, trend, is_group=series is of_group)),
        tuple(_advice(limit, size, is_mapped=is_mapped, grows=trend is not None)),
    )


def _summary(history: RuntimeHistory, size: float, trend: Trend | None, *, is_mapped: bool, killed: bool) -> str:
    what = "shared memory (memfd, shared mappings)" if is_mapped else "files in a tmpfs (such as /dev/shm)"
    verb = "takes" if is_mapped else "take"
    if trend is None:
        return f"{what} {verb} {format_bytes(size)} of the limit and cannot be dropped"
    grow = "grows" if is_mapped else "grow"
    end = outlook(history, trend.slope.value, killed=killed)
    if killed:
        return f"{what} grew {format_rate(trend.slope.value)} to {format_bytes(size)}{end}"
    return f"{what} {grow} {format_rate(trend.slope.value)} and {verb} {format_bytes(size)}{end}"


def _evidence(
    history: RuntimeHistory, size: float, own: float, trend: Trend | None, *, is_group: bool
) -> list[Statement]:
    whose = "the kernel charges the group with" if is_group else "the process has"
    statements = [Statement(f"{whose} {format_bytes(size)} of shared memory (shmem)", Certainty.MEASURED)]
    if trend is not None:
        statements.append(Statement(f"it grows {spell_rise(trend)}, over {trend.points} moments", Certainty.MEASURED))
    if is_group:
        text = f"{format_bytes(own)} of it are mapped by this process"
        if own < MAPPED_SHARE * size:
            text = f"{text if own else 'none of it is mapped by this process'}: it is in files"
        statements.append(Statement(text, Certainty.MEASURED))
    alone = history.last.get("container_processes")
    if alone is not None:
        count = "only process" if alone <= 1 else f"one of {alone:.0f} processes"
        statements.append(Statement(f"this is the {count} of its group", Certainty.MEASURED))
    if history.live.bytes is not None:
        text = f"the live Go heap is {format_bytes(history.live.bytes)}: it is not what fills the limit"
        statements.append(Statement(text, Certainty.MEASURED))
    return [*statements, limit_statement(history)]


def _advice(limit: float | None, size: float, *, is_mapped: bool, grows: bool) -> list[str]:
    if is_mapped:
        advice = [
            "unmap and close what is done: Munmap alone does not free a memfd that is still open, nor the reverse"
        ]
    else:
        advice = [
            (
                "remove and close the files when they are done; deleted ones that are still open show as "
                "(deleted) in  ls -l /proc/PID/fd,  the others in  ls -l /dev/shm"
            )
        ]
    if grows and limit is not None:
        advice.append(
            f"give the tmpfs a size well below {format_bytes(limit)} (mount -o size=, or emptyDir's sizeLimit): a "
            "write then fails with ENOSPC, and nobody is killed"
        )
    elif limit is not None:
        advice.append(f"count its {format_bytes(size)} when the limit is chosen, or move the files to a disk")
    advice.append("neither GOGC nor GOMEMLIMIT changes this: it is not Go's memory")
    return advice
