"""Whether a slice is a function's own: made by it, handed to nobody, and not used behind a loop over it.

Then a pointer into it is as good as one to a copy of the element: nobody else can see or change what it points to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.patterns.edit_source import EditSource, arguments, begin, end, named
from whyheap.patterns.local_variable import declared_value, statement_before

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_PARTS = frozenset({"index_expression", "selector_expression", "parenthesized_expression"})


def is_own(source: EditSource, loop: SgNode, ranged: SgNode) -> bool:
    """Whether nothing but the loop's pointers will reach the elements of the slice that a loop ranges over."""
    of, found = source.type_of(ranged), source.object_of(ranged) if ranged.kind() == "identifier" else None
    if of is None or of.kind != "slice" or found is None or found.kind != "var" or found.level != "local":
        return False
    declared = statement_before(source, loop, ranged)
    if declared is None or not _is_fresh(source, declared, ranged):
        return False
    around = source.function(ranged)
    if around is None or around.find(kind="goto_statement") is not None:
        return False
    for use in source.mentions(ranged):
        function = source.function(use)
        if function is None or begin(function) != begin(around) or begin(use) > begin(ranged):
            return False
        if begin(use) >= end(declared) and begin(use) != begin(ranged) and not _is_harmless(source, use):
            return False
    body = loop.field("body")
    return body is not None and all(one.text() != ranged.text() for one in body.find_all(kind="identifier"))


def _is_fresh(source: EditSource, declared: SgNode, name: SgNode) -> bool:
    """Whether a declaration makes the one variable a slice with an array of its own, or none."""
    is_one, value = declared_value(declared, name)
    if not is_one or value is None:
        return is_one
    if value.kind() == "call_expression":
        return source.is_builtin(value.field("function"), "make")
    return value.kind() == "composite_literal" or source.is_builtin(value, "nil")


def _is_harmless(source: EditSource, use: SgNode) -> bool:
    """Whether a use reads or writes elements or the length, is ranged over, or grows the slice by append."""
    parent = use.parent()
    if parent is None:
        return False
    if parent.kind() == "range_clause":
        return True
    if parent.kind() == "argument_list":
        call = parent.parent()
        function = call.field("function") if call is not None else None
        if source.is_builtin(function, "len") or source.is_builtin(function, "cap"):
            return True
        return call is not None and source.is_builtin(function, "append") and _grown(source, call, use)
    if parent.kind() == "expression_list":
        statement = parent.parent()
        right = statement.field("right") if statement is not None else None
        value = named(right)[0] if right is not None and len(named(right)) == 1 else None
        return value is not None and value.kind() == "call_expression" and _grown(source, value, use)
    return parent.kind() == "index_expression" and begin(parent) == begin(use) and not _is_aliased(source, parent)


def _grown(source: EditSource, call: SgNode, use: SgNode) -> bool:
    """Whether a call is the right side of `xs = append(xs, ...)`, for a use of xs on either side."""
    right = call.parent()
    statement = right.parent() if right is not None and right.kind() == "expression_list" else None
    left = statement.field("left") if statement is not None else None
    targets, given = (named(left) if left is not None else []), arguments(call)
    if statement is None or statement.kind() != "assignment_statement" or len(targets) != 1 or not given:
        return False
    if not source.is_builtin(call.field("function"), "append"):
        return False
    is_same = source.is_same(targets[0], use) and source.is_same(given[0], use)
    return is_same and begin(use) in {begin(targets[0]), begin(given[0])}


def _is_aliased(source: EditSource, element: SgNode) -> bool:
    """Whether an element, or a part of it, has its address taken, is sliced, or may be a method's receiver."""
    node, parent = element, element.parent()
    while parent is not None and parent.kind() in _PARTS and begin(parent) == begin(element):
        field = parent.field("field")
        of = source.object_of(field) if field is not None else None
        if field is not None and (of is None or of.kind != "field"):
            return True  # a method, called or as a value
        node, parent = parent, parent.parent()
    if parent is None:
        return True
    if parent.kind() == "call_expression":
        return begin(parent) == begin(node)
    operator = parent.field("operator") if parent.kind() == "unary_expression" else None
    return parent.kind() == "slice_expression" or (operator is not None and operator.text() == "&")
