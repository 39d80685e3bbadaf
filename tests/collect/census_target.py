"""The program of census_program/, built once per way of building and run; what it says of itself under our names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import toolchains

SOURCE = Path(__file__).with_name("census_program")
_MEMSTATS = {
    "HeapAlloc": "heap_alloc",
    "HeapObjects": "heap_objects",
    "HeapInuse": "heap_inuse",
    "HeapIdle": "heap_idle",
    "HeapReleased": "heap_released",
    "HeapSys": "heap_sys",
    "StackInuse": "stack_inuse",
    "StackSys": "stack_sys",
    "Sys": "sys",
    "NextGC": "heap_goal",
    "NumGC": "num_gc",
    "NumForcedGC": "num_forced_gc",
    "TotalAlloc": "total_alloc",
    "GCCPUFraction": "gc_cpu",
}
_METRICS = {
    "/gc/heap/live:bytes": "heap_marked",
    "/gc/scan/globals:bytes": "globals_scan",
    "/gc/scan/stack:bytes": "stack_scan",
    "/gc/limiter/last-enabled:gc-cycle": "gc_limiter_cycle",
    "/gc/gogc:percent": "gogc",
    "/sched/gomaxprocs:threads": "gomaxprocs",
    "/gc/finalizers/queued:objects": "finalizers_queued",
    "/gc/finalizers/executed:objects": "finalizers_executed",
    "/cpu/classes/gc/total:cpu-seconds": "gc_cpu_seconds",
}
_METADATA = ("MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys")


def build(folder: Path, version: str, *flags: str, **environment: str) -> Path:
    """Build it with one Go; `environment` are changes to go's."""
    program = folder / "program"
    command = [str(toolchains.go(version)), "build", "-o", str(program), *flags, "."]
    env = toolchains.environment(version, GOFLAGS="", GOWORK="off", **environment)
    subprocess.run(command, cwd=SOURCE, env=env, check=True, capture_output=True)
    return program


class Target:
    """A running program that holds still between two lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def wait(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def told(self) -> dict[str, float]:
        """Return what it read of itself before it last said "ready"; it then reads itself anew."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.wait()
        stats = said["MemStats"]
        values = {ours: stats[theirs] for theirs, ours in _MEMSTATS.items()}
        values |= {ours: said[theirs] for theirs, ours in _METRICS.items() if said[theirs] is not None}
        values["runtime_metadata"] = sum(stats[name] for name in _METADATA)
        values["last_gc"] = stats["LastGC"] / 1e9
        for back, name in ((2, "previous_gc"), (3, "earlier_gc")):
            if stats["NumGC"] >= back:
                values[name] = stats["PauseEnd"][(stats["NumGC"] - back) % 256] / 1e9
        values["goroutines"] = said["NumGoroutine"]
        return {name: float(value) for name, value in values.items()}


@contextmanager
def running(program: Path, *arguments: str, user: int | None = None) -> Iterator[Target]:
    """Run it until the block is left."""
    command = [str(program), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=user) as process:
        try:
            target = Target(process)
            target.wait()
            yield target
        finally:
            process.kill()
