"""All causes, and the judgement over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from whyheap.causes import (
    address_space_limit,
    allocation_burst,
    file_cache,
    finalizer_backlog,
    gc_disabled,
    gc_headroom,
    gc_thrash,
    goroutine_leak,
    inflight_pileup,
    limit_too_small,
    live_heap_growth,
    memory_limit_misset,
    neighbour,
    not_an_oom,
    off_heap,
    shared_memory,
    stack_growth,
    subslice_retention,
    thread_growth,
    timer_leak,
    unbounded_cache,
    unreturned_memory,
)
from whyheap.causes.cause import Cause
from whyheap.causes.history import LEAST_RISE_BYTES, RuntimeHistory
from whyheap.causes.ranking import ranked
from whyheap.causes.trend import LEAST_POINTS, LEAST_RISE_SHARE
from whyheap.errors import UsageError
from whyheap.goruntime.heap_goal import DEFAULT_HEAP_MINIMUM_BYTES, GC_OFF
from whyheap.model.gauge import Gap
from whyheap.model.verdict import CauseVerdict, Verdict
from whyheap.units import format_duration, format_rate

Match = Callable[[RuntimeHistory, Sequence[CauseVerdict]], CauseVerdict | None]
"""Judges one cause, given the causes that were named before it."""

_ENTRIES: tuple[tuple[Cause, Match], ...] = (
    (goroutine_leak.CAUSE, goroutine_leak.match),  # before live-heap-growth: it says what keeps some of that
    (inflight_pileup.CAUSE, inflight_pileup.match),
    (finalizer_backlog.CAUSE, finalizer_backlog.match),
    (timer_leak.CAUSE, timer_leak.match),
    (subslice_retention.CAUSE, subslice_retention.match),  # before unbounded-cache, which may hold the views
    (unbounded_cache.CAUSE, unbounded_cache.match),
    (live_heap_growth.CAUSE, live_heap_growth.match),
    (gc_disabled.CAUSE, gc_disabled.match),
    (memory_limit_misset.CAUSE, memory_limit_misset.match),
    (gc_headroom.CAUSE, gc_headroom.match),
    (thread_growth.CAUSE, thread_growth.match),  # behind goroutine-leak, whose goroutines may hold the threads
    (stack_growth.CAUSE, stack_growth.match),
    (off_heap.CAUSE, off_heap.match),
    (unreturned_memory.CAUSE, unreturned_memory.match),  # behind stack-growth: a copied stack leaves idle memory
    (shared_memory.CAUSE, shared_memory.match),
    (neighbour.CAUSE, neighbour.match),
    (address_space_limit.CAUSE, address_space_limit.match),
    (not_an_oom.CAUSE, not_an_oom.match),
    (file_cache.CAUSE, file_cache.match),  # where nothing above holds; before what takes active cache for use
    (limit_too_small.CAUSE, limit_too_small.match),  # where nothing above names what takes most of it
    (gc_thrash.CAUSE, gc_thrash.match),
    (allocation_burst.CAUSE, allocation_burst.match),  # where nothing above explains a sudden end
)
CAUSES: tuple[Cause, ...] = tuple(cause for cause, _ in _ENTRIES)

WITNESS = "runtime"
LEAST_WINDOW_SECONDS = 10
LONGEST_ADVISED_SECONDS = 600
_COLLECTIONS_WANTED = 6


@dataclass(frozen=True, slots=True)
class Judgement:
    """`verdict` is None when nothing was named and growth could not be judged: that is not health. `gaps` say why."""

    verdict: Verdict | None
    gaps: tuple[Gap, ...]


def get(slug: str) -> Cause:
    """Return the cause of this name.

    Raises:
        UsageError: there is none; the hint names the nearest.
    """
    for cause in CAUSES:
        if cause.slug == slug:
            return cause
    near = get_close_matches(slug, [cause.slug for cause in CAUSES], n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]}?" if near else f"Known causes: {', '.join(cause.slug for cause in CAUSES)}."
    raise UsageError(f"There is no cause named {slug[:60]!a}.", hint)


def judge(history: RuntimeHistory) -> Judgement:
    """Name the causes that hold, ordered as `ranking` says, and say what could not be seen."""
    named: list[CauseVerdict] = []
    for _, match in _ENTRIES:
        verdict = match(history, named)
        if verdict is not None:
            named.append(verdict)
    gaps = _unseen(history, named=bool(named))
    if not named and history.live_trend is None and not _is_tiny(history):
        return Judgement(None, gaps)
    return Judgement(Verdict(ranked(named, history)), gaps)


def _unseen(history: RuntimeHistory, *, named: bool) -> tuple[Gap, ...]:
    """Say why growth could not be judged, or how slow a growth would have gone unseen."""
    if len(history.samples) < LEAST_POINTS:
        return (Gap(WITNESS, "growth cannot be told from one moment", "Sample for a while:  --seconds 30"),)
    if history.live_trend is not None:
        if named:
            return ()
        least = max(LEAST_RISE_BYTES, LEAST_RISE_SHARE * (history.live.bytes or 0.0)) / history.seconds
        longer = f"Sample longer to see slower growth:  --seconds {_longer(history.seconds)}"
        window = format_duration(history.seconds)
        return (Gap(WITNESS, f"growth of less than {format_rate(least)} does not show within {window}", longer),)
    if _is_tiny(history):
        return ()
    wanted = _seconds_wanted(history)
    if wanted is None:
        off = "no collection ends, so live heap and garbage cannot be told apart (GOGC=off?)"
        is_said = named and history.pacing.gc_percent == GC_OFF  # by gc-disabled
        return () if is_said else (Gap(WITNESS, off, ""),)
    seen = history.live.collections
    reason = (
        f"only {seen} collection{'s' if seen != 1 else ''} could be compared within "
        f"{format_duration(history.seconds)}: too few to tell growth from garbage"
    )
    hint = f"Sample longer:  --seconds {wanted}" if wanted <= LONGEST_ADVISED_SECONDS else "Record it:  whyheap record"
    return (Gap(WITNESS, reason, hint),)


def _is_tiny(history: RuntimeHistory) -> bool:
    """Whether the heap stayed at the runtime's minimum over a window: then it is judged, though no collection ran."""
    minimum = DEFAULT_HEAP_MINIMUM_BYTES * max(history.pacing.ratio, 1.0)
    if len(history.samples) < LEAST_POINTS:
        return False
    return all(0 < sample.values.get("heap_goal", 0.0) <= minimum for sample in history.samples)


def _seconds_wanted(history: RuntimeHistory) -> int | None:
    """Return how long a window must be for enough collections; None when none is to come."""
    goal, rate = history.last.get("heap_goal"), history.alloc_rate
    if goal is None:
        return None
    if not rate or rate <= 0:
        return LONGEST_ADVISED_SECONDS
    live = history.live.bytes or 0.0
    cycle = min(max(goal - live, 1.0) / rate, 120.0)
    return max(LEAST_WINDOW_SECONDS, int(-(-cycle * _COLLECTIONS_WANTED // 10) * 10))


def _longer(seconds: float) -> int:
    return max(60, int(-(-seconds * 5 // 60) * 60))
