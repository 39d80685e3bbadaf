"""A target that exists in memory only: what recorders are tested on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.errors import TargetError
from whyheap.model.event import Event, EventKind
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap
from whyheap.model.site import Site

MIB = 1 << 20
WAITS = GoroutineGroup(40, "chan send", (Site("jobs.go", 33, 0, "send", "example.com/shop"),))


class FakeClock:
    """Time that passes when somebody waits, and a time of day that can be set."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.set_by = 0.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1.7e9 + self.now + self.set_by

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def is_set(self) -> bool:
        return False


class FakeWitness:
    """Ends after `life` samples; each is worth about `bulk` bytes of profile."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        life: float = float("inf"),
        pid: int = 7,
        usage: Callable[[float], float] = lambda _: 100.0 * MIB,
        bulk: int = 2000,
        cost: float = 0.0,
    ) -> None:
        self._clock, self._life, self._usage, self._bulk = clock, life, usage, bulk
        self.pid = pid
        self.limit_name = "cgroup v1 /shop"
        self.gaps: tuple[Gap, ...] = ()
        self.cost_seconds = cost
        self.samples = 0
        self._begun = clock()
        self._told = False

    def sample(self, *, stacks: bool = True) -> RuntimeSample:
        if self._clock() - self._begun >= self._life:
            raise TargetError(f"process {self.pid} has ended", "")
        self.samples += 1
        at = datetime.fromtimestamp(1.7e9 + self._clock(), UTC).isoformat(timespec="milliseconds")
        values = {
            "container_usage": self._usage(self._clock()),
            "container_limit": 1024.0 * MIB,
            "heap_alloc": 50.0 * MIB,
            "process_started": 1.7e9 + self.pid,
        }
        groups = (WAITS,) if stacks else ()
        return RuntimeSample(at.replace("+00:00", "Z"), self._clock() - self._begun, values, groups)

    def profile(self) -> bytes | None:
        return bytes(range(256)) * (self._bulk // 256)

    def events(self) -> tuple[Event, ...]:
        if self._clock() - self._begun < self._life or self._told:
            return ()
        self._told = True
        return (Event(EventKind.EXIT, "2026-01-01T00:00:00Z", "The process has ended.", "process", {"pid": "7"}),)
