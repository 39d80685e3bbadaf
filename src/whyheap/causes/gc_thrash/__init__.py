"""GC thrash: GOMEMLIMIT is so near to the live heap that the collector runs nearly without end.

What it is: The memory limit leaves next to no room between what is live and what the heap may grow to. Each collection
frees little, and the next one begins at once. The runtime's CPU limiter gives the collector at most half of the CPU;
then the heap outgrows the limit after all.

How to tell: GOMEMLIMIT rather than GOGC sets the heap's goal, the goal is hardly above the live heap, and collections
take a large share of the CPU.

What tells it apart: A program with a small heap and much garbage collects often as well, but there GOGC sets the goal
and each collection is cheap. With limit-too-small the container itself leaves no room for a higher GOMEMLIMIT.

What to do: Raise GOMEMLIMIT as far as the container allows; if that is not far enough, raise the container's limit or
keep less.

When to leave it: The work is not urgent and the CPU is free.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.memory_limit import safe_memory_limit
from whyheap.causes.tuning import Collections, best_for, collections, needed_limit
from whyheap.causes.verdict_words import limit_statement
from whyheap.goruntime.heap_goal import Pacing, heap_goal
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_share, spell_bytes

CAUSE = Cause("gc-thrash", "The collector runs without end", __doc__)

MOST_HEADROOM_SHARE = 0.2
"""Of the live heap, between it and the goal: GOGC=20 would give as much."""
NO_HEADROOM_SHARE = 0.1
"""The same, where a collection frees next to nothing."""
LEAST_SHARE = 0.08
"""Of all CPU, in collections."""
LEAST_PER_SECOND = 1.0
OFTEN_PER_SECOND = 8.0
"""Where their cost is not known."""


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when GOMEMLIMIT sets a goal near the live heap and collections take much of the CPU."""
    told, goal, ran = history.pacing.memory_limit_bytes, history.last.get("heap_goal"), collections(history)
    live = history.last.get("heap_marked", history.live.bytes)
    if told is None or goal is None or ran is None or live is None or live <= 0:
        return None
    by_percent = heap_goal(live, history.root_bytes, Pacing(history.pacing.gc_percent))
    limited = history.limiter_ran  # then few collections run, as each takes long
    if goal > live * (1 + MOST_HEADROOM_SHARE) or goal >= by_percent:
        return None
    if ran.per_second < LEAST_PER_SECOND and not limited:
        return None
    is_busy = ran.share >= LEAST_SHARE if ran.share is not None else ran.per_second >= OFTEN_PER_SECOND
    if goal <= live * (1 + NO_HEADROOM_SHARE):  # on an idle machine most of the marking is done in idle time
        is_busy = is_busy or ran.per_second >= OFTEN_PER_SECOND / 2
    if not (is_busy or limited):
        return None
    size = int(live)
    price = f" and take {format_share(ran.share)} of the CPU" if ran.share is not None else ""
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if ran.share is not None or limited else Certainty.INFERRED,
        size,
        min(size / told, 1.0) if told > 0 else 1.0,
        f"{format_bytes(live)} are live under a GOMEMLIMIT of {format_bytes(told)}: {ran.per_second:.1f} collections a "
        f"second free next to nothing{price}",
        tuple(_evidence(history, live, goal, ran, limited=limited)),
        tuple(_advice(history, told)),
    )


def _evidence(history: RuntimeHistory, live: float, goal: float, ran: Collections, *, limited: bool) -> list[Statement]:
    told = history.pacing.memory_limit_bytes or 0
    room = format_bytes(max(goal - live, 0.0))
    statements = [
        Statement(f"GOMEMLIMIT={spell_bytes(told)} is set", Certainty.STATED),
        Statement(
            f"the heap may grow to {format_bytes(goal)} before it is collected, {room} above what is live",
            Certainty.MEASURED,
        ),
        Statement(f"{ran.per_second:.1f} collections a second ran in the window", Certainty.MEASURED),
    ]
    if limited:
        text = "the runtime limited its collector to half of the CPU, and let the heap outgrow GOMEMLIMIT"
        statements.append(Statement(text, Certainty.MEASURED))
    if history.limit is not None:
        statements.append(limit_statement(history))
    return statements


def _advice(history: RuntimeHistory, told: int) -> list[str]:
    limit = history.limit
    if limit is None or not limit.is_container:
        needed = (needed_limit(history, 50) or told * 1.5) * 0.9
        return [f"set GOMEMLIMIT to {format_bytes(needed)} or more, if the machine has that much to spare"]
    memory_limit, best = safe_memory_limit(history, limit), best_for(history, limit)
    if best is not None and not best.thrashes and memory_limit > told:
        return [f"set GOMEMLIMIT={spell_bytes(memory_limit)}: {best.words}"]
    needed = needed_limit(history, 50) or told * 1.5
    more = f"raise the container's limit to {format_bytes(needed)} and GOMEMLIMIT to nine tenths of it"
    return [f"{more}: in {format_bytes(limit.bytes)} no GOMEMLIMIT gives the collector room", "or keep less"]
