"""Address space limit: the kernel refused memory or a thread, and the runtime ended the program itself.

What it is: Besides the memory group there are limits of what may be mapped, resident or not: RLIMIT_AS (ulimit -v),
RLIMIT_DATA (ulimit -d), vm.max_map_count, and of how many threads may run (pids limit, RLIMIT_NPROC). mmap or clone
then fails with ENOMEM or EAGAIN, and Go throws: exit code 2 (SIGABRT with cgo). Nothing was killed.

How to tell: The crash says "out of memory", "cannot allocate memory", "failed to create new OS thread" or
"pthread_create failed", and no kill was counted in the group. Mapped memory, mappings or threads stand near such a
limit, or one block was asked for that is larger than what is left.

What tells it apart: An OOM kill leaves no words: SIGKILL, exit code 137. A stack overflow is stack-growth. "thread
exhaustion" is Go's own limit of 10,000 threads: thread-growth.

What to do: Raise or lift the limit that was met: address space is not memory, Go reserves much more than it uses. If
one huge block was asked for, check lengths that come from outside before allocating. Unmap what is done; join small
mappings.

When to leave it: The limit is there on purpose, to end a process that reserves too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import growth, points
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.event import Event
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_count, format_duration

CAUSE = Cause("address-space-limit", "The kernel refused memory or a thread", __doc__)

MET_SHARE = 0.8
"""Of a limit: in a crash it counts as the one that was met from here on; a new arena takes 64 MiB at once."""
LARGE_REQUEST_SHARE = 0.3
"""Of the limit, asked for at once: then the request is the matter."""
NEAR_SHARE = 0.95
"""Of a limit that a living process has nearly used up."""
LEAST_RISE_SHARE = 0.05
_OWN_LIMIT = "thread exhaustion"
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class _Bound:
    """A limit of the process or its group that is not of resident memory."""

    used: str
    most: str
    title: str
    raised_by: str
    is_bytes: bool
    about: str


_BOUNDS = (
    _Bound("vm_size", "address_space_limit", "address space (RLIMIT_AS)", "ulimit -v", is_bytes=True, about="memory"),
    _Bound("vm_size", "data_limit", "private memory (RLIMIT_DATA)", "ulimit -d", is_bytes=True, about="memory"),
    _Bound(
        "mappings",
        "mapping_limit",
        "mappings (vm.max_map_count)",
        "sysctl vm.max_map_count",
        is_bytes=False,
        about="memory",
    ),
    _Bound(
        "container_pids",
        "container_pids_limit",
        "the group's tasks (pids limit)",
        "pids.max",
        is_bytes=False,
        about="threads",
    ),
    _Bound(
        "threads", "process_limit", "the user's processes (RLIMIT_NPROC)", "ulimit -u", is_bytes=False, about="threads"
    ),
)


@dataclass(frozen=True, slots=True)
class _Met:
    bound: _Bound
    used: float
    most: float

    @property
    def spelled(self) -> str:
        form = format_bytes if self.bound.is_bytes else format_count
        return f"{form(self.used)} of {form(self.most)} of {self.bound.title}"


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when the runtime gave up for want of memory or a thread, or will soon."""
    end = ending(history)
    crash = end.crash if end.crash is not None and _is_refusal(end.crash) else None
    if crash is not None and not end.is_oom:
        met = _met(history, crash)
        asked = _bytes(crash, "asked")
        used = met.used if met is not None and met.bound.is_bytes else history.last.get("vm_size", 0.0)
        size = max(asked, used)
        return CauseVerdict(
            CAUSE.slug,
            Certainty.STATED,
            int(size),
            min(met.used / met.most, 1.0) if met is not None else 0.0,
            _summary(history, crash, met, asked),
            tuple(_evidence(history, crash, met, asked)),
            tuple(_advice(crash, met, asked)),
        )
    return None if end.has_ended else _soon(history)


def _is_refusal(crash: Event) -> bool:
    about = crash.labels.get("about", "")
    return about == "memory" or (about == "threads" and crash.labels.get("reason") != _OWN_LIMIT)


def _met(history: RuntimeHistory, crash: Event) -> _Met | None:
    """Return the limit that stood nearest: with what was asked for on top, and with memory's limits for threads too.

    A thread needs a stack, so the limits of memory may refuse a thread as well.
    """
    asked, near = _bytes(crash, "asked"), []
    for bound in _BOUNDS:
        used, most = _last(history, bound.used), history.last.get(bound.most, 0.0)
        if used is None or most < 1 or (bound.about == "threads" and crash.labels.get("about") == "memory"):
            continue
        if bound.most == "data_limit":  # of what is mapped only what is private and writable counts
            used = min(used, max(history.last.get("sys", used), history.last.get("rss", 0.0)))
        if used + (asked if bound.is_bytes else 0.0) >= most * MET_SHARE:
            near.append(_Met(bound, min(used, most), most))
    return max(near, key=lambda met: met.used / met.most, default=None)


def _last(history: RuntimeHistory, name: str) -> float | None:
    """Return where a gauge that may be read rarely stands at the end, its slope followed."""
    series = points(history, name)
    if not series:
        return None
    (first, begun), (last, latest) = series[0], series[-1]
    rate = (latest - begun) / (last - first) if last > first else 0.0
    return latest + max(rate, 0.0) * (history.samples[-1].seconds - last)


def _bytes(event: Event, name: str) -> float:
    said = event.labels.get(name, "")
    return float(said) if said.isdecimal() and len(said) < _DIGITS else 0.0


def _soon(history: RuntimeHistory) -> CauseVerdict | None:
    """Judge a living process: a limit that is nearly used up, by something that grows."""
    for bound in _BOUNDS:
        series, most = points(history, bound.used), history.last.get(bound.most, 0.0)
        if not series or most < 1 or bound.most == "data_limit":
            continue
        trend = growth(series, max(LEAST_RISE_SHARE * most, 1.0))
        if trend is None or series[-1][1] < NEAR_SHARE * most:
            continue
        met = _Met(bound, series[-1][1], most)
        seconds = max(most - met.used, 0.0) / trend.slope.value
        text = (
            f"the process uses {met.spelled} and takes more: the runtime gives up in about {format_duration(seconds)}"
        )
        rise = (
            f"{format_bytes(trend.rise)}" if bound.is_bytes else f"{format_count(trend.rise)}"
        ) + f" more in {format_duration(trend.seconds)}"
        return CauseVerdict(
            CAUSE.slug,
            Certainty.MEASURED,
            int(met.used if bound.is_bytes else history.last.get("rss", 0.0)),
            min(met.used / met.most, 1.0),
            text,
            (Statement(f"{met.spelled} are used, {rise}", Certainty.MEASURED), limit_statement(history)),
            (f"raise the limit ({bound.raised_by}), or find what is not given back",),
        )
    return None


def _summary(history: RuntimeHistory, crash: Event, met: _Met | None, asked: float) -> str:
    if crash.labels.get("about") == "threads":
        what = "the kernel refused a new thread"
    elif asked:
        what = f"the kernel refused a block of {format_bytes(asked)}"
    else:
        what = "the kernel refused memory"
    rss = history.last.get("rss", 0.0)
    resident = f" with {format_bytes(rss)} resident" if rss else ""
    why = f": {met.spelled} were used" if met is not None else ""
    return f"{what} and the runtime ended the program itself{resident}; nothing was killed{why}"


def _evidence(history: RuntimeHistory, crash: Event, met: _Met | None, asked: float) -> list[Statement]:
    statements = [Statement(crash.text, Certainty.STATED)]
    if met is not None:
        more = f"; {format_bytes(asked)} more were asked for" if asked and met.bound.is_bytes else ""
        text = f"{met.spelled} were used at the last sample{more}"
        statements.append(Statement(text, Certainty.MEASURED))
    else:
        seen = [
            f"{bound.title}: {(format_bytes if bound.is_bytes else format_count)(history.last[bound.used])} of "
            f"{(format_bytes if bound.is_bytes else format_count)(history.last[bound.most])}"
            for bound in _BOUNDS
            if history.last.get(bound.used) and history.last.get(bound.most)
        ]
        text = "when last counted: " + "; ".join(seen) if seen else "which limit was met was not seen"
        statements.append(Statement(text, Certainty.MEASURED if seen else Certainty.STATED))
        if crash.labels.get("about") == "memory" and history.last.get("mapping_limit") and not _has_size_limit(history):
            most = format_count(history.last["mapping_limit"])
            text = (
                f"neither ulimit -v nor ulimit -d is set, so it was the number of mappings (vm.max_map_count, {most}) "
                "or the machine's overcommit"
            )
            statements.append(Statement(text, Certainty.INFERRED))
    if history.live.bytes is not None:
        text = f"the live heap was {format_bytes(history.live.bytes)} at the last collection that was seen"
        statements.append(Statement(text, Certainty.MEASURED))
    if history.last.get("container_oom_kills") is not None:
        statements.append(Statement("no kill for memory was counted in the group at its end", Certainty.MEASURED))
    return [*statements, limit_statement(history)]


def _has_size_limit(history: RuntimeHistory) -> bool:
    return any(history.last.get(bound.most) for bound in _BOUNDS if bound.is_bytes)


def _advice(crash: Event, met: _Met | None, asked: float) -> list[str]:
    advice = []
    place = crash.labels.get("place", "")
    if met is not None and met.bound.is_bytes and asked >= LARGE_REQUEST_SHARE * met.most:
        at = f"{place}: " if place else ""
        advice.append(f"{at}check the size before it is allocated: {format_bytes(asked)} were asked for at once")
    if met is not None:
        advice.append(f"raise the limit ({met.bound.raised_by}), or use less of it: {_less(met.bound)}")
    elif crash.labels.get("about") == "threads":
        advice.append("look at the pids limit (pids.max, kubelet's podPidsLimit), ulimit -u and ulimit -v")
    else:
        advice.append("look at ulimit -v, ulimit -d, vm.max_map_count and vm.overcommit_memory where it ran")
    if crash.labels.get("about") == "threads":
        advice.append("limit how many blocking system calls and C calls run at once: each holds a thread")
    return advice


def _less(bound: _Bound) -> str:
    return {
        "vm_size": "unmap what is reserved and done; thread stacks take 8 MiB each with cgo",
        "mappings": "make one large mapping instead of many small ones, and unmap what is done",
    }.get(bound.used, "limit how many blocking calls run at once, as each holds a thread")
