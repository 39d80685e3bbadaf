"""Cuts a root: wraps the expression at its edge so that escape analysis cannot follow the value.

The cut is a measurement, never shipped: the result may be wrong Go, but it compiles, and the compiler then says what is
still on the heap without that edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ast_grep_py import SgNode

from whyheap.escape_graph.ending import Ending, ending_of
from whyheap.escape_graph.functions import argument_of, simple_name
from whyheap.escape_graph.graph import EscapeGraph
from whyheap.escape_graph.hooks import Hook
from whyheap.lab.cut.edits import Edits
from whyheap.lab.cut.function_nodes import given_back, is_plain, parameter_names, result_number, results_of
from whyheap.lab.cut.tree import FUNCTIONS, Tree, below, end, named_children, start
from whyheap.model.facts import FlowStep
from whyheap.model.root import RootKind
from whyheap.parse.go_signature import Signature

_CALLS = frozenset({RootKind.CALLEE, RootKind.INTERFACE, RootKind.FUNC_VALUE, RootKind.APPEND})


class UncuttableError(Exception):
    """The edge is of a kind, or written in a way, that the cutter does not cut; the text says why."""


@dataclass(slots=True)
class Cutter:
    """Cuts in the sources of one scan. `signatures` are those of functions outside of it, by symbol."""

    graph: EscapeGraph
    sources: Mapping[str, str]
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)

    def tree(self, file: str) -> Tree:
        """Parse a file once. Raises UncuttableError when its source is not there."""
        if file not in self.trees:
            text = self.sources.get(file)
            if text is None:
                raise UncuttableError(f"{file or 'the edge'} is not in the scanned code")
            self.trees[file] = Tree(text)
        return self.trees[file]

    def cut(self, hook: Hook, last: Sequence[int]) -> Edits:
        """Return the edits that cut a root; `last` are the numbers of the facts whose flow has the edge."""
        edits = Edits()
        if hook.kind is RootKind.PARAMETER:
            self._parameter(edits, hook, last)
        elif hook.kind is RootKind.RESULT:
            self._result(edits, hook, last)
        else:
            endings = [ending_of(self.graph.facts[number]) for number in last]
            for ending in endings:
                self._edge(edits, hook, ending)
                if hook.kind in _CALLS and hook.kind is not RootKind.APPEND:
                    self._other_calls(edits, hook, ending)
        return edits

    def _edge(self, edits: Edits, hook: Hook, ending: Ending) -> None:
        step = ending.step
        if step is None or not step.line:
            raise UncuttableError("the compiler printed no place")
        if hook.kind in _CALLS:
            self._argument(edits, hook, ending, step)
        elif hook.kind in {RootKind.STORE, RootKind.GLOBAL, RootKind.OUTER}:
            self._stored(edits, ending, step)
        elif hook.kind is RootKind.MAP:
            self._map(edits, step)
        elif hook.kind is RootKind.SEND:
            self._sent(edits, step)
        elif hook.kind is RootKind.STARTED:
            self._started(edits, step)
        else:
            raise UncuttableError(f"a root of kind {hook.kind.value} has no edge to wrap")

    def _function(self, hook: Hook, last: Sequence[int]) -> tuple[str, SgNode]:
        """Return the file and node of the function that a parameter or result belongs to."""
        for number in last:
            fact = self.graph.facts[number]
            declared = self.graph.functions.declaration((hook.package, hook.function), (fact.printed_at.file,))
            if declared is not None:
                file, signature = declared
                tree = self.tree(file)
                for node in tree.functions():
                    if tree.position(start(node))[0] == signature.line:
                        return file, node
            at = fact.printed_at
            tree = self.tree(at.file)
            if at.line:
                found = [one for one in tree.around(tree.offset(at.line, at.column)) if one.kind() in FUNCTIONS]
                if found and ".func" in hook.function:
                    return at.file, found[0]
        raise UncuttableError(f"{hook.function} is not declared in the scanned code")

    def _parameter(self, edits: Edits, hook: Hook, last: Sequence[int]) -> None:
        file, node = self._function(hook, last)
        names = [one for one in parameter_names(node) if hook.subject in {"", one.text()} and one.text() != "_"]
        body = node.field("body")
        if body is None or not names:
            raise UncuttableError(f"{hook.function} has no body or no parameter {hook.subject}")
        opened = start(body) + 1
        tree = self.tree(file)
        text = ""
        for name in names:
            edits.insert(file, end(name), "_whyCut")
            text += f" {name.text()} := whyCut({name.text()}_whyCut); _ = {name.text()};"
            edits.moved[(file, *tree.position(opened))] = tree.position(start(name))
        edits.insert(file, opened, text)

    def _result(self, edits: Edits, hook: Hook, last: Sequence[int]) -> None:
        file, node = self._function(hook, last)
        results = results_of(node)
        number = result_number(hook.subject, results)
        if number < 0:
            raise UncuttableError(f"{hook.function} has no result {hook.subject}")
        name, kind, name_node = results[number]
        body = node.field("body")
        if body is None:
            raise UncuttableError(f"{hook.function} has no body")
        is_named = name_node is not None and name != "_"
        if is_named and name_node is not None:
            edits.insert(file, end(name_node), "_whyCut")
            edits.insert(file, start(body) + 1, f" var {name} {kind}; _ = {name};")
            tree = self.tree(file)
            edits.moved[(file, *tree.position(start(body) + 1))] = tree.position(start(name_node))
        for statement in below(body, "return_statement"):
            lists = [one for one in named_children(statement) if one.kind() == "expression_list"]
            values = named_children(lists[0]) if lists else []
            if not values and is_named:
                given = ", ".join(given_back(*one, name) for one in results)
                edits.insert(file, end(statement), f" {given}")
            elif len(values) == len(results):
                edits.wrap(file, start(values[number]), end(values[number]), f"whyCut[{kind}](")
            elif values:
                raise UncuttableError(f"{hook.function} returns several results of one call")

    def _call(self, step: FlowStep) -> tuple[str, SgNode]:
        """Return the call whose parenthesis stands where the step is."""
        tree = self.tree(step.file)
        offset = tree.offset(step.line, step.column)
        for node in tree.around(offset):
            arguments = node.field("arguments") if node.kind() == "call_expression" else None
            if arguments is not None and start(arguments) == offset:
                return step.file, node
        raise UncuttableError(f"no call stands at {step.file}:{step.line}:{step.column}")

    def _argument(self, edits: Edits, hook: Hook, ending: Ending, step: FlowStep) -> None:
        file, call = self._call(step)
        arguments = call.field("arguments")
        function = call.field("function")
        if arguments is None or function is None:
            raise UncuttableError("the call is not understood")
        if simple_name(ending.callee) != simple_name(function.text()):
            self._inlined(edits, hook, ending, file, call)
            return
        given = named_children(arguments)
        printed = tuple(one for one in ending.arguments if not one.startswith("&.dict."))
        position = argument_of(printed, ending.carried)
        is_method = ending.callee.startswith("(*") or len(printed) == len(given) + 1
        if is_method:
            if position == 0:
                self._receiver(edits, file, function)
                return
            position -= 1
        if hook.kind is RootKind.APPEND and given and ending.callee == "append":
            self._appended(edits, file, given, printed, position, arguments)
            return
        self._given(edits, hook, file, call, position)

    def _given(self, edits: Edits, hook: Hook, file: str, call: SgNode, position: int) -> None:
        """Wrap one argument of a call."""
        arguments = call.field("arguments")
        given = named_children(arguments) if arguments is not None else []
        if arguments is None or position < 0:
            raise UncuttableError("which argument carries the value is not clear")
        types = self._types(hook, file)
        if types and types[-1].startswith("...") and position >= len(types) - 1 and "..." not in arguments.text()[-5:]:
            variadic = given[len(types) - 1 :]
            if not variadic:
                raise UncuttableError("the call has no variadic argument")
            edits.wrap(file, start(variadic[0]), end(variadic[-1]), f"whyCut([]{types[-1][3:]}{{", "})...")
        elif 0 <= position < len(given):
            kind = types[position] if position < len(types) and not types[position].startswith("...") else ""
            before = f"whyCut[{kind}](" if kind and is_plain(kind) else "whyCut("
            edits.wrap(file, start(given[position]), end(given[position]), before)
        else:
            raise UncuttableError("which argument carries the value is not clear")

    def _inlined(self, edits: Edits, hook: Hook, ending: Ending, file: str, call: SgNode) -> None:
        """Cut where the source stands of a call that is printed at the call of the function around it."""
        function = call.field("function")
        name = function.text() if function is not None else ""
        types = self._types(hook, file)
        if simple_name(name) == simple_name(hook.function) and types and types[-1].startswith("..."):
            self._given(edits, hook, file, call, len(types) - 1)
            return
        cut = False
        for found, body in self._bodies(simple_name(name), self.graph.functions.package_of(file)):
            for inner in below(body, "call_expression", into_functions=True):
                called = inner.field("function")
                if called is not None and simple_name(called.text()) == simple_name(ending.callee):
                    with suppress(UncuttableError):
                        self._given(edits, hook, found, inner, max(self._position(ending), len(types) - 1))
                        cut = True
        if not cut:
            raise UncuttableError(f"the edge stands in the body of {name}, which is inlined there")

    def _bodies(self, name: str, package: str) -> list[tuple[str, SgNode]]:
        """Return the functions of a package with a simple name: file and node."""
        found = []
        for key in self.graph.functions.keys_named(name):
            declared = self.graph.functions.declaration(key) if key[0] == package else None
            if declared is not None:
                tree = self.tree(declared[0])
                nodes = [one for one in tree.functions() if tree.position(start(one))[0] == declared[1].line]
                found += [(declared[0], one) for one in nodes]
        return found

    def _other_calls(self, edits: Edits, hook: Hook, ending: Ending) -> None:
        """Cut the same argument at the other calls in the function: a value goes to all, and one is printed."""
        if ending.step is None:
            return
        file, call = self._call(ending.step)
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None:
            return
        name = function.text().rpartition(".")[2] if hook.kind is RootKind.INTERFACE else function.text()
        around = [one for one in self.tree(file).around(start(call)) if one.kind() in FUNCTIONS]
        for other in below(around[-1], "call_expression", into_functions=True) if around else ():
            called, given = other.field("function"), other.field("arguments")
            if called is None or given is None or (start(other), end(other)) == (start(call), end(call)):
                continue
            same = called.text().rpartition(".")[2] if hook.kind is RootKind.INTERFACE else called.text()
            if same == name:
                with suppress(UncuttableError):
                    self._given(edits, hook, file, other, self._position(ending))

    def _position(self, ending: Ending) -> int:
        """Return which argument carries the value, as written; -1 for the receiver."""
        printed = tuple(one for one in ending.arguments if not one.startswith("&.dict."))
        return argument_of(printed, ending.carried) - (1 if ending.callee.startswith("(*") else 0)

    def _receiver(self, edits: Edits, file: str, function: SgNode) -> None:
        operand = function.field("operand")
        if operand is None:
            raise UncuttableError("the receiver is not written at the call")
        edits.wrap(file, start(operand), end(operand), "whyCut(")

    def _appended(
        self,
        edits: Edits,
        file: str,
        given: Sequence[SgNode],
        printed: Sequence[str],
        position: int,
        arguments: SgNode,
    ) -> None:
        slice_ = given[0].text()
        wanted = given[1:] if position < 1 else [given[min(position, len(given) - 1)]]
        if "..." in arguments.text()[-5:]:
            edits.wrap(file, start(given[-1]), end(given[-1]), "whyCut(")
            return
        if not printed:
            raise UncuttableError("the append is not printed in full")
        for one in wanted:
            edits.wrap(file, start(one), end(one), f"whyElement({slice_}).cut(")

    def _types(self, hook: Hook, file: str) -> list[str]:
        """Return the types of the parameters where they are known, without the receiver."""
        if hook.kind is RootKind.INTERFACE:
            for package, _, method in self.graph.functions.methods_named(hook.subject):
                if (package, method.interface) == (hook.package, hook.function):
                    return list(method.types) if self.graph.functions.package_of(file) == package else []
        signature = self.signatures.get(hook.function) if hook.kind is RootKind.CALLEE else None
        if signature is None:
            return []
        kinds = [kind for _, kind in signature.parameters]
        return kinds[1:] if signature.has_receiver else kinds

    def _stored(self, edits: Edits, ending: Ending, step: FlowStep) -> None:
        tree = self.tree(step.file)
        offset = tree.offset(step.line, step.column)
        for node in tree.around(offset):
            if node.kind() in {"assignment_statement", "short_var_declaration"}:
                self._assignment(edits, step, node, ending)
                return
            if node.kind() in {"var_spec", "block", "source_file"}:
                break
        raise UncuttableError(f"no assignment stands at {step.file}:{step.line}:{step.column}")

    def _assignment(self, edits: Edits, step: FlowStep, node: SgNode, ending: Ending) -> None:
        left, right = node.field("left"), node.field("right")
        operator = node.field("operator")
        if left is None or right is None or (operator is not None and operator.text() != "="):
            raise UncuttableError(f"the assignment at {step.file}:{step.line} is not a plain one")
        targets, values = named_children(left), named_children(right)
        if len(targets) != len(values):
            raise UncuttableError(f"the assignment at {step.file}:{step.line} takes several results of one call")
        index = next((at for at, one in enumerate(targets) if one.text() == ending.subject), 0)
        value, target = values[index], targets[index]
        is_new = node.kind() == "short_var_declaration"
        before = "whyCut(" if is_new or target.text() == "_" else f"whyLike({target.text()}).cut("
        edits.wrap(step.file, start(value), end(value), before)

    def _map(self, edits: Edits, step: FlowStep) -> None:
        tree = self.tree(step.file)
        offset = tree.offset(step.line, step.column)
        if step.reason == "key of map put":
            for node in tree.around(offset):
                index = node.field("index") if node.kind() == "index_expression" else None
                if index is not None:
                    edits.wrap(step.file, start(index), end(index), "whyCut(")
                    return
        for node in tree.around(offset):
            if node.kind() == "composite_literal":
                self._elements(edits, step, node)
                return
        raise UncuttableError(f"no map is written at {step.file}:{step.line}:{step.column}")

    def _elements(self, edits: Edits, step: FlowStep, literal: SgNode) -> None:
        """Wrap the keys or values of a map literal."""
        kind, body = literal.field("type"), literal.field("body")
        is_key = step.reason == "map literal key"
        wanted = kind.field("key" if is_key else "value") if kind is not None else None
        if body is None or wanted is None:
            raise UncuttableError("the map literal's type is not written there")
        before = len(edits.insertions[step.file])
        for element in named_children(body):
            parts = named_children(element)
            if element.kind() == "keyed_element" and len(parts) == 2:  # noqa: PLR2004 - key and value
                one = parts[0 if is_key else 1]
                if not one.text().startswith("{"):
                    edits.wrap(step.file, start(one), end(one), f"whyCut[{wanted.text()}](")
        if len(edits.insertions[step.file]) == before:
            raise UncuttableError("the map literal's elements leave their type out")

    def _sent(self, edits: Edits, step: FlowStep) -> None:
        tree = self.tree(step.file)
        for node in tree.around(tree.offset(step.line, step.column)):
            value = node.field("value") if node.kind() == "send_statement" else None
            if value is not None:
                edits.wrap(step.file, start(value), end(value), "whyCut(")
                return
        raise UncuttableError(f"no send stands at {step.file}:{step.line}:{step.column}")

    def _started(self, edits: Edits, step: FlowStep) -> None:
        tree = self.tree(step.file)
        for node in tree.around(tree.offset(step.line, step.column)):
            if node.kind() in {"go_statement", "defer_statement"}:
                word = "go" if node.kind() == "go_statement" else "defer"
                edits.blank(step.file, start(node), " " * len(word))
                return
        raise UncuttableError(f"no go statement stands at {step.file}:{step.line}:{step.column}")
