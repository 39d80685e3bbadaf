"""Why a value is on the heap, as the compiler decided it: storage, the steps away from it, what outlives the frame.

The questions are those that cmd/compile/internal/escape asks: is storage made or an address taken (escape.go,
`newLoc`), is it too large or of unknown size for the stack (utils.go, `HeapAllocReason`), and does its address reach a
place that outlives the frame (solve.go, `outlives`). Terminal, page and JSON draw the same path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Final

from whyheap.model.facts import FactKind
from whyheap.model.root import Hold
from whyheap.model.site import Position
from whyheap.report.plain_words import HEAP, VARIADIC, Sentence, chain, conclusion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from whyheap.model.facts import CompilerFact
    from whyheap.model.finding import Finding
    from whyheap.model.root import PathStep as Held

MOST_FACTS: Final = 3
"""Facts of one finding beyond these read the same: instantiations of a generic."""

MOST_STEPS: Final = 16


class Stage(StrEnum):
    """Which question a step answers."""

    INLINED = "inlined"  # the code stands elsewhere
    STORAGE = "storage"  # what is made, or whose address is taken
    SIZE = "size"  # it does not fit a frame: no further question
    FLOW = "flow"  # where the address goes
    CALLEE = "callee"  # what the called function does with it
    OUTLIVES = "outlives"  # it reaches what lives longer than the frame
    HEAP = "heap"  # what follows


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step. `reason` is the compiler's word for it, empty where we conclude; `at` is None for a conclusion."""

    stage: Stage
    text: str
    at: Position | None = None
    reason: str = ""


Beyond = Callable[["CompilerFact"], "Sequence[Held]"]
"""Gives the way of a fact across functions, as escape_graph.path_to_root tells it; empty where it is not known."""

_ENTERS: Final = frozenset({Hold.PASSED, Hold.HELD})
_STARTED: Final = "it is started by go, or deferred in a loop: it may run when this frame is gone"
_SIZES: Final = ("too ", "non-constant")
_CALLED: Final = re.compile(r"((?:\([^()]{1,200}\)\.)?[^\s()\"'`{}]{1,200})\(")


def decision_paths(finding: Finding, beyond: Beyond | None = None) -> tuple[tuple[PathStep, ...], ...]:
    """Return one path a fact; facts that read the same give one."""
    kept: dict[object, CompilerFact] = {}
    for fact in finding.facts:
        steps = tuple((step.reason, step.file, step.line, step.column) for flow in fact.flow for step in flow.steps)
        kept.setdefault((fact.message, steps), fact)
    return tuple(decision_path(fact, finding.pattern, beyond) for fact in list(kept.values())[:MOST_FACTS])


def decision_path(fact: CompilerFact, pattern: str = "", beyond: Beyond | None = None) -> tuple[PathStep, ...]:
    """Return the path of one fact. `pattern` is the slug that its finding gave it."""
    return tuple(_path(fact, pattern, beyond))


def _path(fact: CompilerFact, pattern: str, beyond: Beyond | None) -> Iterator[PathStep]:
    if fact.inlined_at:
        yield PathStep(Stage.INLINED, "this code is inlined here: it stands elsewhere", fact.site, "inlining")
    sentences = chain(fact, pattern)
    if fact.kind is not FactKind.HEAP or not fact.flow:
        yield from (PathStep(Stage.FLOW, one.text, one.at, one.reason) for one in sentences)
    else:
        yield from _clipped(_joined([*_flow(fact, sentences)], beyond(fact) if beyond is not None else ()))
    follows = conclusion(fact, pattern)
    if follows:
        yield PathStep(Stage.HEAP, follows)


def _flow(fact: CompilerFact, sentences: Sequence[Sentence]) -> Iterator[PathStep]:
    last = len(sentences) - 1
    if fact.subject == VARIADIC and fact.flow[0].steps:
        made = fact.flow[0].steps[0]
        text = f"the arguments of {_taker(fact, 0)} go into a slice, which is made here"
        yield PathStep(Stage.STORAGE, text, Position(made.file, made.line, made.column), made.reason)
    for index, one in enumerate(sentences):
        stage = _stage(one, is_first=index == 0 and fact.subject != VARIADIC, is_last=index == last)
        text = one.text
        if index == 0 and stage is Stage.STORAGE and fact.flow[0].to == f"{{storage for {VARIADIC}}}":
            text = f"{_taker(fact)} takes ...any, so {text}"
        yield PathStep(stage, text, one.at, one.reason)
    if last == 0 and sentences[0].reason == "spill" and fact.flow[-1].to == HEAP:
        yield PathStep(Stage.OUTLIVES, _STARTED, sentences[0].at)


def _joined(own: list[PathStep], way: Sequence[Held]) -> list[PathStep]:
    """Add what callees and holders do: that the value enters them, and their own flows in plain words."""
    steps = own
    last_line = own[-1].at.line if own and own[-1].at is not None else 0
    groups = [list(group) for _, group in groupby(way, key=lambda step: (step.hold in _ENTERS, id(step.fact)))]
    for number, group in enumerate(groups):
        lead = group[0]
        if lead.hold in _ENTERS:
            if lead.hold is Hold.HELD and lead.at.line == last_line:
                break  # what holds it is explained beside it
            if steps and steps[-1].reason == "call parameter" and lead.hold is Hold.PASSED:
                steps = steps[:-1]  # "f keeps it" is said again, with the parameter
            text = lead.text.replace(VARIADIC, "the argument slice")
            steps = [*steps, PathStep(Stage.CALLEE, text, lead.at, lead.reason)]
        elif number:
            steps = [*steps, *_within(group)]
        end = group[-1]
        if end.hold is Hold.ROOT and end.reason == "call parameter" and steps and " keeps it" in steps[-1].text:
            steps = [*steps[:-1], replace(steps[-1], text=_kept(end), stage=Stage.OUTLIVES)]
    return steps


def _within(group: Sequence[Held]) -> Iterator[PathStep]:
    """Say the steps of one fact that lie on the way."""
    fact = group[0].fact
    there = {(step.expr, step.reason, step.at) for step in group}
    flows = [
        replace(
            flow,
            steps=tuple(
                step
                for step in flow.steps
                if (step.expr, step.reason, Position(step.file, step.line, step.column)) in there
            ),
        )
        for flow in fact.flow
    ]
    trimmed = replace(fact, flow=tuple(flow for flow in flows if flow.steps))
    if trimmed.flow:
        told = (one for one in chain(trimmed) if one.reason)
        yield from (PathStep(Stage.FLOW, one.text, one.at, one.reason) for one in told)


def _kept(end: Held) -> str:
    """Say why a call is taken to keep its argument."""
    return end.text if " keeps it" in end.text else f"{_callee(end.expr)} may keep it: {end.text}"


def _callee(expr: str) -> str:
    found = _CALLED.match(expr)
    return found[1] if found else "the call"


def _stage(one: Sentence, *, is_first: bool, is_last: bool) -> Stage:
    if one.reason.startswith(_SIZES):
        return Stage.SIZE
    if is_first:
        return Stage.STORAGE
    return Stage.OUTLIVES if is_last and one.to else Stage.FLOW


def _taker(fact: CompilerFact, number: int = 1) -> str:
    """Name the call that a variadic argument goes to, where the flow of that number tells."""
    for flow in fact.flow[number : number + 1]:
        for step in flow.steps:
            if step.reason == "call parameter":
                return _callee(step.expr)
    return "the call"


def _clipped(steps: list[PathStep]) -> list[PathStep]:
    """Leave out the middle of a path that nobody would read whole."""
    if len(steps) <= MOST_STEPS:
        return steps
    middle = len(steps) - MOST_STEPS + 1
    head = steps[: MOST_STEPS // 2]
    note = PathStep(Stage.FLOW, f"... {middle} more steps", None)
    return [*head, note, *steps[len(head) + middle :]]
