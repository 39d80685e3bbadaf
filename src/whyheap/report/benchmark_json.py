"""Two builds compared by their benchmarks, as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whyheap.model.benchmark import BenchmarkSample, Comparison


def comparison_json(one: Comparison) -> dict[str, Any]:
    """Return one comparison; ends of intervals that too few rounds leave open are null."""
    return {
        "package": one.package,
        "benchmark": one.benchmark,
        "unit": one.unit,
        "change": one.change.value,
        "before": _sample(one.before),
        "after": _sample(one.after),
        "p": one.p,
        "ratio": one.ratio,
    }


def _sample(sample: BenchmarkSample | None) -> dict[str, Any] | None:
    if sample is None:
        return None
    low, high = (end if math.isfinite(end) else None for end in (sample.low, sample.high))
    return {"values": list(sample.values), "median": sample.median, "low": low, "high": high}
