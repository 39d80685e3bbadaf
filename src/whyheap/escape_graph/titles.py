"""What a root is called, and where its one change is made."""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.escape_graph.ending import ending_of, last_step
from whyheap.escape_graph.graph import EscapeGraph
from whyheap.escape_graph.hooks import Hook
from whyheap.model.facts import FactKind
from whyheap.model.root import RootKind
from whyheap.model.site import Position, Site
from whyheap.parse.go_signature import Signature

_NOWHERE = frozenset({RootKind.CALLEE, RootKind.PANIC})
_LONGEST = 120


class Titles:
    """Names roots, from declarations where the source is known."""

    def __init__(self, graph: EscapeGraph) -> None:
        """`graph` holds the facts and the sources."""
        self._graph = graph

    def site(self, hook: Hook, last: Sequence[int]) -> Site | None:
        """Return where the change is made: the declaration, or the first of the edges (`last` are their facts)."""
        if hook.kind in _NOWHERE:
            return None
        at = self._place(hook, last)
        return Site(at.file, at.line, at.column, hook.function, hook.package) if at is not None else None

    def _place(self, hook: Hook, last: Sequence[int]) -> Position | None:
        facts = self._graph.facts
        if hook.kind is RootKind.PARAMETER:
            leaks = [facts[one] for one in last if facts[one].kind is FactKind.PARAM_LEAK]
            if leaks:
                return leaks[0].printed_at
        if hook.kind in {RootKind.PARAMETER, RootKind.RESULT}:
            files = dict.fromkeys(facts[one].printed_at.file for one in last)
            declared = self._graph.functions.declaration((hook.package, hook.function), files)
            if declared is not None:
                return Position(declared[0], declared[1].line)
        if hook.kind is RootKind.INTERFACE:
            return self._interface_place(hook)
        edges = [step for one in last if (step := last_step(facts[one])) is not None]
        places = sorted(Position(step.file, step.line, step.column) for step in edges if step.line)
        return places[0] if places else facts[last[0]].printed_at

    def _interface_place(self, hook: Hook) -> Position | None:
        for package, file, method in self._graph.functions.methods_named(hook.subject):
            if (package, method.interface) == (hook.package, hook.function):
                return Position(file, method.line)
        return None

    def title(self, hook: Hook, last: Sequence[int]) -> str:
        """Return one line of Go, or nearly so, that says what is to be changed."""
        text = self._title(hook, last)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."

    def _title(self, hook: Hook, last: Sequence[int]) -> str:  # noqa: PLR0911, PLR0912 - a table, one return each
        subject, function = hook.subject, hook.function
        match hook.kind:
            case RootKind.PARAMETER:
                return self._parameter(hook, last)
            case RootKind.RESULT:
                return self._result(hook, last)
            case RootKind.INTERFACE:
                return self._interface(hook)
            case RootKind.CALLEE:
                return f"{hook.package}.{function}" if hook.package else function
            case RootKind.PANIC:
                return "panic(...)"
            case RootKind.FUNC_VALUE:
                return f"{subject}(...) in {function}" if function else f"{subject}(...), a func variable"
            case RootKind.GLOBAL:
                return f"{subject} = ..., a package-level variable"
            case RootKind.STORE:
                return f"{subject} in {function}" if subject.endswith("(...)") else f"{subject} = ... in {function}"
            case RootKind.MAP:
                return f"{subject}[...] = ... in {function}" if not subject.startswith("map") else f"map in {function}"
            case RootKind.SEND | RootKind.APPEND:
                return f"{subject} in {function}"
            case RootKind.STARTED:
                return f"{'go or defer statement' if subject == 'func literal' else subject} in {function}"
            case RootKind.OUTER:
                return f"{subject} outlives the loop in {function}"
            case RootKind.SIZE:
                return f"{subject} in {function}"
            case RootKind.UNTOLD:
                return (
                    f"{subject}: no reason printed, in {function}" if subject else f"no reason printed, in {function}"
                )

    def _parameter(self, hook: Hook, last: Sequence[int]) -> str:
        signature = self._signature(hook, last)
        if signature is None:
            return f"{hook.function}({hook.subject})"
        if signature.has_receiver and hook.subject == signature.parameters[0][0]:
            return f"{hook.function}, receiver {hook.subject}"
        kind = next((kind for name, kind in signature.parameters if name == hook.subject), "")
        return f"{hook.function}({hook.subject} {kind})" if kind else f"{hook.function}({hook.subject})"

    def _signature(self, hook: Hook, last: Sequence[int]) -> Signature | None:
        facts = self._graph.facts
        for one in last:
            if facts[one].kind is FactKind.PARAM_LEAK:
                at = facts[one].printed_at
                source = self._graph.functions.source(at.file)
                return source.around(at.line, at.column) if source is not None else None
        return self._graph.functions.signature((hook.package, hook.function))

    def _result(self, hook: Hook, last: Sequence[int]) -> str:
        files = dict.fromkeys(self._graph.facts[one].printed_at.file for one in last)
        declared = self._graph.functions.declaration((hook.package, hook.function), files)
        results = declared[1].results if declared is not None else ()
        number = hook.subject.removeprefix("~r")
        kind = ""
        if number.isdigit() and int(number) < len(results):
            kind = results[int(number)][1]
        elif not number.isdigit():
            kind = next((f"{name} {type_}" for name, type_ in results if name == hook.subject), hook.subject)
        return f"{hook.function} returns {kind}" if kind else f"{hook.function} returns it"

    def _interface(self, hook: Hook) -> str:
        for package, _, method in self._graph.functions.methods_named(hook.subject):
            if (package, method.interface) == (hook.package, hook.function):
                return f"type {method.interface} interface{{ {method.text} }}"
        name, _, arity = hook.subject.partition("/")
        dots = ", ".join("_" * int(arity)) if arity.isdigit() else "..."
        return f"method {name}({dots}) of unknown code"


def edge_words(graph: EscapeGraph, number: int) -> str:
    """Return the compiler's words for the last edge of a fact: `fmt.Sprintf(f, vals...) (call parameter)`."""
    step = ending_of(graph.facts[number]).step
    return f"{step.expr} ({step.reason})" if step is not None else ""
