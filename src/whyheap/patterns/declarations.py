"""What the files of one package declare: functions, types, fields; enough to read a written expression's type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_DEEPEST = 8
_METHOD = r"\b\s*[(/]"  # behind its name in an interface, also with a comment between
_FIELD = r"\b(?:[^\S\n]*\n|\s*[^\s(.:=)\]}+-])"  # behind its name in a struct: a type, a tag, the next name
_VARIADIC_ANY = frozenset({"any", "interface{}"})


@dataclass(slots=True)
class _Declared:
    """What some files declare, by name; `holders` are the structs that have a field of a name."""

    functions: dict[str, SgNode] = field(default_factory=dict)
    types: dict[str, SgNode] = field(default_factory=dict)
    variables: dict[str, SgNode] = field(default_factory=dict)
    interface_methods: dict[str, SgNode] = field(default_factory=dict)
    holders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, other: _Declared) -> None:
        """Take over what a later file declares."""
        self.functions.update(other.functions)
        self.types.update(other.types)
        self.variables.update(other.variables)
        self.interface_methods.update(other.interface_methods)
        for name, holders in other.holders.items():
            self.holders[name] |= holders


class Declarations:
    """The declarations of a package, or of those of its files that are known.

    A file is read when somebody asks for a name that stands in it: what declares a name, mentions it.
    """

    def __init__(self, files: Iterable[GoFile]) -> None:
        """Keep the files; of two declarations with one name (other build tags), the later file's counts."""
        self._unread = dict(enumerate(files))
        self._read: dict[int, _Declared] = {}
        self._all = _Declared()
        self._sought: set[tuple[str, str]] = set()

    def _about(self, name: str, behind: str = "", before: str = "\n{;/") -> _Declared:
        """Return the declarations of all files that mention a name.

        With `behind`, only where one of `before` precedes it and this pattern follows.
        """
        if not self._unread or (name, behind) in self._sought or not name or "." in name:
            return self._all
        self._sought.add((name, behind))
        found = [number for number, file in self._unread.items() if file.mentions(name, behind, before)]
        for number in found:
            self._read[number] = _declared(self._unread.pop(number))
        if found:
            self._all = _Declared()
            for number in sorted(self._read):
                self._all.add(self._read[number])
        return self._all

    def _function(self, name: str) -> SgNode | None:
        return self._about(name.rpartition(".")[2]).functions.get(name)

    def function(self, name: str) -> SgNode | None:
        """Return the declaration of `F` or, for a method, `T.M`."""
        return self._function(name)

    def is_variable(self, name: str) -> bool:
        """Whether the package has a variable of this name."""
        return name in self._about(name).variables

    def kind(self, written: str) -> str:
        """Return the kind of type behind a written one: "struct_type", "interface_type", ...; "" if not known here."""
        for _ in range(_DEEPEST):
            named = self._type(written.partition("[")[0])
            if named is None:
                return ""
            if named.kind() not in {"type_identifier", "qualified_type"}:
                return str(named.kind())
            written = named.text()
        return ""

    def _type(self, name: str) -> SgNode | None:
        return self._about(name).types.get(name)

    def is_function(self, written: str) -> bool:
        """Whether a written type is that of func values."""
        return written.startswith("func(") or self.kind(written) == "function_type"

    def is_method_of_interface(self, name: str) -> bool:
        """Whether an interface of this package has a method of this name."""
        return self._interface_method(name) is not None

    def _interface_method(self, name: str) -> SgNode | None:
        return self._about(name, _METHOD).interface_methods.get(name)

    def is_function_field(self, name: str) -> bool:
        """Whether a struct of this package has a func field of this name."""
        holders = self._about(name, _FIELD, "\n{;/,*.").holders.get(name, ())
        return any(self.is_function(self._fields(holder).get(name, "")) for holder in tuple(holders))

    def takes_any(self, name: str) -> bool | None:
        """Whether the last parameter of a function, or of an interface's method, is `...any`; None if not known."""
        node = self._function(name) or self._interface_method(name.rpartition(".")[2])
        parameters = node.field("parameters") if node is not None else None
        last = parameters.find(kind="variadic_parameter_declaration") if parameters is not None else None
        written = last.field("type") if last is not None else None
        return written.text() in _VARIADIC_ANY if written is not None else None

    def parameters(self, name: str) -> list[str]:
        """Return the names of a function's parameters in order, the receiver first; "" for one without a name."""
        node = self._function(name)
        return parameter_names(node) if node is not None else []

    def written_type(self, expression: str, file: GoFile, line: int) -> str:
        """Return the written type of `a.b.c` as seen at a line, "" where the declarations do not tell."""
        base, *fields = expression.split(".")
        written = file.declared_type(base, line) or self._assigned_type(base, file, line)
        if not written and base not in file.locals(line):
            spec = self._about(base).variables.get(base)
            written = self._value_type(spec) if spec is not None else ""
        for name in fields:
            written = self._fields(written.lstrip("*").partition("[")[0]).get(name, "")
        return written

    def _assigned_type(self, name: str, file: GoFile, line: int) -> str:
        """Return the type of the literal or call that a name is declared with."""
        for function in file.functions(line):
            for node in function.find_all(kind="short_var_declaration"):
                left, right = node.field("left"), node.field("right")
                if left is None or right is None:
                    continue
                names = [child.text() for child in left.children() if child.is_named()]
                values = [child for child in right.children() if child.is_named()]
                if name in names and len(names) == len(values):
                    return self._type_of(values[names.index(name)])
                if name in names and len(values) == 1:
                    return self._result(values[0], names.index(name))
        return ""

    def _value_type(self, spec: SgNode) -> str:
        written, value = spec.field("type"), spec.field("value")
        if written is not None:
            return written.text()
        values = [child for child in value.children() if child.is_named()] if value is not None else []
        return self._type_of(values[0]) if len(values) == 1 else ""

    def _type_of(self, value: SgNode) -> str:
        """Return the type of a literal, a `new`, a `make`, a type assertion or a call of a function declared here."""
        if value.kind() == "unary_expression" and value.text().startswith("&"):
            operand = value.field("operand")
            inner = self._type_of(operand) if operand is not None else ""
            return f"*{inner}" if inner else ""
        if value.kind() in {"composite_literal", "type_assertion_expression"}:
            written = value.field("type")
            return written.text() if written is not None else ""
        if value.kind() == "func_literal":
            return "func()"
        function, arguments = value.field("function"), value.field("arguments")
        if function is None or arguments is None:
            return ""
        if function.text() in {"new", "make"}:
            first = next((child.text() for child in arguments.children() if child.is_named()), "")
            return f"*{first}" if function.text() == "new" and first else first
        return self._result(value, 0)

    def _result(self, value: SgNode, index: int) -> str:
        """Return the type of one result of a call of a function declared here, or of a checked type assertion."""
        if value.kind() == "type_assertion_expression" and index == 0:
            return self._type_of(value)
        function = value.field("function")
        node = self._function(function.text()) if function is not None else None
        result = node.field("result") if node is not None else None
        if result is None:
            return ""
        if result.kind() != "parameter_list":
            return result.text() if index == 0 else ""
        types: list[str] = []
        for one in result.children():
            written = one.field("type") if one.is_named() else None
            if written is not None:
                types += [written.text()] * max(1, len(list(one.field_children("name"))))
        return types[index] if index < len(types) else ""

    def _fields(self, name: str) -> dict[str, str]:
        """Return the fields of a struct: name -> written type; an embedded one goes by its type's last name."""
        node = self._type(name)
        return _fields(node) if node is not None else {}


def _declared(file: GoFile) -> _Declared:
    """Read one file."""
    found = _Declared()
    for node in file.all("function_declaration"):
        found.functions[_name(node)] = node
    for node in file.all("method_declaration"):
        receiver = node.field("receiver")
        if receiver is not None:
            found.functions[f"{_receiver_type(receiver)}.{_name(node)}"] = node
    for kind in ("type_spec", "type_alias"):
        for node in file.all(kind):
            written = node.field("type")
            if written is not None:
                found.types[_name(node)] = written
    for node in file.all("method_elem"):
        found.interface_methods[_name(node)] = node
    for node in file.all("var_spec"):
        for name in node.field_children("name"):
            if name.text() in file.package_variables:
                found.variables[name.text()] = node
    for holder, node in found.types.items():
        for field_name in _fields(node):
            found.holders[field_name].add(holder)
    return found


def _fields(node: SgNode) -> dict[str, str]:
    """Return the fields of a struct type, none of another."""
    body = node.find(kind="field_declaration_list") if node.kind() == "struct_type" else None
    found: dict[str, str] = {}
    for one in body.children() if body is not None else ():
        written = one.field("type") if one.kind() == "field_declaration" else None
        if written is None:
            continue
        names = [child.text() for child in one.field_children("name")]
        star = "*" if not names and one.text().startswith("*") else ""
        bare = written.text().partition("[")[0].rpartition(".")[2]
        found.update(dict.fromkeys(names or [bare], star + written.text()))
    return found


def parameter_names(function: SgNode) -> list[str]:
    """Return the names of a function's parameters in order, the receiver first; "" for one without a name."""
    names: list[str] = []
    for part in ("receiver", "parameters"):
        parameters = function.field(part)
        for one in parameters.children() if parameters is not None else ():
            if one.is_named() and one.kind().endswith("parameter_declaration"):
                names += [child.text() for child in one.field_children("name")] or [""]
    return names


def _name(node: SgNode) -> str:
    name = node.field("name")
    return name.text() if name is not None else ""


def _receiver_type(receiver: SgNode) -> str:
    found = receiver.find(kind="type_identifier")
    return found.text() if found is not None else ""
