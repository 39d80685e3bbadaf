"""The edge at which a way to the heap ends: what it is called, so that equal edges of several values are one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whyheap.escape_graph.ending import Ending, last_step
from whyheap.escape_graph.functions import Functions
from whyheap.model.facts import CompilerFact
from whyheap.model.root import RootKind
from whyheap.parse.go_symbol import function_name

_DYNAMIC = re.compile(r"^(?:[^\W\d]\w*|\.autotmp_\d+)(?:\.[^\W\d]\w*|\[[^\]]*\]|\([^()]*\))*\.([^\W\d]\w*)$")
_TYPE_METHOD = re.compile(r"^(?:[^\W\d]\w*\.)?[A-Z]\w*(?:\[.*\])?\.[^\W\d]\w*$")
_ONE_BY_ONE = frozenset({RootKind.SIZE, RootKind.STARTED, RootKind.UNTOLD, RootKind.APPEND})
_RESULT = re.compile(r"~r(\d+)$")


@dataclass(frozen=True, slots=True)
class Hook:
    """What a root is made of; equal hooks are one root. `package` and `function` are where the edge stands.

    `at` (file, line, column) tells edges apart that nothing else does; its order numbers them.
    """

    kind: RootKind
    package: str
    function: str
    subject: str
    at: tuple[str, int, int] = ("", 0, 0)


class Hooks:
    """Names edges, from the compiler's words and from what the source writes there."""

    def __init__(self, functions: Functions) -> None:
        """`functions` are those of the scan, with their sources."""
        self.functions = functions

    def of(self, fact: CompilerFact, ending: Ending) -> Hook:
        """Make the end of a way that stays in its function."""
        function = function_name(fact.function)
        kind, subject = ending.kind or RootKind.UNTOLD, ending.subject
        if kind is RootKind.GLOBAL:
            head, _, rest = subject.partition(".")
            if (
                not rest
                or self.functions.is_package(head, fact.printed_at.file)
                or self.functions.is_variable(head, fact.package)
            ):
                return Hook(kind, fact.package, "", subject)
            kind = RootKind.STORE
        if kind is RootKind.STORE and (written := self._inlined_call(fact)):
            return Hook(kind, fact.package, function, f"{written}(...)")
        if kind is RootKind.RESULT:
            number = _RESULT.search(subject)
            return Hook(kind, fact.package, function, number[0] if number else subject)
        if kind is RootKind.PANIC:
            return Hook(kind, "", "", "panic")
        if kind in _ONE_BY_ONE:
            at = ending.step or fact.printed_at
            return Hook(kind, fact.package, function, subject, (at.file, at.line, at.column))
        return Hook(kind, fact.package, function, subject)

    def callee(self, fact: CompilerFact, ending: Ending) -> Hook:
        """Name a callee that the scan does not know: a symbol, a method behind an interface, or a func value."""
        callee = ending.callee
        file, written = self._written(fact)
        head, _, member = callee.partition(".")
        outer = written.partition(".")[0]
        if written != callee and self.functions.is_package(outer, file) and (outer == head or self._is_foreign(fact)):
            return Hook(RootKind.CALLEE, "", self.functions.symbol(written, file), "")  # its inlined body calls
        if callee.startswith(("(*", "(")) or _TYPE_METHOD.match(callee):
            return Hook(RootKind.CALLEE, "", self.functions.symbol(callee, file), "")
        if member and "." not in member and self.functions.is_package(head, file):
            return Hook(RootKind.CALLEE, "", self.functions.symbol(callee, file), "")
        if written != callee and self.functions.is_package(outer, file):
            return Hook(RootKind.CALLEE, "", self.functions.symbol(written, file), "")
        dynamic = _DYNAMIC.match(callee)
        if dynamic is not None:
            return self._behind_interface(fact, ending, dynamic[1])
        here = "" if self.functions.is_variable(callee, fact.package) else function_name(fact.function)
        return Hook(RootKind.FUNC_VALUE, fact.package, here, callee)

    def _inlined_call(self, fact: CompilerFact) -> str:
        """Return the call as written in whose inlined body the last edge stands, "" when it stands in plain sight."""
        step = last_step(fact)
        source = self.functions.source(step.file) if step is not None else None
        return source.called_at(step.line, step.column) if source is not None and step is not None else ""

    def _is_foreign(self, fact: CompilerFact) -> bool:
        """Whether the last edge stands in a file that was not scanned: in code of others that was inlined."""
        step = last_step(fact)
        return step is not None and self.functions.source(step.file) is None

    def _written(self, fact: CompilerFact) -> tuple[str, str]:
        """Return the file and the callee as its source writes it: another one where its body was inlined."""
        for flow in reversed(fact.flow):
            for step in reversed(flow.steps):
                source = self.functions.source(step.file)
                if source is not None:
                    return step.file, source.called_at(step.line, step.column)
        return fact.printed_at.file, ""

    def _behind_interface(self, fact: CompilerFact, ending: Ending, method: str) -> Hook:
        arity = len(ending.arguments)
        interface = self.functions.interface_of(ending.callee, method, arity, fact.package)
        if interface is not None:
            return Hook(RootKind.INTERFACE, *interface, method)
        if not method[:1].isupper():
            return Hook(RootKind.FUNC_VALUE, fact.package, function_name(fact.function), ending.callee)
        return Hook(RootKind.INTERFACE, "", "", f"{method}/{arity}")

    def is_result(self, fact: CompilerFact, name: str) -> bool:
        """Whether a variable is a named result."""
        signature = self.functions.declaration((fact.package, function_name(fact.function)), (fact.printed_at.file,))
        return signature is not None and any(name == result for result, _ in signature[1].results)
