"""Witness: the runtime's own leak detection, asked for by `--goroutineleak` only, as it forces a collection.

`/debug/pprof/goroutineleak` marks from everything but blocked goroutines: what then waits on a channel or lock that
nothing else reaches can never go on (runtime/mgc.go and net/http/pprof, Go 1.27; Go 1.26 has it when built with
GOEXPERIMENT=goroutineleakprofile). It proves leaks, not their absence: a goroutine that waits on something reachable
may wait for ever as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from whyheap.collect.process_ends import now_text
from whyheap.collect.runtime_sample import RuntimeSeries
from whyheap.collect.witness import LiveWitness
from whyheap.errors import TargetError
from whyheap.goruntime.runtime_layout import LEAKED
from whyheap.model.event import Event, EventKind
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap
from whyheap.model.site import Stack
from whyheap.parse.goroutine_text import parse_goroutine_total, parse_goroutines

TIMEOUT_SECONDS = 60.0
"""A collection of a large heap with detection takes longer than other answers."""
PATH = "/debug/pprof/goroutineleak?debug=1"
_WITNESS = "runtime"
_NOT_LOOKED_FOR = "goroutines that can never go on were not looked for"
_NOT_ASKABLE = "Name the service's URL: a process that is read from outside is never made to do anything."
_NOT_SERVED = (
    "Go 1.27 serves it; Go 1.26 when built with GOEXPERIMENT=goroutineleakprofile. Older: piles are told by growth."
)

FindLeaked = Callable[[], tuple[GoroutineGroup, ...]]
"""Makes the target look for leaked goroutines. Raises TargetError when it cannot."""


def find_leaked(fetch: Callable[[str, float], bytes]) -> tuple[GoroutineGroup, ...]:
    """Make a service look for leaked goroutines. Raises TargetError when it does not answer, FormatError for nonsense.

    This forces one collection in the service.
    """
    text = fetch(PATH, TIMEOUT_SECONDS).decode("utf-8", "replace")
    parse_goroutine_total(text)
    return parse_goroutines(text)


def with_leaked(series: RuntimeSeries, witness: LiveWitness, find: FindLeaked | None) -> RuntimeSeries:
    """Let the target look for leaked goroutines and add a sample in which they are told; what prevents it is a Gap."""
    if find is None:
        return _with_gap(series, f"{_NOT_LOOKED_FOR}: the process is read from outside", _NOT_ASKABLE)
    try:
        leaked = find()
        sample = witness.sample(stacks=True)
    except TargetError as error:
        return _with_gap(series, f"{_NOT_LOOKED_FOR}: {error.message}", _NOT_SERVED)
    text = (
        f"The service was made to collect and to look for leaked goroutines: {sum(one.count for one in leaked)} found."
    )
    if not any(group.state.endswith(LEAKED) for group in sample.goroutines):  # a census tells by itself
        sample = replace(sample, goroutines=marked(sample.goroutines, leaked))
    event = Event(EventKind.NOTE, now_text(), text, _WITNESS)
    return replace(series, samples=(*series.samples, sample), events=(*series.events, event))


def marked(groups: Iterable[GoroutineGroup], leaked: Iterable[GoroutineGroup]) -> tuple[GoroutineGroup, ...]:
    """Return `groups` with those goroutines in a state of their own that `leaked` has, by stack; none is lost."""
    left: dict[Stack, int] = {}
    first: dict[Stack, GoroutineGroup] = {}
    for group in leaked:
        left[group.stack] = left.get(group.stack, 0) + group.count
        first.setdefault(group.stack, group)
    result: list[GoroutineGroup] = []
    for group in groups:
        count = min(left.get(group.stack, 0), group.count)
        if count:
            left[group.stack] -= count
            result.append(replace(group, count=count, state=group.state + LEAKED))
        if count < group.count:
            result.append(replace(group, count=group.count - count))
    result += [
        replace(first[stack], count=count, state=first[stack].state + LEAKED) for stack, count in left.items() if count
    ]
    return tuple(sorted(result, key=lambda group: -group.count))


def _with_gap(series: RuntimeSeries, reason: str, remedy: str) -> RuntimeSeries:
    return replace(series, gaps=(*series.gaps, Gap(_WITNESS, reason, remedy)))
