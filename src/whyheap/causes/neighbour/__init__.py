"""Neighbour: another process of the group, or another group under the same parent, took the memory.

What it is: A limit belongs to a group, not to a process. Sidecars, children and shells in the container count against
it, and a limit of a parent group (the pod, a slice) counts all groups below it. When it is reached the kernel kills the
largest, which need not be the one that grew.

How to tell: The other processes of the group hold much of the limit and grow, or are what the kernel killed, while this
process is level. The kernel's log names the group whose limit fired (oom_memcg) and that of the victim (task_memcg):
if they differ, a parent's limit was reached.

What tells it apart: In all other causes it is this process's own memory that grows.

What to do: Name the neighbour and give it a limit of its own (a container for the sidecar, a group for children), or
bound it: GOMEMLIMIT for a Go program, fewer children at once. Observe the neighbour: whyheap why pid:N.

When to leave it: The neighbour is a level part of the service and the limit has room for both.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.causes.cause import Cause
from whyheap.causes.ending import Ending, ending
from whyheap.causes.history import RuntimeHistory
from whyheap.causes.series_of_gauges import (
    LEAST_BYTES,
    PRESSED_SHARE,
    container_limit,
    growth,
    outlook,
    points,
    share_of_whole,
    spell_rise,
    usage_bytes,
)
from whyheap.causes.trend import Trend
from whyheap.causes.verdict_words import limit_statement
from whyheap.model.event import Event, EventKind
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_rate

CAUSE = Cause("neighbour", "Another process took the memory", __doc__)

LARGE_SHARE = 0.5
"""Of what the group uses: level neighbours are named from here on, when the limit is near."""
LEAST_GROWN_SHARE = 0.1
OUTGROWS = 1.5
"""Times the process's own rise, that the neighbours must rise to be called what fills the group."""
KILLS_SHOWN = 3


def match(history: RuntimeHistory, taken: Sequence[CauseVerdict]) -> CauseVerdict | None:  # noqa: ARG001  judged by itself
    """Name the cause when others hold the memory, were killed for it, or a parent's limit fired."""
    end, limit = ending(history), container_limit(history)
    series = points(history, _others)
    size = max((value for _, value in series), default=0.0)
    trend, own_trend = growth(series), growth(points(history, "rss"))
    parent = _parents_limit(end)
    is_short = limit is not None and (end.is_oom or usage_bytes(history) >= PRESSED_SHARE * limit)
    least = max(LEAST_BYTES, LEAST_GROWN_SHARE * (limit or 0.0))
    outgrows = trend is not None and trend.rise > OUTGROWS * (own_trend.rise if own_trend else 0.0)
    is_level_but_large = own_trend is None and is_short and size >= LARGE_SHARE * usage_bytes(history)
    if not end.kills and parent is None and not (size >= least and (outgrows or is_level_but_large)):
        return None
    size = max(size, *(_anonymous(kill) for kill in end.kills), 0.0)
    if parent is not None and limit is not None and not end.kills and own_trend is not None and not outgrows:
        return None  # a parent's limit fired, but this process is what grew
    return CauseVerdict(
        CAUSE.slug,
        Certainty.STATED if end.kills or parent else Certainty.MEASURED,
        int(size),
        share_of_whole(history, size),
        _summary(history, end, size, trend, parent),
        tuple(_evidence(history, end, size, trend, parent)),
        tuple(_advice(history, end, size, limit, parent)),
    )


def _others(values: dict[str, float]) -> float | None:
    """Return what other processes of the group hold; where a parent's limit binds, what other groups do as well."""
    if "container_other_rss" not in values:
        return None
    elsewhere = values.get("container_charge", 0.0) - values.get("container_own_charge", float("inf"))
    return max(values["container_other_rss"], elsewhere if elsewhere > 0 else 0.0)


def _parents_limit(end: Ending) -> Event | None:
    """Return the kernel's log of a kill by the limit of a group above the victim's."""
    for event in (end.kill, *end.kills):
        if event is None or event.kind is not EventKind.OOM_KILL:
            continue
        whose, victim = event.labels.get("oom_group", ""), event.labels.get("task_group", "")
        if whose and victim and whose != victim and (whose == "/" or victim.startswith(whose.rstrip("/") + "/")):
            return event
    return None


def _anonymous(event: Event) -> float:
    sizes = (event.labels.get(name, "") for name in ("anon_rss", "shmem_rss"))
    return float(sum(int(size) for size in sizes if size.isdecimal() and len(size) < 20))  # noqa: PLR2004  64 bits


def _seen(history: RuntimeHistory) -> Event | None:
    """Return the note that names the neighbour which was seen to be large last."""
    notes = [event for event in history.events if event.kind is EventKind.NOTE and event.labels.get("neighbour")]
    return notes[-1] if notes else None


def _name(event: Event) -> str:
    task, pid = event.labels.get("task", ""), event.labels.get("pid", "")
    return f"{task or 'a process'} (pid {pid})" if pid else task or "another process"


def _summary(history: RuntimeHistory, end: Ending, size: float, trend: Trend | None, parent: Event | None) -> str:
    own = history.last.get("rss", 0.0)
    has = "had" if end.is_oom else "has"
    beside = f"; this one {has} {format_bytes(own)} and is not what fills it" if own else ""
    if end.kills:
        named = [_name(kill) for kill in end.kills if kill.labels.get("task") or kill.labels.get("pid")]
        who = named[-1] if named else "another process of the group"
        held = f", which held {format_bytes(size)}" if size else ""
        return f"the kernel killed {who}{held}{beside}"
    if parent is not None:
        whose, victim = parent.labels["oom_group"], parent.labels["task_group"]
        return f"the limit of {whose} was reached, a group above {victim}: what else runs below it took the memory"
    known = _seen(history)
    most = f", most of it {known.labels['neighbour']} (pid {known.labels.get('pid', '?')})" if known is not None else ""
    held = "held" if end.is_oom else "hold"
    others = f"other processes of the group {held} {format_bytes(size)}{most}"
    if trend is None:
        return f"{others}{beside}"
    end_words = outlook(history, trend.slope.value, killed=end.is_oom)
    grow = "grew" if end.is_oom else "grow"
    return f"{others}, and {grow} {format_rate(trend.slope.value)}{end_words}{beside}"


def _evidence(
    history: RuntimeHistory, end: Ending, size: float, trend: Trend | None, parent: Event | None
) -> list[Statement]:
    last = history.last
    statements = [Statement(kill.text, Certainty.STATED) for kill in end.kills[-KILLS_SHOWN:] if kill.text]
    if parent is not None and parent not in end.kills and parent.text:
        statements.append(Statement(parent.text, Certainty.STATED))
    if size and "container_other_rss" in last:
        count = last.get("container_processes", 0.0)
        of_how_many = f"{count - 1:.0f} other process{'es' if count > 2 else ''}" if count > 1 else "others"  # noqa: PLR2004
        text = f"{of_how_many} of the group held up to {format_bytes(size)}"
        grown = f" and grew {spell_rise(trend)}" if trend is not None else ""
        statements.append(Statement(f"{text}{grown}", Certainty.MEASURED))
    if "rss" in last:
        own = growth(points(history, "rss"))
        level = f"grew {spell_rise(own)}" if own is not None else "does not grow"
        text = f"this process has {format_bytes(last['rss'])} resident and {level}"
        statements.append(Statement(text, Certainty.MEASURED))
    return [*statements, limit_statement(history)]


def _advice(history: RuntimeHistory, end: Ending, size: float, limit: float | None, parent: Event | None) -> list[str]:
    named = [kill.labels["task"] for kill in end.kills if kill.labels.get("task")]
    known = _seen(history)
    who = named[-1] if named else known.labels["neighbour"] if known is not None else "the neighbour"
    advice = [f"look at {who} instead: it is what needs a bound, or a limit of its own; if it is a Go program,  "]
    advice = [f"{advice[0]}whyheap why pid:N  tells why it grows"]
    if parent is not None:
        advice.append(f"find what else runs below {parent.labels['oom_group']}, or raise that group's limit")
    elif limit is not None and size:
        advice.append(
            f"if both are needed as they are, the group's limit must hold them together: {format_bytes(limit)} do not"
        )
    return advice
