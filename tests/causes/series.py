"""Made-up processes: samples as the runtime would give them, from a live heap over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from whyheap.causes.history import LineGrowth, RuntimeHistory
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site

MIB = 1 << 20
BLOCKED = Site("worker.go", 12, 0, "work", "example.com/shop")
CACHE = Site("cache.go", 41, 0, "(*Cache).Put", "example.com/shop")


def process(
    live: Callable[[float], float],
    *,
    seconds: int = 12,
    goroutines: Callable[[float], int] = lambda _: 4,
    gogc: float | None = 100,
    garbage_per_second: float = 200 * MIB,
    more: Mapping[str, float] | None = None,
) -> tuple[RuntimeSample, ...]:
    """Return one sample a second of a process whose live heap is `live(second)` bytes and that collects each second."""
    samples = []
    for second in range(seconds + 1):
        now = live(float(second))
        count = goroutines(float(second))
        stacks = count * 2048.0
        goal = max(now * 2 + stacks, 4 * MIB)
        heap = now + (goal - now) * ((second * 7 % 10) / 10)
        values = {
            "heap_alloc": heap,
            "heap_goal": goal,
            "heap_sys": heap,
            "heap_inuse": heap,
            "sys": heap + 8 * MIB,
            "stack_inuse": stacks,
            "total_alloc": garbage_per_second * second,
            "num_gc": 10.0 + second,
            "last_gc": 1.7e9 + second,
            "goroutines": float(count),
            **(more or {}),
        }
        if gogc is not None:
            values["gogc"] = gogc
        group = GoroutineGroup(count, "chan send", (BLOCKED,))
        samples.append(RuntimeSample(f"2026-01-01T00:00:{second:02}Z", float(second), values, (group,)))
    return tuple(samples)


def history(samples: Sequence[RuntimeSample], *growth: LineGrowth) -> RuntimeHistory:
    """Return what causes judge."""
    return RuntimeHistory(tuple(samples), growth, "cgroup v2 /shop")
