"""GC disabled: the collector is switched off and no memory limit switches it on, so nothing is ever freed.

What it is: GOGC=off, or debug.SetGCPercent(-1) in the code, without GOMEMLIMIT. The heap then grows by all that is
allocated, garbage included, until the container's limit ends the process. The two-minute collection is off as well.

How to tell: The heap has no goal, no collection runs, and the heap rises by as much as the program allocates.

What tells it apart: With live-heap-growth collections run and find more alive each time. With gc-headroom there is a
goal, though one beyond the limit. GOGC=off with a GOMEMLIMIT above the container's limit is memory-limit-misset.

What to do: Remove GOGC=off, or set GOMEMLIMIT with it, below the container's limit. In code, restore what
debug.SetGCPercent returned on every way out of the function, and never from two goroutines at once.

When to leave it: The program ends before it has allocated as much as the container has.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.memory_limit import safe_memory_limit
from whyheap.causes.verdict_words import limit_statement
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.goruntime.heap_goal import GC_OFF
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_duration, format_rate, spell_bytes

CAUSE = Cause("gc-disabled", "The collector is off", __doc__)

LEAST_RISE_BYTES = 8 << 20
LEAST_KEPT_SHARE = 0.8
"""Of what is allocated while no collection runs, that the heap must rise by: large objects are not counted at once."""
_NEEDED = {"heap_alloc", "total_alloc", "num_gc"}


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when the collector is off and the heap rises by all that is allocated."""
    limit = history.limit
    if history.pacing.gc_percent != GC_OFF or history.pacing.memory_limit_bytes is not None or limit is None:
        return None
    run = _without_collection(history.samples)
    if not run:
        return None
    first, last = run[0].values, run[-1].values
    seconds = run[-1].seconds - run[0].seconds
    rise = last["heap_alloc"] - first["heap_alloc"]
    allocated = last["total_alloc"] - first["total_alloc"]
    if seconds <= 0 or rise < LEAST_RISE_BYTES or rise < LEAST_KEPT_SHARE * allocated:
        return None
    size = int(min(max(last["heap_alloc"], rise), limit.bytes))
    rate = allocated / seconds
    soon = f"which fills the limit in {_soon(history, rate)}"
    if history.was_killed:
        soon = f"until the process was killed at the limit of {format_bytes(limit.bytes)}"
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED,
        size,
        min(size / limit.bytes, 1.0),
        f"the collector is off and nothing is freed: the heap grows {format_rate(rate)}, all that is allocated, {soon}",
        tuple(_evidence(history, rise, allocated, seconds)),
        tuple(_advice(history)),
    )


def _soon(history: RuntimeHistory, rate: float) -> str:
    room = max((history.limit.bytes - history.limit.usage_bytes) if history.limit else 0.0, 0.0)
    return f"about {format_duration(room / max(rate, 1.0))}"


def _without_collection(samples: Sequence[RuntimeSample]) -> list[RuntimeSample]:
    """Return the last stretch in which no collection ran."""
    told = [sample for sample in samples if sample.values.keys() >= _NEEDED]
    return [sample for sample in told if sample.values["num_gc"] == told[-1].values["num_gc"]]


def _evidence(history: RuntimeHistory, rise: float, allocated: float, seconds: float) -> list[Statement]:
    ran = history.last.get("num_gc", 0.0)
    before = "none ever did" if ran < 1 else f"{ran:.0f} did before"
    return [
        Statement("GOGC is off and no GOMEMLIMIT is set: the heap has no goal", Certainty.STATED),
        Statement(f"no collection ran for {format_duration(seconds)}; {before}", Certainty.MEASURED),
        Statement(
            f"meanwhile {format_bytes(allocated)} were allocated and the heap rose by {format_bytes(rise)}",
            Certainty.MEASURED,
        ),
        limit_statement(history),
    ]


def _advice(history: RuntimeHistory) -> list[str]:
    advice = [
        "remove GOGC=off, or look for debug.SetGCPercent(-1) that is not undone on every way out",
    ]
    if history.limit is not None and history.limit.is_container:
        memory_limit = safe_memory_limit(history, history.limit)
        if memory_limit > 0:
            advice.append(
                f"or keep it off and set GOMEMLIMIT={spell_bytes(memory_limit)}: collections then run only when needed"
            )
    advice.append("how much is really live is known after the first collection: look again then")
    return advice
