"""MemStats.PauseEnd: when the last 256 collections ended, one after the other in a circle."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = ("PreviousGC", "EarlierGC")


def earlier_gcs(ends: Sequence[float | None], num_gc: float) -> dict[str, float]:
    """Return when the two collections before the last one ended, in nanoseconds since 1970; those that were.

    The names are ours, spelled as MemStats' own. Number n, counted from 1, stands at (n + 255) % 256:
    src/runtime/mstats.go, MemStats.PauseEnd and PauseNs.
    """
    numbers = {name: int(num_gc) - 1 - back for back, name in enumerate(_NAMES, start=1)}
    found = {name: ends[number % len(ends)] for name, number in numbers.items() if number >= 0 and ends}
    return {name: end for name, end in found.items() if end}
