"""Stack growth: goroutine stacks fill the memory, by deep recursion or by large frames in many goroutines.

What it is: A goroutine's stack doubles when it is full: a new one is allocated, the old one copied, so at that moment
both count. A recursion without bottom meets the limit of 1 GB on 64-bit systems (debug.SetMaxStack) or, in a
container, the kernel long before. Large local arrays make every goroutine of a pool large.

How to tell: Stack memory is a large part of what is used, and much for each goroutine. Or the crash says "goroutine
stack exceeds", exit code 2.

What tells it apart: With goroutine-leak it is the number of goroutines that grows, with 2 to 8 KiB of stack for each.
With thread-growth the stacks are the runtime's own, for threads.

What to do: Bound the depth of what is nested (input from outside above all), or use a loop with its own stack of
slices. Move large arrays out of functions that many goroutines wait in. Remember that the heap goal counts stacks once
more: GOGC=100 doubles their price.

When to leave it: The depth and the number are bounded, and their product, counted twice, fits the limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import (
    LEAST_BYTES,
    PRESSED_SHARE,
    Points,
    charge_bytes,
    container_limit,
    growth,
    points,
    share_of_whole,
    usage_bytes,
)
from whyheap.causes.thread_growth import MOST_STACK_BYTES_EACH
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Certainty
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count, format_duration, format_share

CAUSE = Cause("stack-growth", "Goroutine stacks fill the memory", __doc__)

LEAST_SHARE = 0.35
"""Of what is used, that stacks must take."""
LEAST_EACH_BYTES = 16.0 * (1 << 10)
"""Of stack for each goroutine: below that their number is the matter, not their size."""
DOUBLINGS = 4.0
"""A stack grows by doubling: from one to four times within the window is growth, however it is spread."""
RECURSION_FRAMES = 8
MAIN_SHARE = 0.5


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when goroutine stacks are large, much for each goroutine, and grow or meet a limit."""
    end = ending(history)
    overflow = end.crash if end.crash is not None and end.crash.labels.get("about") == "stack" else None
    series = points(history, _goroutine_stacks)
    size = max((value for _, value in series[-3:]), default=0.0)
    if overflow is not None:
        size = max(size, _said_bytes(overflow, "stack", "limit"))
    elif not _is_large(history, series, size, killed=end.is_oom):
        return None
    deep = _recursion(history)
    each = size / max(history.last.get("goroutines", 1.0), 1.0)
    return CauseVerdict(
        CAUSE.slug,
        Certainty.STATED if overflow is not None else Certainty.MEASURED,
        int(size),
        share_of_whole(history, size),
        _summary(history, size, each, overflow, deep, series, killed=end.is_oom),
        tuple(_evidence(history, size, each, overflow, deep, series)),
        tuple(_advice(history, size, overflow, deep)),
    )


def _goroutine_stacks(values: dict[str, float]) -> float | None:
    """Return stacks in use without those that the runtime keeps for its threads."""
    if "stack_inuse" not in values:
        return None
    return max(values["stack_inuse"] - MOST_STACK_BYTES_EACH * values.get("threads", 0.0), 0.0)


def _is_large(history: RuntimeHistory, series: Points, size: float, *, killed: bool) -> bool:
    if not series or size < LEAST_BYTES:
        return False
    each = size / max(history.last.get("goroutines", 0.0), 1.0)
    used = max(charge_bytes(history), history.last.get("rss", 0.0)) or history.last.get("sys", 0.0)
    if each < LEAST_EACH_BYTES or size < LEAST_SHARE * used:
        return False
    limit = container_limit(history)
    is_short = limit is not None and usage_bytes(history) >= PRESSED_SHARE * limit
    return killed or is_short or _grows(series)


def _grows(series: Points) -> bool:
    return growth(series, LEAST_BYTES) is not None or series[-1][1] >= max(LEAST_BYTES, DOUBLINGS * series[0][1])


def _said_bytes(overflow: Event, *names: str) -> float:
    said = [overflow.labels.get(name, "") for name in names]
    return max((float(size) for size in said if size.isdecimal() and len(size) < 20), default=0.0)  # noqa: PLR2004  64 bits


def _recursion(history: RuntimeHistory) -> tuple[Site, int, GoroutineGroup] | None:
    """Return the function that a goroutine is in again and again, how often it is seen, and the goroutine."""
    found: tuple[Site, int, GoroutineGroup] | None = None
    for sample in history.samples:
        for group in sample.goroutines:
            counted = Counter((site.package, site.function) for site in group.stack)
            if not counted:
                continue
            (package, function), count = counted.most_common(1)[0]
            if count >= RECURSION_FRAMES and (found is None or count >= found[1]):
                site = next(each for each in group.stack if (each.package, each.function) == (package, function))
                found = (history.locate(site)[0], count, group)
    return found


def _most_wait_at(history: RuntimeHistory) -> tuple[Site, GoroutineGroup] | None:
    """Return where most of all goroutines are, in the user's code; where they were started if that is all one knows."""
    with_stacks = [sample.goroutines for sample in history.samples if sample.goroutines]
    groups = with_stacks[-1] if with_stacks else ()
    largest = max(groups, key=lambda group: group.count, default=None)
    if largest is None or largest.count < MAIN_SHARE * sum(group.count for group in groups):
        return None
    frames = largest.stack or ((largest.created_by,) if largest.created_by else ())
    own = next((site for site, is_own in map(history.locate, frames) if is_own), None)
    return None if own is None else (own, largest)


def _summary(
    history: RuntimeHistory,
    size: float,
    each: float,
    overflow: Event | None,
    deep: tuple[Site, int, GoroutineGroup] | None,
    series: Points,
    *,
    killed: bool,
) -> str:
    where = f" in {deep[0].symbol} ({deep[0].position})" if deep is not None else ""
    if overflow is not None:
        place = overflow.labels.get("place", "")
        at = where or (f" at {place}" if place else "")
        told = format_bytes(_said_bytes(overflow, "limit") or size)
        return f"a goroutine's stack exceeded the limit of {told}: recursion without end{at}"
    count = history.last.get("goroutines", 0.0)
    text = f"goroutine stacks {'took' if killed else 'take'} {format_bytes(size)}"
    if deep is not None:
        text = f"{text}: recursion{where}"
    elif count:
        most = _most_wait_at(history)
        verb = "in" if most is not None and most[1].stack else "started in"
        is_told = most is not None and most[1].count > 1
        where = f", most {verb} {most[0].function} ({most[0].position})" if most is not None and is_told else ""
        text = f"{text}: {format_count(count)} goroutines with {format_bytes(each)} each on average{where}"
    if killed:
        return f"{text}; the kernel killed the process at the limit"
    return text if _grows(series) else f"{text}; they are level, and the limit is near"


def _evidence(
    history: RuntimeHistory,
    size: float,
    each: float,
    overflow: Event | None,
    deep: tuple[Site, int, GoroutineGroup] | None,
    series: Points,
) -> list[Statement]:
    statements = [Statement(overflow.text, Certainty.STATED)] if overflow is not None else []
    if series and series[-1][1] >= LEAST_BYTES:
        used = max(charge_bytes(history), history.last.get("rss", 0.0))
        share = f", {format_share(min(size / used, 1.0))} of what is used" if used else ""
        before = f"; they were {format_bytes(series[0][1])} {format_duration(series[-1][0] - series[0][0])} before"
        text = f"stacks in use are {format_bytes(series[-1][1])}{share}{before if len(series) > 1 else ''}"
        statements.append(Statement(text, Certainty.MEASURED))
    if "goroutines" in history.last and overflow is None:
        text = f"{format_count(history.last['goroutines'])} goroutines have {format_bytes(each)} each on average"
        statements.append(Statement(f"{text}; a new one has 2 KiB", Certainty.MEASURED))
    most = _most_wait_at(history) if deep is None else None
    if most is not None:
        are = "wait" if most[1].stack else "were started"
        text = f"{format_count(most[1].count)} goroutines {are} at {most[0].position} in {most[0].function}"
        statements.append(Statement(text, Certainty.MEASURED, most[0]))
    if deep is not None:
        text = f"{deep[0].symbol} calls itself: it is {deep[1]} times on one stack ({deep[2].count} such goroutines)"
        statements.append(Statement(text, Certainty.MEASURED, deep[0]))
    text = "a stack is doubled by copying, so old and new count together; the heap goal counts stacks as well"
    statements.append(Statement(text, Certainty.STATED))
    return [*statements, limit_statement(history)]


def _advice(
    history: RuntimeHistory, size: float, overflow: Event | None, deep: tuple[Site, int, GoroutineGroup] | None
) -> list[str]:
    place = overflow.labels.get("place", "") if overflow is not None else ""
    if deep is not None:
        advice = [f"{deep[0].position}: bound the depth of this recursion, or turn it into a loop with its own slice"]
    elif overflow is not None:
        at = f"{place}: " if place else ""
        advice = [f"{at}find what calls itself without end (the crash text repeats it), and bound its depth"]
    else:
        most = _most_wait_at(history)
        at = f"{most[0].position}: " if most is not None else ""
        advice = [f"{at}look for large local arrays and deep calls in the functions that most goroutines wait in"]
        advice.append("go build -gcflags=-S  prints the size of each function's frame as locals=")
    limit = container_limit(history)
    if overflow is None and limit is not None and deep is not None:
        advice.append(
            f"debug.SetMaxStack({int(max(limit / 4, 1 << 20)) >> 20}<<20) turns the kill into a crash that shows the "
            "recursion"
        )
    elif overflow is None and limit is not None:
        advice.append(f"or raise the limit: stacks need {format_bytes(size)}, and the heap goal counts them once more")
    return advice
