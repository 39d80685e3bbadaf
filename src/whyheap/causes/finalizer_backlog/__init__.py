"""Finalizer backlog: finalizers or cleanups are queued faster than they run, and what they are for stays until then.

What it is: An object with a finalizer is kept for it when nobody else needs the object, and goes only after the
finalizer has run and another collection has passed. One goroutine runs all finalizers, one after the other; a few run
cleanups (runtime.AddCleanup, Go 1.24), whose arguments stay likewise. One that waits or is slow holds up all behind it.

How to tell: More finalizers are queued than executed, by the runtime's own counts (runtime/metrics from Go 1.26, or a
look from outside). Where these are not told: the runtime's finalizer goroutine is in the user's code in nearly every
goroutine profile, while the live heap rises.

What tells it apart: With live-heap-growth the program still holds the objects; here nobody but the runtime does. The
finalizer goroutine is not shown in a profile while it waits for work, so one that is always shown never gets to wait.

What to do: Let finalizers and cleanups only hand over: send to a buffered channel without waiting, start a goroutine
for what is slow, take no lock that others hold for long. Better: free with an explicit Close (defer), and use the
finalizer for what was forgotten; runtime.SetFinalizer(x, nil) in Close takes it off.

When to leave it: The queue drains between bursts and its longest length times the size of an object fits memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.forecast import forecast_limit
from whyheap.causes.goroutine_piles import samples_with_stacks
from whyheap.causes.growing_lines import (
    LEAST_OWN_SHARE,
    bought_time,
    grown_size,
    growth_summary,
    line_statement,
    live_statement,
    setting_statements,
    share_of_live,
    shown,
    unclaimed,
)
from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.causes.trend import Trend, judge_trend
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.finding import Certainty
from whyheap.model.root import RootKind
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_count, format_duration

CAUSE = Cause("finalizer-backlog", "Finalizers wait to run", __doc__)

LEAST_WAITING = 10.0
LEAST_SEEN_SHARE = 0.9
LEAST_SAMPLES = 4
_RUNNERS = {
    "runtime.runfinq": "finalizer",  # runtime/mfinal.go, 1.22 to 1.24; cleanups of 1.24 as well
    "runtime.runFinalizers": "finalizer",  # runtime/mfinal.go, from 1.25
    "runtime.runCleanups": "cleanup",  # runtime/mcleanup.go, from 1.25
}
_REGISTERED = ("runtime.SetFinalizer", "runtime.AddCleanup")
_COUNTS = (
    ("finalizer", "finalizers_queued", "finalizers_executed"),
    ("cleanup", "cleanups_queued", "cleanups_executed"),
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Finalizers or cleanups that are queued: how many, how that grows, and how many ran in a second."""

    kind: str
    count: float
    trend: Trend
    per_second: float


@dataclass(frozen=True, slots=True)
class _Busy:
    """The runtime's goroutine that runs them, in the user's code in `seen` of `samples` samples, mostly at `site`."""

    kind: str
    site: Site
    state: str
    seen: int
    samples: int


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when the queue grows by the runtime's counts, or its goroutine never rests, and the heap rises."""
    trend = history.live_trend
    if trend is None or not trend.grows:
        return None
    counted = _counted(history)
    waiting = next((one for one in counted if one.trend.grows), None)
    busy = _busy(history)
    if waiting is None and (busy is None or any(one.kind == busy.kind for one in counted)):
        return None  # counts that do not grow say more than a goroutine that is often seen
    left = unclaimed(history, taken)
    lines = _held(left)
    total = sum(line.grown_bytes for line in history.grown_lines)
    if total and sum(line.grown_bytes for line in lines) < LEAST_OWN_SHARE * total:
        return None
    if not total and taken:
        return None
    size = grown_size(history, trend, lines)
    kind = waiting.kind if waiting is not None else busy.kind if busy is not None else "finalizer"
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if waiting is not None else Certainty.INFERRED,
        size,
        share_of_live(history, size),
        growth_summary(history, trend, f"{_queue(waiting, kind)}; live heap grows"),
        tuple(_evidence(history, trend, waiting, busy, shown(history, lines))),
        tuple(_advice(history, trend, busy, kind)),
    )


def _queue(waiting: _Waiting | None, kind: str) -> str:
    if waiting is None:
        return f"{kind}s come faster than they are run"
    return f"{format_count(waiting.count)} {kind}s wait to run, {waiting.trend.slope.value:.0f} more a second"


def _counted(history: RuntimeHistory) -> list[_Waiting]:
    """Return the queues that the runtime counts, whether they grow or not."""
    found = []
    for kind, queued, executed in _COUNTS:
        told = [sample for sample in history.samples if queued in sample.values and executed in sample.values]
        points = [
            (one.seconds, max(one.values[queued] - one.values[executed], 0.0)) for one in _after_each_collection(told)
        ]
        trend = judge_trend(points, LEAST_WAITING)
        if trend is not None and told[-1].seconds > told[0].seconds:
            ran = told[-1].values[executed] - told[0].values[executed]
            per_second = max(ran, 0.0) / (told[-1].seconds - told[0].seconds)
            found.append(_Waiting(kind, points[-1][1], trend, per_second))
    return found


def _after_each_collection(samples: Sequence[RuntimeSample]) -> list[RuntimeSample]:
    """Return the first sample after each collection: only collections queue, and in between the queue is worked off."""
    firsts: dict[float, RuntimeSample] = {}
    for sample in samples:
        firsts.setdefault(sample.values.get("num_gc", sample.seconds), sample)
    return list(firsts.values())


def _busy(history: RuntimeHistory) -> _Busy | None:
    """Return the runtime's goroutine that is in the user's code in nearly every sample; it is not shown at rest."""
    samples = samples_with_stacks(history)
    seen: dict[str, int] = {}
    places: dict[tuple[str, Site, str], int] = {}
    for sample in samples:
        kinds = set()
        for group in sample.goroutines:
            kind = next((_RUNNERS[site.symbol] for site in group.stack if site.symbol in _RUNNERS), "")
            own = [site for site, is_own in map(history.locate, group.stack) if is_own]
            if kind and own:
                kinds.add(kind)
                place = (kind, own[0], group.state)
                places[place] = places.get(place, 0) + 1
        for kind in kinds:
            seen[kind] = seen.get(kind, 0) + 1
    if len(samples) < LEAST_SAMPLES or not seen:
        return None
    kind = max(seen, key=lambda one: seen[one])
    if seen[kind] < LEAST_SEEN_SHARE * (len(samples) - 1):  # the first may come before the first collection
        return None
    _, site, state = max((place for place in places if place[0] == kind), key=lambda place: places[place])
    return _Busy(kind, site, state, seen[kind], len(samples))


def _held(lines: Sequence[LineGrowth]) -> list[LineGrowth]:
    """Return the lines whose values may wait: those handed to SetFinalizer, else those of unknown root."""
    handed = [line for line in lines if _is_handed(line)]
    return handed or [line for line in lines if line.root is None]


def _is_handed(line: LineGrowth) -> bool:
    root = line.root
    return root is not None and root.kind is RootKind.CALLEE and root.title.startswith(_REGISTERED)


def _evidence(
    history: RuntimeHistory, trend: Trend, waiting: _Waiting | None, busy: _Busy | None, lines: Sequence[LineGrowth]
) -> list[Statement]:
    statements = []
    if waiting is not None:
        text = (
            f"{format_count(waiting.count)} {waiting.kind}s are queued and have not run, "
            f"{format_count(waiting.trend.rise)} more in {format_duration(waiting.trend.seconds)}; "
            f"{waiting.per_second:.0f} a second ran"
        )
        statements.append(Statement(text, Certainty.MEASURED))
    if busy is not None:
        text = (
            f"the runtime's {busy.kind} goroutine is at {busy.site.position} in {busy.site.function} ({busy.state}) in "
            f"{busy.seen} of {busy.samples} samples: it never rests"
        )
        statements.append(Statement(text, Certainty.MEASURED, busy.site))
    statements.append(live_statement(history, trend))
    for line in lines:
        statements.append(line_statement(history, line))
        if line.root is not None and _is_handed(line):
            text = f"it is handed to {line.root.title.partition('[')[0]}"
            statements.append(Statement(text, Certainty.STATED, line.site))
    return [*statements, *setting_statements(history)]


def _advice(history: RuntimeHistory, trend: Trend, busy: _Busy | None, kind: str) -> list[str]:
    advice = []
    if busy is not None:
        advice.append(f"{busy.site.position}: a {kind} must not wait here: hand the work to a goroutine of your own")
    advice.append(f"free these objects with an explicit Close; leave the {kind} for those that were forgotten")
    return [*advice, *bought_time(history, trend, forecast_limit(history, trend.slope))]
