"""Which time the difference of two heap profiles covers: that between collections, not between the two readings.

A profile shows what was allocated before its last but one collection. Read in Go 1.22.10 and 1.27.3,
src/runtime/mprof.go: what is allocated is published two collections later (mProf_Malloc writes to cycle + 2,
gcMarkTermination flushes its own cycle), by runtime.GC one sooner (mProf_PostSweep). While nothing is published yet, a
profile has all up to its moment (memProfileInternal, `clear`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.profile import HeapProfile
from whyheap.parse.rfc3339 import utc_seconds

BESIDE_SECONDS = 0.5
"""A sample is read beside a profile when it is of no more than this before it: no collection is expected between."""
ROUGHEST_SHARE = 0.1
"""Of the time covered, that may be uncertain: half of it either way, no more than what sampling leaves uncertain."""
_FIRST_PUBLISHED = 2
_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class _Collections:
    """When collections ended, by number, and the samples that tell: (moment of the sample, number, end)."""

    ends: dict[int, float]
    seen: tuple[tuple[float, int, float], ...]


def profile_window(before: HeapProfile, after: HeapProfile, samples: Sequence[RuntimeSample]) -> float | None:
    """Return the seconds that what was allocated between two profiles took; 0.0: no collection published any of it.

    None where the samples do not tell: without `previous_gc`, or when the program forces collections.
    """
    if not before.time_nanos or not after.time_nanos:
        return None
    collections = _collections(samples)
    begun = _published(before.time_nanos / _NANOSECONDS, collections)
    ended = _published(after.time_nanos / _NANOSECONDS, collections)
    if begun is None or ended is None:
        return None
    shortest, longest = max(ended[0] - begun[1], 0.0), ended[1] - begun[0]
    if longest - shortest > ROUGHEST_SHARE * longest:
        return None
    return (shortest + longest) / 2


def _collections(samples: Sequence[RuntimeSample]) -> _Collections:
    ends: dict[int, float] = {}
    seen = []
    for sample in samples:
        values = sample.values
        number, last = int(values.get("num_gc", 0.0)), values.get("last_gc")
        at = utc_seconds(sample.at)
        if values.get("num_forced_gc", 0.0):
            return _Collections({}, ())
        if "num_gc" not in values or last is None or at is None:
            continue
        seen.append((at, number, last))
        if number >= 1:
            ends[number] = last
        for back, name in ((1, "previous_gc"), (2, "earlier_gc")):
            if number > back and name in values:
                ends[number - back] = values[name]
    return _Collections(ends, tuple(seen))


def _published(moment: float, known: _Collections) -> tuple[float, float] | None:
    """Return between which moments the last allocation lies that a profile of this moment shows."""
    ended = [number for number, end in known.ends.items() if end <= moment]
    none_yet = [number for at, number, end in known.seen if number < _FIRST_PUBLISHED and at >= moment - BESIDE_SECONDS]
    if none_yet and not any(number >= _FIRST_PUBLISHED for number in ended):
        return moment, moment
    if not ended:
        return None
    least = max(ended)
    later = [number - 1 for number, end in known.ends.items() if end > moment]
    beside = [number for at, number, end in known.seen if end <= moment and at >= moment - BESIDE_SECONDS]
    most = max(min((*later, *beside)), least) if later or beside else None
    earliest = max((end for number, end in known.ends.items() if number < least), default=None)
    if most is None or earliest is None:
        return None
    latest = min((end for number, end in known.ends.items() if number >= most - 1), default=moment)
    return earliest, min(latest, moment)
