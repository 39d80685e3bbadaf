"""The way from one heap value to its root, across functions, as steps to read."""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.escape_graph.graph import EscapeGraph
from whyheap.escape_graph.hooks import Hook
from whyheap.model.facts import CompilerFact, FactKind, FlowStep
from whyheap.model.root import Hold, PathStep, RootKind
from whyheap.model.site import Position


def path_to_root(graph: EscapeGraph, fact: CompilerFact) -> tuple[PathStep, ...]:
    """Return the steps from a heap fact of the graph's scan to the edge that keeps it on the heap.

    First the steps within its function, then, for each value that holds it and each parameter that it enters, a step
    that says so followed by the steps there; the last one is the root's edge. Empty for a fact that is not known.
    """
    number = graph.number_of(fact)
    if number is None:
        return ()
    hook, _ = graph.hook_of(number)
    steps: list[PathStep] = []
    way = [*graph.way(number)]
    tail = _continued(graph, way[-1]) if hook.kind is RootKind.PARAMETER else []
    for one in [*way, *tail]:
        steps += _steps(graph, one)
    return tuple(_ended(steps, graph, (*way, *tail)[-1], hook))


def _continued(graph: EscapeGraph, number: int) -> list[int]:
    """Return what holds the parameter itself: its way goes on inside the function that lets it leak."""
    way: list[int] = []
    seen = {number}
    following = graph.link(number).next_fact
    while following >= 0 and following not in seen:
        seen.add(following)
        way.append(following)
        following = graph.link(following).next_fact
    return way


def _steps(graph: EscapeGraph, number: int) -> Iterator[PathStep]:
    """Yield the steps of one fact's flow up to where the next fact goes on, and the step that leads there."""
    fact = graph.facts[number]
    link = graph.link(number)
    for flow in fact.flow:
        for step in flow.steps:
            yield PathStep(Hold.FLOWS, _at(step, fact), step.expr, step.reason, "", fact)
            if link.next_fact >= 0 and step is link.step:
                yield _leading(graph, number)
                return
    if link.next_fact >= 0:
        yield _leading(graph, number)


def _leading(graph: EscapeGraph, number: int) -> PathStep:
    link = graph.link(number)
    following = graph.facts[link.next_fact]
    fact = graph.facts[number]
    if link.enters is not None:
        (_, function), name = link.enters
        content = "what " if following.message.startswith("leaking param content") else ""
        words = f"{function} keeps it: {content}parameter {name} {'points to ' if content else ''}leaks to the heap"
        return PathStep(Hold.PASSED, following.printed_at, function, "parameter", words, following)
    if following.kind is FactKind.PARAM_LEAK:
        return PathStep(Hold.PASSED, following.printed_at, following.subject, "parameter", following.message, following)
    words = f"{following.subject} holds it, and is on the heap itself"
    return PathStep(Hold.HELD, following.printed_at, following.subject, "holds", words, fact)


def _ended(steps: list[PathStep], graph: EscapeGraph, last: int, hook: Hook) -> Iterator[PathStep]:
    """Yield the steps, the last one marked as the edge to the heap."""
    fact = graph.facts[last]
    if steps and steps[-1].hold is Hold.FLOWS:
        end = steps.pop()
        yield from steps
        own = graph.own_hook(last)
        yield PathStep(Hold.ROOT, end.at, end.expr, end.reason, _words(own if own is not None else hook), end.fact)
        return
    yield from steps
    yield PathStep(Hold.ROOT, fact.printed_at, fact.subject, hook.kind.value, _words(hook), fact)


def _words(hook: Hook) -> str:  # noqa: PLR0911, PLR0912 - a table, one return each
    """Say what the last edge does."""
    match hook.kind:
        case RootKind.CALLEE:
            name = f"{hook.package}.{hook.function}" if hook.package else hook.function
            return f"{name} keeps it: it is not part of the scan, and the compiler says that its parameter leaks"
        case RootKind.PARAMETER:
            return f"{hook.function} lets its parameter {hook.subject} leak to the heap".replace("  ", " ")
        case RootKind.INTERFACE:
            return "which method that calls is not known when compiling, so the argument may be kept"
        case RootKind.FUNC_VALUE:
            return "which function that calls is not known when compiling, so the argument may be kept"
        case RootKind.RESULT:
            return f"{hook.function} returns it, so it outlives the call"
        case RootKind.GLOBAL:
            return f"{hook.subject} is a package-level variable, so it lives as long as the program"
        case RootKind.STORE | RootKind.MAP | RootKind.APPEND:
            return "it is stored in memory that may be on the heap"
        case RootKind.SEND:
            return "it is sent to whoever receives"
        case RootKind.PANIC:
            return "the value of a panic is on the heap"
        case RootKind.STARTED:
            return "it is started as a goroutine or deferred in a loop, and may outlive the function"
        case RootKind.OUTER:
            return f"{hook.subject} outlives the iteration of the loop"
        case RootKind.SIZE:
            return hook.subject
        case RootKind.UNTOLD:
            return "the compiler printed no way to the heap"


def _at(step: FlowStep, fact: CompilerFact) -> Position:
    return Position(step.file, step.line, step.column) if step.line else fact.printed_at
