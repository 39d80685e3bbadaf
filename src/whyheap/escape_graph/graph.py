"""The flows of all facts as one graph: each heap fact leads to the one edge that keeps it on the heap.

A fact's flow ends at the heap, at a result, or in another value of its function, whose own fact goes on; an argument
goes on in the leak of the parameter that takes it. The root is the last parameter of the scan that a value enters on
its way, and without one the flow's last edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from whyheap.escape_graph.ending import Ending, ending_of
from whyheap.escape_graph.functions import Function, Functions, Key, argument_of
from whyheap.escape_graph.hooks import Hook, Hooks
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.root import RootKind
from whyheap.model.scan import Scan
from whyheap.parse.go_expression import call_parts
from whyheap.parse.go_symbol import function_name


@dataclass(frozen=True, slots=True)
class Link:
    """How one fact leads to the next: `next_fact` is a number, -1 when `hook` is the end of the way."""

    next_fact: int
    hook: Hook | None
    enters: tuple[Key, str] | None = None
    step: FlowStep | None = None


class EscapeGraph:
    """All heap facts of a scan, and where their ways lead."""

    def __init__(self, scan: Scan, sources: Mapping[str, str]) -> None:
        """`sources` by Site.file; what is missing there leaves calls that were inlined where they were printed."""
        self.functions = Functions(scan, sources)
        self._edges = Hooks(self.functions)
        self.facts: list[CompilerFact] = []
        self._storages: dict[tuple[str, int, int, str], int] = {}
        self._named: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._numbers: dict[tuple[str, int, int, str], list[int]] = defaultdict(list)
        self._links: dict[int, Link] = {}
        self._hooks: dict[int, tuple[Hook, int]] = {}
        for package in scan.packages:
            for fact in package.facts:
                if fact.kind is FactKind.HEAP or fact.kind is FactKind.PARAM_LEAK:
                    self._take(fact)
                elif fact.kind is FactKind.OTHER and fact.flow and fact.message.startswith("parameter "):
                    self._take(fact)  # a second explanation at one place: of a method, and of its wrapper

    def _take(self, fact: CompilerFact) -> None:
        number = len(self.facts)
        self.facts.append(fact)
        function = function_name(fact.function)
        at = fact.printed_at
        if fact.kind is FactKind.HEAP:
            self._numbers[at.file, at.line, at.column, fact.message].append(number)
            self._storages.setdefault((at.file, at.line, at.column, fact.subject), number)
            self._named[fact.package, function, fact.subject].append(number)
            self.functions.add((fact.package, function))
        elif (
            fact.flow and fact.flow[-1].to and " to result " not in fact.message and " leaks to ~r" not in fact.message
        ):
            self.functions.add((fact.package, function)).leaks.setdefault(fact.subject, number)
        else:
            self.functions.add((fact.package, function))

    @property
    def heap_facts(self) -> Iterator[int]:
        """Numbers of the facts that speak of a heap value."""
        return (number for number, fact in enumerate(self.facts) if fact.kind is FactKind.HEAP)

    def number_of(self, fact: CompilerFact) -> int | None:
        """Return the number of a heap fact of this scan, also after the join filed it elsewhere; None if unknown."""
        at = fact.printed_at
        same = self._numbers.get((at.file, at.line, at.column, fact.message), ())
        for number in same:
            if self.facts[number].flow is fact.flow:
                return number
        equal = (
            number
            for number in same
            if (self.facts[number].flow, self.facts[number].inlined_at) == (fact.flow, fact.inlined_at)
        )
        return next(equal, None)

    def hook_of(self, number: int) -> tuple[Hook, int]:
        """Return what a fact hangs on, and the number of the fact whose flow has that edge."""
        if number in self._hooks:
            return self._hooks[number]
        way: list[int] = []
        at = number
        seen: set[int] = set()
        while at not in self._hooks and at not in seen:
            seen.add(at)
            way.append(at)
            link = self._link(at)
            if link.next_fact < 0:
                break
            at = link.next_fact
        if at in self._hooks:
            hook, where = self._hooks[at]
        elif self._links[at].next_fact < 0:
            hook, where = self._own_hook(at), at
        else:
            hook, where = self._cycle(way[way.index(at) :])
        for one in reversed(way):
            link = self._links[one]
            if link.enters is not None and hook.kind is not RootKind.PARAMETER:
                (package, function), name = link.enters
                hook, where = Hook(RootKind.PARAMETER, package, function, name), link.next_fact
            self._hooks[one] = hook, where
        return hook, where

    def _own_hook(self, number: int) -> Hook:
        hook = self._links[number].hook
        if hook is None:
            raise AssertionError("a way ends at a hook")
        return hook

    def _cycle(self, ring: list[int]) -> tuple[Hook, int]:
        """Choose for values that only hold one another: a parameter if one is entered, the same from everywhere."""
        entered = [self._links[one] for one in ring if self._links[one].enters is not None]
        if entered:
            link = min(entered, key=lambda one: (one.enters, one.next_fact))
            (package, function), name = link.enters or (("", ""), "")
            return Hook(RootKind.PARAMETER, package, function, name), link.next_fact
        first = min(ring)
        fact = self.facts[first]
        return Hook(RootKind.UNTOLD, fact.package, function_name(fact.function), fact.subject), first

    def way(self, number: int) -> list[int]:
        """Return the numbers of the facts from a value to its root, itself first."""
        _, last = self.hook_of(number)
        way = [number]
        while way[-1] != last:
            following = self._link(way[-1]).next_fact
            if following < 0 or following in way:
                break
            way.append(following)
        return way

    def own_hook(self, number: int) -> Hook | None:
        """Return the edge at which a fact's own way ends, None when it leads on."""
        return self._link(number).hook

    def link(self, number: int) -> Link:
        """Return how a fact leads on."""
        return self._link(number)

    def _link(self, number: int) -> Link:
        found = self._links.get(number)
        if found is None:
            found = self._links[number] = self._find_link(number)
        return found

    def _find_link(self, number: int) -> Link:
        fact = self.facts[number]
        crossing = self._crossing(number, fact)
        if crossing is not None:
            return crossing
        ending = ending_of(fact)
        if ending.kind is None:
            return self._held(number, fact, ending)
        if ending.kind is RootKind.CALLEE:
            return self._called(number, fact, ending)
        return Link(-1, self._edges.of(fact, ending), step=ending.step)

    def _crossing(self, number: int, fact: CompilerFact) -> Link | None:
        """Find where the flow enters a parameter of a function of the scan: one that was inlined, or of its own group.

        Functions that call one another in a circle are analysed together, so a flow may go on inside of the callee.
        """
        for flow in fact.flow:
            if not flow.steps or flow.to.startswith("{"):
                continue
            step = flow.steps[-1]
            if step.reason == "call parameter":
                entered = self._entered(fact, flow, step)
            elif step.reason.startswith("assign") and " := " in step.expr:
                at = (step.file, step.line, step.column)
                entered = self.functions.inlined(flow.to, step.expr, at, fact.package)
            else:
                continue
            if entered is not None:
                function, name = entered
                leak = function.leaks.get(name)
                if leak is not None and leak != number:
                    return Link(leak, None, (function.key, name), step)
        return None

    def _entered(self, fact: CompilerFact, flow: Flow, step: FlowStep) -> tuple[Function, str] | None:
        parts = call_parts(step.expr)
        function = self.functions.static(parts[0], fact.package, step.file) if parts is not None else None
        name = flow.to.rpartition(".")[2]
        return (function, name) if function is not None and name in function.leaks else None

    def _called(self, number: int, fact: CompilerFact, ending: Ending) -> Link:
        """Follow an argument into its callee."""
        step = ending.step
        if step is None:
            return Link(-1, self._edges.of(fact, ending))
        function = self.functions.static(ending.callee, fact.package, step.file)
        if function is None:
            return Link(-1, self._edges.callee(fact, ending), step=step)
        name = self._parameter(function, ending)
        leak = function.leaks.get(name) if name else None
        if name is None and len(function.leaks) == 1:
            name, leak = next(iter(function.leaks.items()))
        if leak is None or leak == number:
            package, own = function.key
            return Link(-1, Hook(RootKind.PARAMETER, package, own, name or ""), step=step)
        return Link(leak, None, (function.key, name or ""), step)

    def _parameter(self, function: Function, ending: Ending) -> str | None:
        """Return the name of the callee's parameter that takes the value."""
        arguments = tuple(one for one in ending.arguments if not one.startswith("&.dict."))
        position = argument_of(arguments, ending.carried)
        if position < 0:
            return self._variadic(function) if ending.carried == "... argument" else None
        leaks = [self.facts[one] for one in function.leaks.values()]
        return self.functions.parameter(function, leaks, position, len(arguments))

    def _variadic(self, function: Function) -> str | None:
        """Return the parameter that takes the slice of a variadic call."""
        signature = self.functions.signature(function.key)
        is_variadic = signature is not None and signature.parameters and signature.parameters[-1][1].startswith("...")
        return signature.parameters[-1][0] if signature is not None and is_variadic else None

    def is_held_twice(self, number: int) -> bool:
        """Whether the source shows a second way: the value, or what holds it, is returned as well.

        The compiler prints one way only. Escape analysis does not look at the order of statements, so that a plain
        `return v` anywhere in the function holds all that `v` ever held.
        """
        hook, _ = self.hook_of(number)
        for one in self.way(number):
            if self._is_returned(self.facts[one], hook, self._link(one)):
                return True
            if self._link(one).enters is not None:
                break
        return False

    def _is_returned(self, fact: CompilerFact, hook: Hook, link: Link) -> bool:
        function = function_name(fact.function)
        if ".func" in function or (hook.kind is RootKind.RESULT and hook.function == function):
            return False
        names = self.functions.returned_names((fact.package, function), fact.printed_at.file)
        if not names:
            return False
        for flow in fact.flow:
            if flow.steps and flow.steps[-1] is link.step:
                break
            if flow.to in names:
                return True
        return False

    def _held(self, number: int, fact: CompilerFact, ending: Ending) -> Link:
        """Follow what holds the value: its storage's own fact, else it is kept in a variable of an outer loop."""
        step = ending.step
        holder = self._holder(number, fact, ending)
        if holder is not None:
            return Link(holder, None, step=step)
        function = function_name(fact.function)
        if step is not None and self._edges.is_result(fact, ending.subject):
            return Link(-1, Hook(RootKind.RESULT, fact.package, function, ending.subject), step=step)
        subject = ending.carried if ending.subject == "func literal" and ending.carried else ending.subject
        return Link(-1, Hook(RootKind.OUTER, fact.package, function, subject), step=step)

    def _holder(self, number: int, fact: CompilerFact, ending: Ending) -> int | None:
        step = ending.step
        subject = ending.subject
        if step is not None:
            there = self._storages.get((step.file, step.line, step.column, subject))
            if there is not None and there != number:
                return there
        function = function_name(fact.function)
        if subject.endswith("."):
            near = self._bound_methods(fact.package, function, subject)
        else:
            near = [one for one in self._named.get((fact.package, function, subject), ()) if one != number]
        if not near:
            near = self._around(fact.package, function, subject, number)
        if not near:
            return None
        at = step or fact.printed_at
        return min(
            near, key=lambda one: (self.facts[one].printed_at.file != at.file, abs(self._line(one) - at.line), one)
        )

    def _line(self, number: int) -> int:
        return self.facts[number].printed_at.line

    @cached_property
    def _subjects(self) -> dict[tuple[str, str], list[str]]:
        """The subjects of each function's values, by package and function."""
        found: dict[tuple[str, str], list[str]] = {}
        for package, function, subject in self._named:
            found.setdefault((package, function), []).append(subject)
        return found

    def _bound_methods(self, package: str, function: str, start: str) -> list[int]:
        named = self._subjects.get((package, function), ())
        return [
            one for subject in named if subject.startswith(start) for one in self._named[package, function, subject]
        ]

    def _around(self, package: str, function: str, subject: str, number: int) -> list[int]:
        """Look into the functions around a closure, innermost first: they are analysed together."""
        outer = function
        while "." in outer:
            outer = outer.rpartition(".")[0]
            found = [one for one in self._named.get((package, outer, subject), ()) if one != number]
            if found:
                return found
        return []
