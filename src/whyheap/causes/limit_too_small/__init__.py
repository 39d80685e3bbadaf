"""Limit too small: what the program needs at all times does not fit, and no setting of the collector helps.

What it is: The live heap, the stacks and all that is used besides take nearly the whole limit, with hardly room for
garbage. The process dies in normal work, or the collector runs without end.

How to tell: The live heap is level, and with what is beside it takes more than four fifths of the limit.

What tells it apart: With live-heap-growth the need rises; a start-up load looks the same until it is over, so
both are named when a process dies while its main function has not got to serving yet. With
gc-headroom the live heap is modest and only garbage fills the rest. With neighbour others take the memory.

What to do: Raise the limit to what is needed, with room for garbage; or keep less: a smaller cache
or pool, data on disk.

When to leave it: The program allocates next to nothing once it is ready, and has run at this level for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from whyheap.causes.cause import Cause
from whyheap.causes.gc_headroom import MOST_NEEDED_SHARE
from whyheap.causes.history import Limit, RuntimeHistory
from whyheap.causes.limit_too_small.start_up import SLUG, start_up_load
from whyheap.causes.ranking import SETTINGS
from whyheap.causes.tuning import needed_limit
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_share, spell_bytes

CAUSE = Cause(SLUG, "The working set does not fit", __doc__)

LEAST_RATE = 10 << 10
"""Bytes a second: a process that allocates less will not fill the rest."""
LEAST_POINTS = 4
THRIFTY_PERCENT = 25
LEAST_GO_SHARE = 0.5
"""Of the limit, in live heap and stacks: what is outside Go is for other causes to judge."""
MOST_FOREIGN_SHARE = 0.25
"""Of the limit: where another cause names what takes more than this, that is the answer."""


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when what is needed is level, takes nearly all of the limit, and no one thing takes most of it."""
    limit, live = history.limit, _usual(history)
    if limit is None or not limit.is_container or live is None:
        return None
    if history.demand_grows:
        return start_up_load(history, limit)
    if any(verdict.bytes > MOST_FOREIGN_SHARE * limit.bytes for verdict in taken if verdict.cause not in SETTINGS):
        return None
    needed = live * history.touched_share + history.beside_heap_bytes - _of_others(history, limit)
    of_go = live * history.touched_share + history.last.get("stack_inuse", 0.0)
    if needed <= MOST_NEEDED_SHARE * limit.bytes or of_go < LEAST_GO_SHARE * limit.bytes:
        return None
    lately = min((size for _, size in history.usage[-3:]), default=0.0)
    is_tight = lately >= MOST_NEEDED_SHARE * limit.bytes and (history.alloc_rate or 0.0) >= LEAST_RATE
    if not history.was_killed and not is_tight:
        return None
    size = int(min(needed, limit.bytes))
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if history.live_trend is not None else Certainty.INFERRED,
        size,
        min(size / limit.bytes, 1.0),
        f"{format_bytes(needed)} are needed at all times, {format_share(size / limit.bytes)} of the limit of "
        f"{format_bytes(limit.bytes)}: that leaves no room for garbage",
        tuple(_evidence(history, live)),
        tuple(_advice(history, limit, needed)),
    )


def _usual(history: RuntimeHistory) -> float | None:
    """Return the live heap as it is most of the time lately: what one burst holds is not needed at all times."""
    points = [size for _, size in history.live.points]
    last = history.live.bytes
    if last is None or len(points) < LEAST_POINTS:
        return last
    return min(last, median(points[len(points) // 2 :]))


def _of_others(history: RuntimeHistory, limit: Limit) -> float:
    """Return what other processes, other groups under a parent's limit and cached files take of the usage."""
    told = history.last
    own = told.get("container_own_charge", limit.usage_bytes)
    others = max(told.get("container_other_rss", 0.0), limit.usage_bytes - own)
    besides = told.get("container_shmem", 0.0) + told.get("container_inactive_file", 0.0)
    return max(others, 0.0) + max(told.get("container_file", 0.0) - besides, 0.0)


def _evidence(history: RuntimeHistory, live: float) -> list[Statement]:
    is_level = history.live_trend is not None
    level = " and level" if is_level else "; too few collections ran to tell whether it grows"
    told = history.pacing.memory_limit_bytes
    statements = [
        Statement(f"the live heap is {format_bytes(live)}{level}", Certainty.MEASURED),
        Statement(
            f"stacks, runtime and all besides the heap take {format_bytes(history.beside_heap_bytes)}",
            Certainty.INFERRED,
        ),
        limit_statement(history),
    ]
    if told is not None:
        statements.append(Statement(f"GOMEMLIMIT={spell_bytes(told)} is set; it cannot help here", Certainty.STATED))
    return statements


def _advice(history: RuntimeHistory, limit: Limit, needed: float) -> list[str]:
    advice = []
    for percent, words in ((THRIFTY_PERCENT, "at least, with GOMEMLIMIT"), (100, "at GOGC=100")):
        size = needed_limit(history, percent)
        if size is not None and size > limit.bytes:
            advice.append(f"raise the limit to {format_bytes(size)} {words}")
    lines = sorted(history.growth, key=lambda line: -line.after_bytes)[:1]
    if lines and lines[0].after_bytes > 0:
        advice.append(f"or keep less: {lines[0].place} holds {format_bytes(lines[0].after_bytes)}")
    return advice or [f"raise the limit to {format_bytes(needed * 1.25)}, or keep less"]
