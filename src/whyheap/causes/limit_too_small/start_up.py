"""Killed while it loaded: growth that may be a fixed working set on its way in, rather than a leak.

From outside the two look alike, so this is inferred and stands behind live-heap-growth. What speaks for a load: the
process was young, nearly all that it had allocated since its start was still live, and its main goroutine was all the
while within one function that main.main had called.
"""

from __future__ import annotations

from datetime import datetime

from whyheap.causes.history import Limit, RuntimeHistory
from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.finding import Certainty
from whyheap.model.verdict import CauseVerdict, Statement
from whyheap.units import format_bytes, format_duration, format_share

SLUG = "limit-too-small"
LONGEST_START_SECONDS = 120.0
LATEST_FIRST_SAMPLE_SECONDS = 10.0
LEAST_KEPT_SHARE = 0.9
LEAST_SAMPLES = 3
_MAIN = "main.main"


def start_up_load(history: RuntimeHistory, limit: Limit) -> CauseVerdict | None:
    """Say that the limit may be too small for what was being loaded when the process was killed."""
    ages = [age for sample in (history.samples[0], history.samples[-1]) if (age := _age(sample)) is not None]
    if not history.was_killed or len(ages) < 2:  # noqa: PLR2004 - the first and the last
        return None
    if ages[0] > LATEST_FIRST_SAMPLE_SECONDS or ages[1] > LONGEST_START_SECONDS:
        return None
    heap, allocated = history.last.get("heap_alloc", 0.0), history.last.get("total_alloc", 0.0)
    loader = _loader(history)
    if allocated <= 0 or heap < LEAST_KEPT_SHARE * allocated or not loader:
        return None
    size = int(min(heap, limit.bytes))
    return CauseVerdict(
        SLUG,
        Certainty.INFERRED,
        size,
        min(size / limit.bytes, 1.0),
        f"or the limit of {format_bytes(limit.bytes)} is too small for what {loader} loads at the start",
        (
            Statement(f"the process was {format_duration(ages[1])} old at the last sample", Certainty.MEASURED),
            Statement(
                f"{format_share(min(heap / allocated, 1.0))} of all that it ever allocated was still in the heap",
                Certainty.MEASURED,
            ),
            Statement(f"main was within {loader} at every sample: it had not got to serving yet", Certainty.MEASURED),
        ),
        (
            f"if what {loader} loads has a known size, raise the limit to that size and half as much again",
            f"if it has none, {loader} is where it grows",
        ),
    )


def _age(sample: RuntimeSample) -> float | None:
    started = sample.values.get("process_started")
    try:
        return None if started is None else max(datetime.fromisoformat(sample.at).timestamp() - started, 0.0)
    except ValueError:
        return None


def _loader(history: RuntimeHistory) -> str:
    """Return the function that main.main was in at every sample that read the stacks; empty when there is none."""
    found: set[str] = set()
    samples = [sample for sample in history.samples if sample.goroutines]
    for sample in samples:
        for group in sample.goroutines:
            symbols = [site.symbol for site in group.stack]
            if _MAIN in symbols:
                at = symbols.index(_MAIN)
                own = at > 0 and history.locate(group.stack[at - 1])[1]
                found.add(symbols[at - 1] if own else "")
    return found.pop() if len(found) == 1 and len(samples) >= LEAST_SAMPLES else ""
