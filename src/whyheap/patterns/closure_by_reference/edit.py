"""Copies what a returned closure reads, right before the return: the function itself changes nothing any more then.

A variable that nothing assigns after the capture is copied by the compiler already, unless it is larger than 128
bytes or its address is taken. So what is left are variables that are assigned on another way through the function,
changed through a local pointer before the return, or large: of a large one, the closure gets the parts that it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.model.go_types import GoType
from whyheap.patterns.edit_source import EditSource, UneditableError, begin, identifiers, named, replace, span
from whyheap.patterns.loop_count import is_written

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_COPIED = 128  # bytes; cmd/compile/internal/escape, closure.go: what is larger is captured by reference
_MOST_PARTS = 4


def edit(finding: Finding, source: EditSource) -> Edit:
    """Put `x := x` before each return whose closure reads x."""
    name, of = _variable(finding, source)
    function = source.function(name)
    if function is None:
        raise UneditableError("it is no local variable")
    result = function.field("result")
    if result is not None and span(result)[0] <= begin(name) < span(result)[1]:
        raise UneditableError("it is a named result")
    captured: dict[int, tuple[SgNode, list[SgNode]]] = {}
    for one in source.mentions(name):
        literal = _literal(one, function)
        if literal is None:
            _check_own_use(source, one)
            continue
        returned = _return_of(literal)
        if returned is None or begin(source.function(returned) or returned) != begin(function):
            raise UneditableError("the closure is made before the function ends: it may see what is assigned later")
        if not _is_only_read(source, one):
            raise UneditableError("the closure changes it, or hands its address on")
        captured.setdefault(begin(returned), (returned, []))[1].append(one)
    if not captured:
        raise UneditableError("no closure in the source captures it")
    changes: list[Change] = []
    titles: dict[str, None] = {}
    for returned, uses in captured.values():
        copies = _parts(source, uses, of) if of.bytes > _COPIED else {name.text(): uses}
        made: list[str] = []
        for value, nodes in copies.items():
            new = _name(source, name, returned, value)
            if any(one.startswith(f"{new} :=") for one in made):
                raise UneditableError("two parts that the closure needs have the same name")
            made.append(f"{new} := {value}")
            titles[f"{made[-1]} before the closure"] = None
            changes += [replace(one, new) for one in nodes if one.text() != new]
        indent = source.indentation(returned)
        changes.append(Change(begin(returned), begin(returned), "".join(f"{one}\n{indent}" for one in made)))
    return source.edit(finding, ", ".join(titles), changes)


def _variable(finding: Finding, source: EditSource) -> tuple[SgNode, GoType]:
    index = source.at(finding.site.line, finding.site.column)
    node = next(iter(source.around(index)), None)
    found = source.object_of(node) if node is not None and node.kind() == "identifier" else None
    if node is None or found is None or found.kind != "var" or found.level != "local" or found.type < 0:
        raise UneditableError("it is no variable that the source shows")
    if source.index(found.start) != begin(node):
        raise UneditableError("it is not declared on this line")
    return node, source.checked.types[found.type]


def _literal(node: SgNode, function: SgNode) -> SgNode | None:
    """Return the outermost func literal between a node and the function."""
    inside = [one for one in node.ancestors() if one.kind() == "func_literal" and begin(one) > begin(function)]
    return inside[-1] if inside else None


def _return_of(literal: SgNode) -> SgNode | None:
    """Return the return statement, alone on its way out, that a literal is part of."""
    for one in literal.ancestors():
        parent = one.parent()
        if parent is not None and parent.kind() == "statement_list":
            return one if one.kind() == "return_statement" else None
    return None


def _check_own_use(source: EditSource, node: SgNode) -> None:
    """Refuse uses outside of closures by which somebody else may change the variable later."""
    if _is_only_read(source, node, writes=True):
        return
    parent = node.parent()
    values = parent.parent() if parent is not None else None
    holder = values.parent() if values is not None and values.kind() == "expression_list" else None
    left = holder.field("left") if holder is not None and holder.kind() == "short_var_declaration" else None
    names = named(left) if left is not None else []
    if parent is None or parent.text() != f"&{node.text()}" or len(names) != 1:
        raise UneditableError("its address is handed on: somebody else may change it later")
    for one in source.mentions(names[0]):
        if begin(one) != begin(names[0]) and not _is_followed(one, source):
            raise UneditableError(f"the pointer {names[0].text()} to it is handed on")


def _is_followed(pointer: SgNode, source: EditSource) -> bool:
    """Whether a mention of a pointer is `*p`, read or assigned, in the function itself."""
    parent = pointer.parent()
    operator = parent.field("operator") if parent is not None and parent.kind() == "unary_expression" else None
    outer = parent.parent() if parent is not None else None
    if operator is None or operator.text() != "*" or outer is None:
        return False
    if outer.kind() in {"unary_expression", "parenthesized_expression", "selector_expression", "slice_expression"}:
        return False
    function = source.function(pointer)
    return function is not None and function.kind() != "func_literal" and outer.kind() != "index_expression"


def _is_only_read(source: EditSource, node: SgNode, *, writes: bool = False) -> bool:  # noqa: PLR0911 - one a syntax
    """Whether a use of a variable reads it, or a part of it; with `writes` it may be assigned, too."""
    while True:
        parent, of = node.parent(), _type(source, node)
        if parent is None or (of is None and parent.kind() in {"selector_expression", "slice_expression"}):
            return False
        if parent.kind() == "parenthesized_expression":
            node = parent
            continue
        if _is_address(parent):
            return False
        operand = parent.field("operand")
        is_operand = operand is not None and span(operand) == span(node)
        if parent.kind() == "slice_expression" and is_operand:
            return of is not None and of.kind != "array"
        if parent.kind() == "selector_expression" and is_operand and of is not None:
            selected = parent.field("field")
            found = source.object_of(selected) if selected is not None else None
            if found is None or selected is None:
                return False
            if found.kind == "func":
                return of.kind in {"pointer", "interface"} or selected.text() in of.methods
            if of.kind == "pointer":
                return True
            node = parent
            continue
        if parent.kind() == "index_expression" and is_operand:
            if of is None or of.kind != "array":
                return of is not None
            node = parent
            continue
        return writes or not is_written(node)


def _is_address(node: SgNode) -> bool:
    operator = node.field("operator") if node.kind() == "unary_expression" else None
    return operator is not None and operator.text() == "&"


def _type(source: EditSource, node: SgNode) -> GoType | None:
    found = source.object_of(node) if node.kind() == "identifier" else None
    return source.checked.types[found.type] if found is not None and found.type >= 0 else source.type_of(node)


def _parts(source: EditSource, uses: list[SgNode], of: GoType) -> dict[str, list[SgNode]]:
    """Return the parts of a large variable that a closure reads, small enough to be copied: text -> where."""
    parts: dict[str, list[SgNode]] = {}
    for one in uses:
        part, own = one, of
        while own.bytes > _COPIED:
            inner = _part(source, part, own)
            known = source.type_of(inner) if inner is not None else None
            if inner is None or known is None:
                raise UneditableError(f"it is larger than {_COPIED} bytes, and the closure needs more than parts of it")
            part, own = inner, known
        if own.bytes < 0:
            raise UneditableError("how large the part is that the closure needs depends on a type parameter")
        parts.setdefault(part.text(), []).append(part)
    if len(parts) > _MOST_PARTS:
        raise UneditableError("the closure needs many parts of it")
    return parts


def _part(source: EditSource, whole: SgNode, of: GoType) -> SgNode | None:
    """Return the field, or the element at a constant index, that is read of a struct or array."""
    part = whole.parent()
    operand = part.field("operand") if part is not None else None
    if part is None or operand is None or span(operand) != span(whole):
        return None
    if part.kind() == "index_expression":
        index = part.field("index")
        return part if of.kind == "array" and index is not None and source.constant(index) is not None else None
    selected = part.field("field") if part.kind() == "selector_expression" else None
    found = source.object_of(selected) if selected is not None else None
    if of.kind != "struct" or selected is None or found is None or found.kind != "field":
        return None
    return part if _has_itself(source, of, selected.text()) else None


def _has_itself(source: EditSource, of: GoType, field: str) -> bool:
    """Whether a struct type of this file has a field, and not something embedded, which may be a pointer."""
    own = (spec for spec in source.syntax.all("type_spec") if (name := spec.field("name")) and name.text() == of.text)
    declared = (spec.field("type") for spec in own)
    lists = (one for struct in declared if struct is not None for one in named(struct))
    return any(
        child.text() == field
        for one in lists
        for declaration in named(one)
        if declaration.kind() == "field_declaration"
        for child in declaration.field_children("name")
    )


def _name(source: EditSource, variable: SgNode, returned: SgNode, value: str) -> str:
    """Return the copy's name: the variable's own, unless both would stand in one block."""
    if value == variable.text():
        block = next((one for one in returned.ancestors() if one.kind() in _SCOPES), None)
        declared = next((one for one in variable.ancestors() if one.kind() in (*_SCOPES, *_FUNCTIONS)), None)
        if block is None or declared is None:
            raise UneditableError("its block is not found")
        above = block.parent()
        is_same = begin(declared) == begin(block) or (above is not None and begin(declared) == begin(above))
        if not is_same:
            return value
        wanted = f"{value}Copy"
    else:
        wanted = "".join(char for char in value.rpartition(".")[2] if char.isalnum() or char == "_")
        wanted = wanted.lower() if wanted.isupper() else wanted[0].lower() + wanted[1:]
    around = source.declaration(begin(variable))
    used = {one.text() for one in identifiers(around) if one.kind() != "field_identifier"} if around else set()
    taken = used | source.scope | {one.name for one in source.checked.imports} | _KEYWORDS
    for name in (wanted, f"{wanted}Copy", *(f"{wanted}Copy{number}" for number in range(2, 99))):
        if name not in taken:
            return name
    raise UneditableError("there is no name left for the copy")


_KEYWORDS = frozenset(
    {
        "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func", "go",
        "goto", "if", "import", "interface", "map", "package", "range", "return", "select", "struct", "switch", "type",
        "var",
    }
)  # fmt: skip
_SCOPES = ("block", "expression_case", "default_case", "type_case", "communication_case")
_FUNCTIONS = ("function_declaration", "method_declaration", "func_literal", "if_statement", "for_statement")
