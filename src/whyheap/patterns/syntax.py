"""One Go file's syntax, by line: what a matcher asks when the compiler's words leave two readings.

Every index is built on first use by one native ast-grep query for a kind of node. Positions are those of Go's
compiler: 1-based lines, 1-based columns in bytes; a call stands at its opening parenthesis.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from whyheap.patterns.grammar import without_method_type_parameters

if TYPE_CHECKING:
    from ast_grep_py import Config, SgNode

FUNCTIONS = ("function_declaration", "method_declaration", "func_literal")
_DECLARATIONS = {
    "parameter_declaration": "name",
    "variadic_parameter_declaration": "name",
    "var_spec": "name",
    "short_var_declaration": "left",
    "range_clause": "left",
    "receive_statement": "left",
    "type_switch_statement": "alias",
}
"""Nodes that declare variables, with the field that holds the names."""
_USUAL_KINDS = (
    *FUNCTIONS,
    "for_statement",
    "range_clause",
    "for_clause",
    "import_spec",
    "var_spec",
    "field_declaration",
    "method_elem",
    "type_spec",
    "type_alias",
    "defer_statement",
    "go_statement",
    "map_type",
    "slice_type",
    "argument_list",
)

_STATEMENTS = (
    "assignment_statement", "short_var_declaration", "var_spec", "return_statement", "expression_statement",
    "send_statement", "go_statement", "defer_statement", "if_statement", "for_statement",
    "expression_switch_statement", "type_switch_statement", "select_statement",
)  # fmt: skip
_INDENT = 200


def _any_of(kinds: Iterable[str]) -> Config:
    """Return ast-grep's query for nodes of several kinds."""
    return {"rule": {"any": [{"kind": kind} for kind in kinds]}}


class GoFile:
    """The syntax of one file."""

    def __init__(self, text: str) -> None:
        """Keep the text; nothing is parsed yet."""
        self._text = text
        self._locals: dict[int, frozenset[str]] = {}
        self._kinds: dict[str, dict[int, list[SgNode]]] = {}

    @cached_property
    def root(self) -> SgNode:
        """The whole file."""
        from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only when syntax is asked for

        return SgRoot(without_method_type_parameters(self._text), "go").root()

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.split("\n")

    def mentions(self, name: str, behind: str = "", before: str = "\n{;/") -> bool:
        """Whether a name stands in the text, if only as part of a longer one.

        With `behind`, whether what this pattern describes follows, and the start or one of `before` precedes.
        """
        if not behind:
            return name in self._text
        return any(
            self._text[max(0, found.start() - _INDENT) : found.start()].rstrip(" \t\r")[-1:] in before
            for found in re.finditer(re.escape(name) + behind, self._text)
        )

    def nodes(self, kind: str, line: int) -> list[SgNode]:
        """Return the nodes of a kind that start on a line, in source order."""
        return self._by_line(kind).get(line, [])

    def _by_line(self, kind: str) -> dict[int, list[SgNode]]:
        found = self._kinds.get(kind)
        if found is None:
            # One walk over the tree for all that is asked for as a rule: a walk costs more than what it finds.
            kinds = _USUAL_KINDS if kind in _USUAL_KINDS else (kind,)
            self._kinds.update({wanted: defaultdict(list) for wanted in kinds})
            for node in self.root.find_all(_any_of(kinds)):
                self._kinds[node.kind()][node.range().start.line + 1].append(node)
            found = self._kinds[kind]
        return found

    def all(self, kind: str) -> list[SgNode]:
        """Return all nodes of a kind."""
        return [node for nodes in self._by_line(kind).values() for node in nodes]

    def column(self, node: SgNode) -> int:
        """Return the 1-based byte column where a node starts."""
        start = node.range().start
        line = self._lines[start.line]
        return start.column + 1 if line.isascii() else len(line[: start.column].encode()) + 1

    def call_at(self, line: int, column: int) -> SgNode | None:
        """Return the call whose opening parenthesis stands at a position."""
        for arguments in self.nodes("argument_list", line):
            if self.column(arguments) == column:
                call = arguments.parent()
                return call if call is not None and call.kind() == "call_expression" else None
        return None

    def node_at(self, kind: str, line: int, column: int) -> SgNode | None:
        """Return the node of a kind that starts at a position."""
        return next((node for node in self.nodes(kind, line) if self.column(node) == column), None)

    def calls(self, line: int) -> list[str]:
        """Return the called functions of a line as written, in source order."""
        calls = (arguments.parent() for arguments in self.nodes("argument_list", line))
        functions = (call.field("function") for call in calls if call is not None)
        return [function.text() for function in functions if function is not None]

    @cached_property
    def _functions(self) -> list[tuple[int, int, SgNode]]:
        spans = ((node, node.range()) for kind in FUNCTIONS for node in self.all(kind))
        return sorted(((at.start.line + 1, at.end.line + 1, node) for node, at in spans), key=lambda span: span[:2])

    def functions(self, line: int) -> list[SgNode]:
        """Return the functions around a line, innermost first."""
        return [node for start, end, node in reversed(self._functions) if start <= line <= end]

    @cached_property
    def _statements(self) -> list[tuple[int, int]]:
        """First and last line of each statement and each declared variable that has a value, shortest first."""
        ranges = (node.range() for node in self.root.find_all(_any_of(_STATEMENTS)))
        spans = {(at.start.line + 1, at.end.line + 1) for at in ranges}
        for start, _, node in self._functions:  # parameters on lines of their own are made on the first line
            if node.kind() != "func_literal" and (body := node.field("body")) is not None:
                spans.add((start, body.range().start.line + 1))
        return sorted(spans, key=lambda span: span[1] - span[0])

    def statement(self, line: int) -> range:
        """Return the lines of the shortest statement, or signature, that holds a line."""
        found = next(((start, end) for start, end in self._statements if start <= line <= end), (line, line))
        return range(found[0], found[1] + 1)

    @cached_property
    def _loops(self) -> list[tuple[int, int, SgNode]]:
        spans = ((node, node.range()) for node in self.all("for_statement"))
        return [(at.start.line + 1, at.end.line + 1, node) for node, at in spans]

    def loop(self, line: int) -> SgNode | None:
        """Return the innermost loop whose body holds a line, within the line's own function."""
        around = [(start, node) for start, end, node in self._loops if start < line <= end or start == line == end]
        if not around:
            return None
        start, node = max(around, key=lambda found: found[0])
        inner = next((one.range().start.line + 1 for one in self.functions(line)), 0)
        return node if start >= inner else None

    def loop_variable(self, line: int, column: int) -> SgNode | None:
        """Return the range or for clause that declares the variable standing at a position."""
        for kind, field in (("range_clause", "left"), ("for_clause", "initializer")):
            for clause in self.nodes(kind, line):
                names = clause.field(field)
                if names is None or ":=" not in clause.text():
                    continue
                if any(self.column(name) == column for name in names.find_all(kind="identifier")):
                    return clause
        return None

    @cached_property
    def types(self) -> dict[str, str]:
        """The types that this file declares: name -> kind of node, "map_type" for instance."""
        kinds: dict[str, str] = {}
        for spec in self.all("type_spec"):
            name, written = spec.field("name"), spec.field("type")
            if name is not None and written is not None:
                kinds[name.text()] = written.kind()
        return kinds

    @cached_property
    def methods(self) -> frozenset[str]:
        """Names of the methods that this file declares, those of interfaces included."""
        declared = [*self.all("method_declaration"), *self.all("method_elem")]
        return frozenset(name.text() for node in declared if (name := node.field("name")) is not None)

    @cached_property
    def fields(self) -> dict[str, str]:
        """The fields that this file declares: name -> written type."""
        types = ((node, node.field("type")) for node in self.all("field_declaration"))
        return {
            name.text(): written.text()
            for node, written in types
            if written is not None
            for name in node.field_children("name")
        }

    @cached_property
    def imports(self) -> frozenset[str]:
        """The names by which this file calls imported packages; a version suffix of the path is skipped."""
        names = set()
        for spec in self.all("import_spec"):
            name = spec.field("name")
            path = spec.field("path")
            if name is not None:
                names.add(name.text())
            elif path is not None:
                names |= package_names(path.text().strip('"`'))
        return frozenset(names)

    @cached_property
    def package_variables(self) -> frozenset[str]:
        """Names of this file's package-level variables."""
        names = set()
        for spec in self.all("var_spec"):
            if not any(parent.kind() in FUNCTIONS for parent in spec.ancestors()):
                names |= {child.text() for child in spec.field_children("name")}
        return frozenset(names)

    @cached_property
    def maps(self) -> frozenset[str]:
        """Names of variables, fields and parameters that this file declares with a map type."""
        return self._declared("map_type")

    @cached_property
    def slices(self) -> frozenset[str]:
        """Names of variables, fields and parameters that this file declares with a slice type."""
        return self._declared("slice_type")

    @cached_property
    def strings(self) -> frozenset[str]:
        """Names that this file declares as strings, by type or by a string literal."""
        names = set()
        for kind in ("var_spec", "parameter_declaration", "field_declaration"):
            for node in self.all(kind):
                declared = node.field("type")
                if declared is not None and declared.text() == "string":
                    names |= {child.text() for child in node.field_children("name")}
        for kind in ("interpreted_string_literal", "raw_string_literal"):
            for node in self.all(kind):
                names |= self._assigned(node)
        return frozenset(names)

    def _declared(self, kind: str) -> frozenset[str]:
        """Return the names whose declaration or first value is of a type kind."""
        names: set[str] = set()
        for node in self.all(kind):
            parent = node.parent()
            if parent is None:
                continue
            if parent.kind() in {"var_spec", "parameter_declaration", "field_declaration", "type_spec"}:
                names |= {child.text() for child in parent.field_children("name")}
            elif parent.kind() == "composite_literal":
                names |= self._assigned(parent)
            elif parent.kind() == "argument_list" and (call := parent.parent()) is not None:
                function = call.field("function")
                if function is not None and function.text() == "make":
                    names |= self._assigned(call)
        return frozenset(names)

    def _assigned(self, value: SgNode) -> set[str]:
        """Return the name that a value is assigned to, where there is exactly one."""
        parent = value.parent()
        if parent is not None and parent.kind() == "expression_list":
            parent = parent.parent()
        if parent is None:
            return set()
        if parent.kind() == "var_spec":
            return {child.text() for child in parent.field_children("name")}
        if parent.kind() in {"short_var_declaration", "assignment_statement"}:
            left = parent.field("left")
            if left is not None and "," not in left.text():
                return {left.text().rsplit(".", 1)[-1]}
        if parent.kind() in {"keyed_element", "literal_element"}:
            holder = parent.parent() if parent.kind() == "literal_element" else parent
            key = holder.child(0) if holder is not None and holder.kind() == "keyed_element" else None
            return {key.text()} if key is not None else set()
        return set()

    def declared_type(self, name: str, line: int) -> str:
        """Return the written type of a parameter or variable visible at a line, "" if it is not written."""
        for function in self.functions(line):
            for kind in ("parameter_declaration", "var_spec"):
                for node in function.find_all(kind=kind):
                    declared = node.field("type")
                    if declared is not None and name in (child.text() for child in node.field_children("name")):
                        return declared.text()
        return ""

    def results(self, line: int) -> frozenset[str]:
        """Return the named results of the innermost function around a line; an unnamed one goes by its type."""
        for function in self.functions(line)[:1]:
            result = function.field("result")
            if result is not None:
                return frozenset(node.text() for node in result.find_all(regex=r"^\w+$"))
        return frozenset()

    def result_names(self, line: int) -> frozenset[str]:
        """Return the names of the results of the innermost function around a line; unnamed ones are left out."""
        for function in self.functions(line)[:1]:
            result = function.field("result")
            if result is not None and result.kind() == "parameter_list":
                named = (one.field_children("name") for one in result.children() if one.is_named())
                return frozenset(name.text() for names in named for name in names)
        return frozenset()

    def outer_locals(self, line: int) -> frozenset[str]:
        """Return what the functions around the innermost func literal of a line declare, and the literal does not."""
        around = self.functions(line)
        if len(around) < 2:  # noqa: PLR2004 - a literal and the function it stands in
            return frozenset()
        return frozenset(_declared_names(around[-1], outside=around[0]) - _declared_names(around[0]))

    def locals(self, line: int) -> frozenset[str]:
        """Return the parameters and variables declared in the functions around a line."""
        outermost = self.functions(line)[-1:]
        if not outermost:
            return frozenset()
        start = outermost[0].range().start.line
        if start not in self._locals:
            self._locals[start] = frozenset(_declared_names(outermost[0]))
        return self._locals[start]

    def holds_one_literal(self, name: str, line: int) -> bool:
        """Whether a local variable visible at a line is declared with a func literal and never assigned again."""
        around = self.functions(line)[-1:]
        if not around:
            return False
        found = 0
        for node in around[0].find_all(_any_of(("short_var_declaration", "var_spec", "assignment_statement"))):
            names = node.field("left") if node.kind() != "var_spec" else node.field("name")
            values = node.field("right") if node.kind() != "var_spec" else node.field("value")
            if names is None or name not in (part.strip() for part in names.text().split(",")):
                continue
            is_literal = values is not None and values.text().startswith("func(") and values.text().endswith("}")
            if node.kind() == "assignment_statement" or not is_literal:
                return False
            found += 1
        return found == 1 and not any(name in self._parameters(node) for node in self.functions(line))

    @staticmethod
    def _parameters(function: SgNode) -> set[str]:
        parameters = function.field("parameters")
        return {node.text() for node in parameters.find_all(kind="identifier")} if parameters is not None else set()

    def captures_nothing(self, line: int, column: int) -> bool:
        """Whether the func literal at a position provably uses no variable of the functions around it."""
        literal = self.node_at("func_literal", line, column)
        if literal is None:
            return False
        around = [node for node in self.functions(line) if node.range().start.index < literal.range().start.index]
        if not around:
            return True
        if around[-1].find(kind="type_parameter_list") or "[" in _receiver(around[-1]):
            return False  # closures in generic functions hold the dictionary
        used = {node.text() for node in literal.find_all(kind="identifier")}
        return not used & _declared_names(around[-1], outside=literal)


def _receiver(function: SgNode) -> str:
    receiver = function.field("receiver")
    return receiver.text() if receiver is not None else ""


def _declared_names(function: SgNode, outside: SgNode | None = None) -> set[str]:
    """Return the names that a function and the func literals in it declare, but for those declared inside `outside`."""
    names: set[str] = set()
    hole = outside.range() if outside is not None else None
    for node in function.find_all(_any_of(_DECLARATIONS)):
        if hole is not None and hole.start.index <= node.range().start.index < hole.end.index:
            continue
        for declared in node.field_children(_DECLARATIONS[node.kind()]):
            found = declared.children() if declared.kind() == "expression_list" else [declared]
            names |= {child.text() for child in found if child.kind() == "identifier"}
    return names


def package_names(path: str) -> set[str]:
    """Return the names a package of this import path may have: last element, without version suffix or prefix."""
    parts = path.split("/")
    last = parts[-1]
    if len(parts) > 1 and last[:1] == "v" and last[1:].isdigit():
        last = parts[-2]
    bare = last.split(".v", 1)[0]
    return {last, bare, bare.removeprefix("go-"), bare.rsplit("-", 1)[-1].rsplit(".", 1)[-1]}
