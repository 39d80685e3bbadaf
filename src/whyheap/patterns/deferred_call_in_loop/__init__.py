"""Deferred call in a loop: defer waits for the end of the function, so each turn adds a record that stays.

What it is: `defer` inside of a loop. Outside of loops a deferred call needs nothing from the heap; in a loop nobody
knows how often it runs, so each turn adds a record to a list, and the closure around the call is on the heap.

Why it costs: runtime.deferproc takes a record (from a pool first) and runtime.newobject allocates the closure that
holds receiver and arguments. All of them, and what they hold (files, locks, rows), stay until the function returns.

How to see it: `defer func() { ... }()` prints "func literal escapes to heap" with the one reason "spill". The hidden
closure of `defer file.Close()` gets an explanation but no verdict: machine code and profiles show it.

Fix: make the loop's body a function of its own, so that its defer runs at the end of each turn; or call it at the end
of the turn without defer.

When to leave it: the loop runs a few times, and the calls are meant to wait for the end of the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, mechanical
from whyheap.patterns.syntax import FUNCTIONS, GoFile

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="deferred-call-in-loop",
    title="Call deferred in a loop",
    fixes=(mechanical("make the loop's body a function of its own, so that defer runs in each turn"),),
)
_WRAPPER = "func literal escapes to heap"  # of a closure that the compiler adds: an explanation without a verdict
_KINDS = (AllocatorKind.OBJECT, AllocatorKind.DEFER)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per closure of a defer in a loop, per value that it holds, and for silent ones."""
    file = context.file(evidence)
    if file is None:
        return
    line = evidence.site.line
    deferred = bool(file.nodes("defer_statement", line)) and not file.nodes("go_statement", line)
    for escape in context.escapes(evidence):
        if deferred and escape.storage is Storage.CLOSURE and escape.route is Route.STARTED:
            yield PATTERN.heap(evidence, escape, "closure deferred in a loop")
        elif escape.route is Route.CONTAINED and _is_held(file, escape):
            yield PATTERN.heap(evidence, escape, "held by a call deferred in a loop", inferred=True)
    # The compiler calls deferproc for what may run again, be it by a goto; other deferred calls need no heap.
    again = context.silent_calls(evidence, AllocatorKind.DEFER) or _defers_in_loop(file, line)
    if deferred and again and context.is_silent(evidence, *_KINDS):
        told = [fact for fact in evidence.facts if fact.kind is FactKind.OTHER and fact.message.startswith(_WRAPPER)]
        calls = context.silent_calls(evidence, *_KINDS)
        message = "hidden closure of a call deferred in a loop" if told else "record of a call deferred in a loop"
        yield PATTERN.silent(evidence, "func literal", message, facts=tuple(told[:1]), calls=calls)


def _defers_in_loop(file: GoFile, line: int) -> bool:
    """Whether a defer statement starts on the line that stands in a loop of its own function."""
    for deferred in file.nodes("defer_statement", line):
        for parent in deferred.ancestors():
            if parent.kind() in FUNCTIONS:
                break
            if parent.kind() == "for_statement":
                return True
    return False


def _is_held(file: GoFile, escape: Escape) -> bool:
    """Whether the value is captured by the closure of a call that is deferred in a loop."""
    flow = escape.fact.flow[-1]
    if flow.to != "{storage for func literal}" or not flow.steps:
        return False
    return _defers_in_loop(file, flow.steps[-1].line)
