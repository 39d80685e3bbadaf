"""MemStats.PauseEnd: when the last 256 collections ended, one after the other in a circle."""

from __future__ import annotations

from collections.abc import Sequence

_BEFORE_LAST = 2


def previous_gc_nanos(ends: Sequence[float | None], num_gc: float) -> float:
    """Return when the collection before the last one ended, in nanoseconds since 1970; 0 for none.

    Number n, counted from 1, stands at (n + 255) % 256: src/runtime/mstats.go, MemStats.PauseEnd and PauseNs.
    """
    if num_gc < _BEFORE_LAST or not ends:
        return 0.0
    return ends[int(num_gc - _BEFORE_LAST) % len(ends)] or 0.0
