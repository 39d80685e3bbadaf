"""A believable recording: a process that grew for half an hour, hit its limit and was killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from whyheap.model.account import AccountPart, MemoryAccount
from whyheap.model.event import Event, EventKind
from whyheap.model.finding import Certainty
from whyheap.model.gauge import Gauge
from whyheap.model.gauge_units import UNITS

MIB = 1 << 20
BEGUN = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
MOMENTS = 120


def moment(index: int) -> str:
    """Return the time of a sample."""
    return (BEGUN + timedelta(seconds=15 * index)).isoformat().replace("+00:00", "Z")


def account(index: int) -> MemoryAccount:
    """Return where memory was at a sample."""
    live = (60 + 3 * index) * MIB
    garbage = (20 + index * 2 * (index % 5) // 4) * MIB
    sizes = (
        ("page-cache", "page cache of files", 40 * MIB, Certainty.MEASURED),
        ("kernel", "kernel: slab, page tables", 6 * MIB, Certainty.MEASURED),
        ("code", "program and libraries", 14 * MIB, Certainty.MEASURED),
        ("runtime-metadata", "runtime metadata", 9 * MIB, Certainty.INFERRED),
        ("goroutine-stacks", "goroutine stacks", (2 + index // 20) * MIB, Certainty.MEASURED),
        ("free-spans", "free spans not returned", (30 - index % 7) * MIB, Certainty.INFERRED),
        ("garbage", "garbage not yet collected", garbage, Certainty.INFERRED),
        ("live-heap", "live heap", live, Certainty.MEASURED),
    )
    parts = tuple(AccountPart(*size) for size in sizes)
    rss = sum(part.bytes for part in parts[2:]) + 5 * MIB
    return MemoryAccount(moment(index), rss, rss - 5 * MIB, parts, rss + 46 * MIB, 5 * MIB, 12 * MIB)


def gauges() -> tuple[Gauge, ...]:
    """Return the numbers of all samples."""
    told = []
    for index in range(MOMENTS):
        one = account(index)
        values = {
            "seconds": 15.0 * index,
            "container_limit": 768.0 * MIB,
            "container_charge": float(one.charge_bytes or 0),
            "rss": float(one.rss_bytes),
            "heap_alloc": float(one.parts[-1].bytes + one.parts[-2].bytes),
            "heap_goal": 2.0 * one.parts[-1].bytes,
            "goroutines": 120.0 + index % 9,
            "threads": 14.0,
            "gc_cpu": 0.02 + index / 3000,
            "psi_some_avg10": 0.0 if index < 100 else (index - 100) / 25,
        }
        told += [Gauge(name, value, UNITS[name], moment(index)) for name, value in values.items()]
    return tuple(told)


EVENTS = (
    Event(EventKind.PRESSURE, moment(104), "The group hit its limit 12 times.", "container"),
    Event(
        EventKind.OOM_KILL,
        moment(MOMENTS - 1),
        "The kernel killed oomshop (pid 4242) as /shop reached its limit.",
        "kernel",
        {"pid": "4242", "task": "oomshop"},
    ),
    Event(EventKind.EXIT, moment(MOMENTS - 1), "The process ended by signal 9.", "process", {"signal": "9"}),
)
TIMELINE = tuple(account(index) for index in range(MOMENTS))
