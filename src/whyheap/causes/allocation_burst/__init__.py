"""Allocation burst: for a moment the program holds or leaves many times what it usually does.

What it is: Bodies read whole with io.ReadAll, documents decoded in memory, sorted copies, unpacked archives: a few
large ones at once, and memory jumps within a second. What it needs is live while it works, and slices that grow by
copying leave their older halves as garbage; the collector follows, but cannot free what is in use.

How to tell: Usage is level and modest between bursts; its peak, or the kill, is far above that and came within one or
two samples. The live heap is small again after the next collection.

What tells it apart: With live-heap-growth the live heap rises over many collections. With gc-headroom the peak is the
ordinary goal of each cycle. Memory outside Go may burst too: then the heap does not rise with it.

What to do: Bound how much is in memory at once: read and write in streams, limit the size of bodies and what archives
unpack to, limit how many large ones are handled side by side.

When to leave it: The largest burst that can come fits the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from whyheap.causes.cause import Cause
from whyheap.causes.history import Limit, RuntimeHistory
from whyheap.causes.trend import leaps
from whyheap.causes.verdict_words import limit_statement
from whyheap.goruntime.heap_goal import GC_OFF
from whyheap.model.event import EventKind
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_duration, format_rate

CAUSE = Cause("allocation-burst", "A burst outruns the collector", __doc__)

NEAR_LIMIT_SHARE = 0.8
MOST_USUAL_SHARE = 0.6
"""Of the limit, that is used between bursts."""
LEAST_TIMES = 2.0
"""How many times the usual usage a burst must reach."""
MOST_FOREIGN_SHARE = 0.5
STEPS_AHEAD = 2.0
LINES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Burst:
    """Usage between bursts and at the peak, in bytes; `seen` whether samples of the heap show the peak."""

    usual: float
    peak: float
    heap_peak: float
    seen: bool


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when usage jumps from a modest level to the limit, and nothing else explains it."""
    limit = history.limit
    if limit is None or not limit.is_container or taken or history.demand_grows or len(history.usage) < 3:  # noqa: PLR2004
        return None
    if history.pacing.gc_percent == GC_OFF and history.pacing.memory_limit_bytes is None:
        return None
    burst = _burst(history, limit)
    if burst is None:
        return None
    size = int(min(burst.peak, limit.bytes) - burst.usual)
    end = "and the process was killed at" if history.was_killed else "near"
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if burst.seen else Certainty.INFERRED,
        size,
        min(size / limit.bytes, 1.0),
        f"a burst took {format_bytes(size)} on top of the usual {format_bytes(burst.usual)}, {end} "
        f"the limit of {format_bytes(limit.bytes)}",
        tuple(_evidence(history, burst)),
        _advice(history),
    )


def _burst(history: RuntimeHistory, limit: Limit) -> _Burst | None:
    usage = [size for _, size in history.usage]
    usual = median(usage)
    goals = [each.values["heap_goal"] for each in history.samples if "heap_goal" in each.values]
    heaps = [each.values["heap_alloc"] for each in history.samples if "heap_alloc" in each.values]
    if not heaps or usual > MOST_USUAL_SHARE * limit.bytes:
        return None
    foreign = history.last.get("container_other_rss", 0.0) + _outside(history)
    peak = max(usage[-1] if history.was_killed else 0.0, *usage, _peak_between(history))
    if history.was_killed:
        if _was_coming(history, limit) and not leaps(*zip(*history.usage, strict=True)):  # the samples saw the burst
            return None
        peak = max(peak, _killed_with(history) or limit.bytes)
    ordinary = (median(goals) if goals else 0.0) + usual - min(median(heaps), usual)
    if peak < NEAR_LIMIT_SHARE * limit.bytes or peak < LEAST_TIMES * usual or ordinary > NEAR_LIMIT_SHARE * limit.bytes:
        return None
    if foreign > MOST_FOREIGN_SHARE * peak:
        return None
    return _Burst(usual, peak, max(heaps), seen=max(heaps) > (usual + peak) / 2)


def _outside(history: RuntimeHistory) -> float:
    """Return the most that was used beside what Go had mapped."""
    found = 0.0
    for sample in history.samples:
        values = sample.values
        if {"sys", "container_usage"} <= values.keys():
            found = max(found, values["container_usage"] - values["sys"] + values.get("heap_released", 0.0))
    return found


def _peak_between(history: RuntimeHistory) -> float:
    """Return a peak that came between samples: the kernel's own marks, where they rose in the window."""
    found = 0.0
    cached = history.last.get("container_charge", 0.0) - history.last.get("container_usage", 0.0)
    for name, less in (("container_peak", max(cached, 0.0)), ("max_rss", 0.0)):
        marks = [each.values[name] for each in history.samples if name in each.values]
        if len(marks) > 1 and marks[-1] > marks[0]:
            found = max(found, marks[-1] - less)
    return found


def _killed_with(history: RuntimeHistory) -> float | None:
    """Return the anonymous memory that the kernel's log says the killed process had."""
    for event in reversed(history.events):
        told = event.labels.get("anon_rss", "")
        if event.kind is EventKind.OOM_KILL and told.isdecimal():
            return float(told)
    return None


def _was_coming(history: RuntimeHistory, limit: Limit) -> bool:
    """Whether usage was on its way to the limit at the pace of the window: then the kill was no surprise."""
    steps = [(b - a) / max(y - x, 1e-3) for (x, a), (y, b) in pairwise(history.usage)]
    last = history.usage[-1][1]
    usual_step = max(median(steps), 0.0) if steps else 0.0
    spacing = median([y - x for (x, _), (y, _) in pairwise(history.usage)])
    return last + STEPS_AHEAD * usual_step * spacing >= limit.bytes


def _evidence(history: RuntimeHistory, burst: _Burst) -> list[Statement]:
    statements = [
        Statement(f"usually {format_bytes(burst.usual)} are used, and nothing grows", Certainty.MEASURED),
    ]
    if history.was_killed:
        last = history.usage[-1][1]
        told = _killed_with(history)
        at = f"; the kernel counted {format_bytes(told)} when it killed the process" if told else ""
        statements.append(Statement(f"{format_bytes(last)} were used at the last sample{at}", Certainty.MEASURED))
    if burst.seen:
        text = f"the heap was at {format_bytes(burst.heap_peak)} at its highest sample"
        statements.append(Statement(text, Certainty.MEASURED))
    else:
        text = "the peak came between two samples: that the Go heap took it is concluded from what was seen before"
        statements.append(Statement(text, Certainty.INFERRED))
    rate = _fastest(history) if burst.seen else None
    if rate is not None:
        seconds, per_second = rate
        text = f"at the fastest, {format_rate(per_second)} were allocated, over {format_duration(seconds)}"
        statements.append(Statement(text, Certainty.MEASURED))
    for line in sorted(history.growth, key=lambda each: -each.allocated_bytes)[:LINES_SHOWN]:
        if line.allocated_bytes > 0:
            text = f"{line.place} allocated {format_bytes(line.allocated_bytes)} in the window"
            statements.append(Statement(text, Certainty.MEASURED, line.site))
    return [*statements, limit_statement(history)]


def _fastest(history: RuntimeHistory) -> tuple[float, float] | None:
    told = [(each.seconds, each.values["total_alloc"]) for each in history.samples if "total_alloc" in each.values]
    steps = [(y - x, (b - a) / (y - x)) for (x, a), (y, b) in pairwise(told) if y - x > 0]
    return max(steps, key=lambda step: step[1]) if steps else None


def _advice(history: RuntimeHistory) -> tuple[str, ...]:
    lines = sorted(history.growth, key=lambda each: -each.allocated_bytes)[:1]
    where = f"{lines[0].place}: " if lines and lines[0].allocated_bytes > 0 else ""
    advice = [
        f"{where}bound what is in memory at once: stream it, limit its size, limit how many run side by side",
        "GOMEMLIMIT only helps with the garbage of a burst, not with what it holds",
    ]
    if not where:
        advice.append("see which line it is by a profile of the next one:  whyheap record TARGET -o FILE.whyheap")
    return tuple(advice)
