"""Thread growth: threads of the system pile up in calls that block.

What it is: A goroutine that waits in Go costs no thread, but one that waits in a system call the runtime cannot poll,
in C code, or that is locked to its thread (runtime.LockOSThread), keeps one. The runtime starts another thread for the
rest and hardly ever ends one. Each costs a kernel stack, page tables, the runtime's own stacks for it (up to 48 KiB:
runtime/proc.go, allocm; os_linux.go, mpreinit) and, with cgo, a C stack.

How to tell: The number of threads rises over the window. The kernel's part of the group's charge and the stacks rise
with it, while the heap hardly does. At 10,000 the runtime gives up ("thread exhaustion"), a pids limit often earlier.

What tells it apart: With goroutine-leak the goroutines wait in Go (channel, lock, network) and the number of threads is
level. With stack-growth the goroutines' own stacks are large.

What to do: Limit how many such calls run at once (a semaphore around them), give them deadlines, use os.File and net
(which poll) instead of plain system calls, end goroutines that are locked to a thread when their work is done.

When to leave it: Their number is level, and it is as many as the calls need that run at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import container_limit, growth, outlook, points, share_of_whole
from whyheap.causes.trend import LEAST_POINTS, Trend
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.event import Event
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Certainty
from whyheap.model.site import Site
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.stats import theil_sen
from whyheap.units import format_bytes, format_count, format_duration

CAUSE = Cause("thread-growth", "Threads pile up", __doc__)

LEAST_RISE = 20.0
"""Fewer threads than this, gained in a window, are not called growth: a burst of file reads starts as many."""
KERNEL_STACK_BYTES = 16 << 10  # arch/x86/include/asm/page_64_types.h and arch/arm64/include/asm/memory.h, THREAD_SIZE
MOST_STACK_BYTES_EACH = 48 << 10
"""The runtime's stacks of a thread: g0 16 KiB (without cgo) and gsignal 32 KiB: proc.go, os_linux.go; 1.22-1.27."""
FULL_SHARE = 0.9
LOCKED_SHARE = 0.7
"""Of the threads: so many goroutines that wait at one place in Go are locked to them."""
STACKS_SHOWN = 2
_HOLDS_THREAD = ("syscall", "locked to thread")
_CGO_STUB = "_C"  # cmd/cgo/out.go: _Cfunc_name, in _cgo_gotypes.go
_EXHAUSTED = "thread exhaustion"


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:
    """Name the cause when the number of threads grows, or the runtime gave up at its own limit of them."""
    series = points(history, "threads")
    trend = growth(series, LEAST_RISE)
    end = ending(history)
    gave_up = end.crash if end.crash is not None and end.crash.labels.get("reason") == _EXHAUSTED else None
    if trend is None and gave_up is None:
        return None
    count = _count(series, gave_up)
    each = _bytes_each(history)
    size = each * count
    for verdict in taken:
        if verdict.cause == "goroutine-leak":  # the goroutines that hold the threads: theirs and the threads' own
            size = max(size, verdict.bytes + KERNEL_STACK_BYTES * count)
    holders = _holders(history, count)
    return CauseVerdict(
        CAUSE.slug,
        Certainty.MEASURED if trend is not None else Certainty.STATED,
        int(size),
        share_of_whole(history, size),
        _summary(history, count, trend, gave_up, holders, each=each, killed=end.is_oom),
        tuple(_evidence(history, count, each, trend, gave_up, holders)),
        tuple(_advice(history, holders)),
    )


def _count(series: Sequence[tuple[float, float]], gave_up: Event | None) -> float:
    said = "" if gave_up is None else gave_up.labels.get("limit", "") or gave_up.labels.get("threads", "")
    told = float(said) if said.isdecimal() and len(said) < 12 else 0.0  # noqa: PLR2004  no more than 10,000 as a rule
    return max(told, series[-1][1] if series else 0.0)


def _bytes_each(history: RuntimeHistory) -> float:
    """Return by how much what is charged rises with each thread, at least its kernel stack."""
    for name in ("container_charge", "container_usage", "rss"):
        threads, sizes = dict(points(history, "threads")), dict(points(history, name))
        pairs = [(threads[seconds], size) for seconds, size in sizes.items() if seconds in threads]
        if len({count for count, _ in pairs}) >= LEAST_POINTS:
            slope = theil_sen([count for count, _ in pairs], [size for _, size in pairs]).value
            beside_kernel = KERNEL_STACK_BYTES if name == "rss" else 0
            return max(slope + beside_kernel, float(KERNEL_STACK_BYTES))
    return float(KERNEL_STACK_BYTES)


def _holders(history: RuntimeHistory, count: float) -> list[tuple[GoroutineGroup, Site]]:
    """Return the goroutines that hold a thread while they wait, with the user's line, the largest groups first."""
    with_stacks = [sample.goroutines for sample in history.samples if sample.goroutines]
    groups = with_stacks[-1] if with_stacks else ()
    held: list[tuple[GoroutineGroup, Site]] = []
    for group in sorted(groups, key=lambda group: -group.count):
        located = [history.locate(site) for site in group.stack]
        own = next((site for site, is_own in located if is_own and not site.function.startswith(_CGO_STUB)), None)
        blocks = any(word in group.state for word in _HOLDS_THREAD) or _calls_out(group)
        blocks = blocks or group.count >= LOCKED_SHARE * count  # a profile does not say which are locked
        if own is not None and group.count >= LEAST_RISE and blocks:
            held.append((group, own))
    return held[:STACKS_SHOWN]


def _calls_out(group: GoroutineGroup) -> bool:
    """Whether the innermost frames are in a system call or in C, where a state was not told (profiles tell none)."""
    symbols = [site.symbol for site in group.stack[:4]]
    return any(symbol.startswith(("runtime.cgocall", "syscall.", "internal/runtime/syscall")) for symbol in symbols)


def _waits_in_go(group: GoroutineGroup) -> bool:
    return not _calls_out(group) and not any(word in group.state for word in _HOLDS_THREAD)


def _summary(
    history: RuntimeHistory,
    count: float,
    trend: Trend | None,
    gave_up: Event | None,
    holders: Sequence[tuple[GoroutineGroup, Site]],
    *,
    each: float,
    killed: bool,
) -> str:
    text = f"the process has {format_count(count)} threads"
    if holders:
        text = f"{text}, {format_count(min(holders[0][0].count, count))} of them held at {holders[0][1].position}"
    if trend is not None:
        text = f"{text}, {trend.slope.value:.0f} more a second, about {format_bytes(each)} each"
    if gave_up is not None:
        return f"{text}: the runtime ended the program at its limit of threads"
    return text if trend is None else f"{text}{outlook(history, trend.slope.value * each, killed=killed)}"


def _evidence(
    history: RuntimeHistory,
    count: float,
    each: float,
    trend: Trend | None,
    gave_up: Event | None,
    holders: Sequence[tuple[GoroutineGroup, Site]],
) -> list[Statement]:
    last, statements = history.last, []
    if gave_up is not None:
        statements.append(Statement(gave_up.text, Certainty.STATED))
    if trend is not None:
        text = (
            f"{format_count(count)} threads, {format_count(trend.rise)} more in {format_duration(trend.seconds)}; "
            f"GOMAXPROCS is {last['gomaxprocs']:.0f}"
            if "gomaxprocs" in last
            else f"{format_count(count)} threads, {format_count(trend.rise)} more in {format_duration(trend.seconds)}"
        )
        statements.append(Statement(text, Certainty.MEASURED))
    for group, site in holders:
        state = f" ({group.state})" if group.state else ""
        text = f"{format_count(group.count)} goroutines wait at {site.position} in {site.function}{state}"
        if _waits_in_go(group):
            text = f"{text}, as many as threads: they are locked to them (runtime.LockOSThread)"
            statements.append(Statement(text, Certainty.INFERRED, site))
        else:
            statements.append(Statement(f"{text} and hold a thread each", Certainty.MEASURED, site))
    text = f"each thread came with about {format_bytes(each)}: its kernel stack, its stacks in Go or C, page tables"
    statements.append(Statement(text, Certainty.INFERRED))
    parts = (("the kernel's own memory", "container_kernel"), ("C stacks of threads", "smaps_thread_stacks"))
    told = [f"{title}: {format_bytes(last[name])}" for title, name in parts if last.get(name)]
    if told:
        statements.append(Statement("; ".join(told), Certainty.MEASURED))
    pids, most = last.get("container_pids"), last.get("container_pids_limit")
    if pids is not None and most:
        near = ": no more can be started soon" if pids >= FULL_SHARE * most else ""
        text = f"the group's pids limit is {format_count(most)}, {format_count(pids)} of it are used{near}"
        statements.append(Statement(text, Certainty.MEASURED))
    return [*statements, limit_statement(history)]


def _advice(history: RuntimeHistory, holders: Sequence[tuple[GoroutineGroup, Site]]) -> list[str]:
    advice = []
    for group, site in holders:
        if "locked to thread" in group.state or _waits_in_go(group):
            advice.append(f"{site.position}: let this goroutine end when its work is done; its thread ends with it")
        elif any("cgocall" in frame.symbol for frame in group.stack[:4]):
            advice.append(f"{site.position}: limit how many of these C calls run at once, and give them a timeout")
        else:
            advice.append(f"{site.position}: limit how many of these system calls run at once, or read through os.File")
    if not advice:
        advice.append("find the calls that block a thread: a goroutine profile shows them in syscall or in cgocall")
    if container_limit(history) is not None:
        advice.append("a lower thread limit (debug.SetMaxThreads) shows the place in a crash, it does not mend it")
    return advice
