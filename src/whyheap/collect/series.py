"""A witness read over a window: how often, how long, and what is kept when it falls silent."""

from __future__ import annotations

import threading
from collections.abc import Callable

from whyheap.collect.runtime_sample import RuntimeSample, RuntimeSeries
from whyheap.collect.witness import LiveWitness
from whyheap.errors import TargetError
from whyheap.model.event import Event
from whyheap.model.gauge import Gap

WITNESS = "runtime"
LEAST_SAMPLES = 5
LEAST_STACKS = 6
SHORTEST_INTERVAL_SECONDS = 1.0
MOST_SAMPLES = 120
COST_SHARE = 0.02
"""Of the target's time, that numbers may take, and stacks as much again."""
CHEAP_SHARE = 0.005
"""Of the time, that stacks may take which nobody asked for: they are read as they are cheap."""


def observe(
    witness: LiveWitness,
    seconds: float,
    interval_seconds: float | None = None,
    *,
    stop: threading.Event | None = None,
    on_sample: Callable[[RuntimeSample], None] | None = None,
) -> RuntimeSeries:
    """Sample over `seconds`; 0 reads one moment. Setting `stop` ends it early and keeps what was gathered.

    Without `interval_seconds` there are at least LEAST_SAMPLES samples and at most one a second, fewer when a sample is
    slow. A target that stops answering ends the series with a Gap. Raises TargetError when it never answers.
    """
    stop = stop or threading.Event()
    samples = [witness.sample()]
    events: list[Event] = []
    stacks_seconds = 0.0
    while True:
        gaps = witness.gaps
        events.extend(witness.events())
        if on_sample is not None:
            on_sample(samples[-1])
        if samples[-1].goroutines:
            stacks_seconds = samples[-1].seconds
        rest = seconds - samples[-1].seconds
        interval = interval_seconds or _interval(seconds, witness.cost_seconds)
        if rest < min(interval, SHORTEST_INTERVAL_SECONDS) / 2 or stop.wait(min(interval, rest)):
            break
        try:
            due = samples[-1].seconds + interval - stacks_seconds >= seconds / LEAST_STACKS
            samples.append(witness.sample(stacks=due or rest <= interval))
        except TargetError as error:
            reason = f"the target stopped answering after {samples[-1].seconds:.0f} s: {error.message}"
            gaps = (*gaps, Gap(WITNESS, reason, "Record it until it dies:  whyheap record TARGET -o FILE.whyheap"))
            events.extend(witness.events())
            break
    return RuntimeSeries(tuple(samples), gaps, witness.pid, witness.limit_name, tuple(events))


def _interval(window_seconds: float, cost_seconds: float) -> float:
    """Return the pause before the next sample."""
    wanted = max(SHORTEST_INTERVAL_SECONDS, window_seconds / MOST_SAMPLES, cost_seconds / COST_SHARE)
    return min(wanted, window_seconds / (LEAST_SAMPLES - 1)) if window_seconds else wanted
