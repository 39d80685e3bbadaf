"""The last edge of a fact's flow: how the value reaches the heap, in the compiler's own words.

The reasons are those of cmd/compile/internal/escape (expr.go, call.go, assign.go, stmt.go: `k.note(n, "...")`), seen in
Go 1.22 to 1.27.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from whyheap.model.facts import CompilerFact, Flow, FlowStep
from whyheap.model.root import RootKind
from whyheap.parse.go_expression import call_parts, named, split_list

_SIZES = frozenset({"too large for stack", "too aligned for stack", "non-constant size", "zero-sized element"})
_MAPS = frozenset({"key of map put", "map literal key", "map literal value"})
_APPENDS = frozenset({"appendee slice", "appended slice...", "copied slice"})
_NAME = re.compile(r"(?:[^\W\d]\w*\.)?[^\W\d]\w*$")
_RESULT = re.compile(r"(?:[\w.]+\.)?~r(\d+)$")


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a flow ends. `kind` None: in the storage or variable `subject` of the same function.

    `step` is the edge's own, None when the compiler printed none; `carried` what flows there, without dereferences.
    For calls `callee` and `arguments` are as printed.
    """

    kind: RootKind | None
    subject: str
    step: FlowStep | None
    carried: str = ""
    callee: str = ""
    arguments: tuple[str, ...] = ()


def ending_of(fact: CompilerFact) -> Ending:  # noqa: PLR0911 - a table of words, one return each
    """Tell how the flow of a fact ends."""
    flow = fact.flow
    last = flow[-1] if flow else None
    step = last_step(fact)
    if last is None or step is None:
        return Ending(RootKind.UNTOLD, "", step)
    if flow[0].steps and flow[0].steps[0].reason in _SIZES:
        return Ending(RootKind.SIZE, flow[0].steps[0].reason, flow[0].steps[0])
    if step.reason in _SIZES:
        return Ending(RootKind.SIZE, step.reason, step)
    returned = next((one for one in flow if one.steps and one.steps[-1].reason == "return"), None)
    if returned is not None:  # what it does after that (a deferred function takes it), it does as the result
        return Ending(RootKind.RESULT, returned.to, returned.steps[-1], carried_by(returned))
    to = last.to
    if to in {"{heap}", "{temp}"}:
        return _to_heap(flow, last, step)
    if _RESULT.match(to):
        return Ending(RootKind.RESULT, to, step, carried_by(last))
    return Ending(None, named(to), step, carried_by(last))


def last_step(fact: CompilerFact) -> FlowStep | None:
    """Return the last step that the compiler printed of a fact's flow."""
    return next((one.steps[-1] for one in reversed(fact.flow) if one.steps), None)


def _to_heap(flow: tuple[Flow, ...], last: Flow, step: FlowStep) -> Ending:
    """Tell which edge leads to the heap."""
    carrier = next(one for one in reversed(flow) if one.steps)
    if step.reason in {"call parameter", "callee operand"}:
        return _call(step, carried_by(carrier))
    if not last.steps:
        if last.to == "{temp}":
            return Ending(None, named(last.from_), step, named(last.from_))
        # `{temp} <- x` and `{heap} <- {temp}` without words: the receiver of a bound method (expr.go, OMETHVALUE).
        held = next((one.from_ for one in flow if one.to == "{temp}"), last.from_)
        return Ending(None, f"{named(held)}.", step, named(held))
    return _stored(step, carried_by(carrier))


def _stored(step: FlowStep, carried: str) -> Ending:  # noqa: PLR0911 - as ending_of
    """Tell stores apart by the reason of the step."""
    reason, expr = step.reason, step.expr
    if reason in _MAPS:
        return Ending(RootKind.MAP, _index_target(expr), step, carried)
    if reason in _APPENDS:
        return Ending(RootKind.APPEND, expr, step, carried)
    if reason == "send":
        return Ending(RootKind.SEND, expr, step, carried)
    if reason == "spill":
        return Ending(RootKind.STARTED, named(expr), step, carried)
    if reason.startswith("assign") or reason in {"range", "range-deref"}:
        target = assigned(expr, carried)
        kind = RootKind.GLOBAL if _NAME.match(target) else RootKind.STORE
        return Ending(kind, target, step, carried)
    if reason == "return":
        return Ending(RootKind.RESULT, "", step, carried)
    return Ending(RootKind.STORE, expr, step, carried)


def _call(step: FlowStep, carried: str) -> Ending:
    """Tell an argument's way by its call."""
    parts = call_parts(step.expr)
    if parts is None:
        return Ending(RootKind.FUNC_VALUE, step.expr, step, carried)
    callee, arguments = parts
    if callee == "panic":
        return Ending(RootKind.PANIC, "panic", step, carried, callee, arguments)
    if callee in {"append", "copy"}:
        return Ending(RootKind.APPEND, step.expr, step, carried, callee, arguments)
    return Ending(RootKind.CALLEE, callee, step, carried, callee, arguments)


def carried_by(flow: Flow) -> str:
    """Return the expression that the last step of a flow takes: what the step before it made."""
    for before in reversed(flow.steps[:-1]):
        if before.reason != "interface-converted":
            return before.expr
    return named(flow.from_)


def assigned(expr: str, value: str) -> str:
    """Return what is assigned to in a printed assignment; of several targets the one that gets `value`."""
    left, found, right = expr.partition(" := ") if " := " in expr else expr.partition(" = ")
    if not found:
        return expr
    targets = split_list(left)
    if len(targets) == 1:
        return targets[0]
    values = split_list(right)
    bare = named(value)
    if len(targets) == len(values):
        return next((one for one, there in zip(targets, values, strict=True) if bare and bare in there), targets[0])
    return targets[0]


def _index_target(expr: str) -> str:
    """Return the map of a printed map assignment or literal: `m[k]` -> `m`."""
    return expr.rpartition("[")[0] or expr
