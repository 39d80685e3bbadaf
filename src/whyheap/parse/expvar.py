"""`/debug/vars`: expvar's JSON object, of which only `memstats` (runtime.MemStats, src/expvar/expvar.go) is read.

The object also holds the command line and whatever the program publishes: none of that is kept.
"""

from __future__ import annotations

import json

from whyheap.errors import FormatError
from whyheap.parse.finite import finite_number
from whyheap.parse.pause_ends import earlier_gcs


def parse_expvar(text: str | bytes) -> dict[str, float]:
    """Return MemStats' finite numbers by their Go names (`HeapAlloc`, `NextGC`); lists and tables are left out.

    Two names are of our own making: `earlier_gcs`.

    Raises:
        FormatError: the text is no JSON object, or has no memstats.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError("it is not the JSON of expvar") from error
    memstats = document.get("memstats") if isinstance(document, dict) else None
    if not isinstance(memstats, dict):
        raise FormatError("it has no memstats, which expvar always has")
    numbers = {
        name: number
        for name, value in memstats.items()
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and (number := finite_number(value)) is not None
    }
    ends = memstats.get("PauseEnd")
    if isinstance(ends, list) and all(isinstance(end, int) for end in ends):
        numbers |= earlier_gcs([finite_number(end) for end in ends], numbers.get("NumGC", 0.0))
    return numbers
