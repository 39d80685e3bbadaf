"""File cache: the group is full of page cache, which looks like a leak and is none.

What it is: What a process reads from or writes to a disk stays in memory as page cache and is charged to its group, up
to the limit. The kernel drops it whenever a process needs the memory. Graphs that show the raw charge (or a "working
set" that counts recently used files) climb to the limit and stay there.

How to tell: The group's charge is near the limit and most of it is file memory that is not shared memory, while
anonymous memory is level and fits.

What tells it apart: tmpfs files are shared-memory: they cannot be dropped. With every other cause anonymous memory
grows.

What to do: Look at anonymous memory instead (memory.stat anon, RSS without files) and alert on that. If reads then come
from disk too often, the limit is small for the files; if the cache is of no use (logs, backups), drop it after use with
posix_fadvise DONTNEED.

When to leave it: As a rule always. It matters where writes outrun the disk, as dirty pages cannot be dropped at once,
and where pages are locked (mlock).
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import (
    LEAST_BYTES,
    charge_bytes,
    container_limit,
    first_of,
    growth,
    points,
    share_of_whole,
)
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_share

CAUSE = Cause("file-cache", "Page cache is taken for a leak", __doc__)

NEAR_SHARE = 0.85
"""Of the limit, that the raw charge must reach before anybody is alarmed."""
LEAST_SHARE = 0.5
"""Of the charge, that cache must be."""
MOST_OTHER_SHARE = 0.7
"""Of the limit: more than that beside the cache is a trouble of its own."""


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when cache fills the group and nothing else was found to grow or to fill it."""
    limit = container_limit(history)
    end = ending(history)
    if limit is None or taken or end.is_oom or end.kills or "container_file" not in history.last:
        return None
    charge = charge_bytes(history)
    cache = max(history.last["container_file"] - history.last.get("container_shmem", 0.0), 0.0)
    anonymous = points(history, "container_anon") or points(history, "rss_anon")
    rising = growth(anonymous)
    if rising is not None or charge < NEAR_SHARE * limit or cache < max(LEAST_BYTES, LEAST_SHARE * charge):
        return None
    most = max((value for _, value in anonymous), default=0.0)  # a burst may have gone by
    if max(charge - cache, most) > MOST_OTHER_SHARE * limit:
        return None
    own = anonymous[-1][1] if anonymous else charge - cache
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED,
        int(cache),
        share_of_whole(history, cache),
        f"no leak: {format_bytes(cache)} of the {format_bytes(charge)} charged are page cache of files, which the "
        "kernel drops when a process needs the memory",
        tuple(_evidence(history, cache, own, charge, limit)),
        tuple(_advice(history, cache, own, limit)),
    )


def _evidence(history: RuntimeHistory, cache: float, own: float, charge: float, limit: float) -> list[Statement]:
    last = history.last
    mapped = first_of(last, ("smaps_file", "rss_file"))
    statements = [
        Statement(
            f"the group's charge is {format_bytes(charge)}, {format_share(min(charge / limit, 1.0))} of its limit; "
            f"{format_bytes(cache)} of that are file pages",
            Certainty.MEASURED,
        ),
        Statement(f"anonymous memory is {format_bytes(own)} and does not grow", Certainty.MEASURED),
    ]
    if "container_inactive_file" in last:
        idle = min(last["container_inactive_file"], cache)
        if cache - idle >= LEAST_BYTES:
            text = (
                f"{format_bytes(cache - idle)} of the cache count as active: a working set includes them all the same"
            )
        else:
            text = "nearly all of the cache is inactive: the working set leaves it out"
        statements.append(Statement(text, Certainty.MEASURED))
    if mapped is not None and mapped >= LEAST_BYTES:
        text = f"{format_bytes(mapped)} of files are mapped by the process and count as its resident memory"
        statements.append(Statement(text, Certainty.MEASURED))
    kills = last.get("container_oom_kills")
    if kills is not None and not kills:
        statements.append(Statement("nothing was ever killed for memory in this group", Certainty.MEASURED))
    return [*statements, limit_statement(history)]


def _advice(history: RuntimeHistory, cache: float, own: float, limit: float) -> list[str]:
    advice = [
        (
            f"nothing needs to be done for memory's sake: {format_bytes(own)} of {format_bytes(limit)} are really "
            "needed; alert on anonymous memory (memory.stat anon), not on the charge or the working set"
        )
    ]
    mapped = first_of(history.last, ("smaps_file", "rss_file")) or 0.0
    if mapped < LEAST_SHARE * cache:
        advice.append(
            "if the cache is of no use (logs, backups, uploads), posix_fadvise(POSIX_FADV_DONTNEED) after each file, "
            "or O_DIRECT, keeps it small"
        )
    else:
        advice.append("if lookups in the mapped file become slow, the limit is small for it: the kernel reads it again")
    return advice
