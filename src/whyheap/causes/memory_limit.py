"""Which GOMEMLIMIT suits a container: below its limit, minus what the process uses outside Go."""

from __future__ import annotations

from whyheap.causes.history import Limit, RuntimeHistory

SAFE_SHARE = 0.9
"""Of the container's limit: the rest is for what the runtime does not count and for its inaccuracy."""
_MEBIBYTE = 1 << 20


def outside_bytes(history: RuntimeHistory) -> float:
    """Return what counts against the container's limit but not against GOMEMLIMIT: cgo, mappings, tmpfs, others."""
    # GOMEMLIMIT counts what Go has mapped and not given back: mgcpacer.go, memoryLimitHeapGoal
    mapped = history.last.get("sys", 0.0) - history.last.get("heap_released", 0.0)
    return max((history.limit.usage_bytes if history.limit else 0.0) - mapped, 0.0)


def safe_memory_limit(history: RuntimeHistory, limit: Limit) -> int:
    """Return a GOMEMLIMIT in whole MiB, 0 when nothing is left for Go."""
    return max(int((SAFE_SHARE * limit.bytes - outside_bytes(history)) // _MEBIBYTE * _MEBIBYTE), 0)
