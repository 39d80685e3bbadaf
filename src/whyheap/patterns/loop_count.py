"""How often a loop runs, as an expression that can stand right before it: for edits that make room at once.

A number that is no length may come from outside, and be far too large: what ends the loop early saves the memory then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.patterns.edit_source import EditSource, UneditableError, begin, end, named
from whyheap.patterns.evaluation_order import calls

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_COUNTED = frozenset({"slice", "array", "map"})
_LEAVING = ("break_statement", "continue_statement", "goto_statement", "return_statement")
_PANICKING = ("index_expression", "slice_expression", "type_assertion_expression")
_FILLING = ("append", "copy", "delete")
_MIN_MAX = (1, 21)  # go.dev/ref/spec: min and max are builtins since Go 1.21


def loop_of(statement: SgNode) -> SgNode | None:
    """Return the loop whose body a statement directly is part of: it runs once each time around."""
    body = statement.parent()
    block = body.parent() if body is not None and body.kind() == "statement_list" else None
    loop = block.parent() if block is not None and block.kind() == "block" else None
    return loop if loop is not None and loop.kind() == "for_statement" else None


def with_label(loop: SgNode) -> SgNode:
    """Return the statement that a loop is with its label; the loop where it has none."""
    parent = loop.parent()
    return parent if parent is not None and parent.kind() == "labeled_statement" else loop


def statements_around(loop: SgNode) -> list[SgNode]:
    """Return the statements of the block that a loop is part of; none for one with a label."""
    block = loop.parent()
    return named(block) if block is not None and block.kind() == "statement_list" else []


def check_always_reached(statement: SgNode, loop: SgNode, name: str) -> None:
    """Refuse a statement of a loop's body that may be left out when the loop goes round.

    A return before it does no harm if it does not mention `name`, the variable that is being filled.
    """
    for node in loop.find_all({"rule": {"any": [{"kind": kind} for kind in _LEAVING]}}):
        if _is_of_function_inside(node, loop):
            continue
        kind = node.kind()
        if kind == "return_statement":
            if begin(node) < begin(statement) and any(one.text() == name for one in node.find_all(kind="identifier")):
                raise UneditableError("the loop may return before anything was added")
        elif kind == "continue_statement" and begin(node) > begin(statement):
            continue
        elif kind != "break_statement" or not _is_of_switch(node, loop):
            raise UneditableError("the loop leaves elements out: how many are added is not known before")


def _is_of_function_inside(node: SgNode, loop: SgNode) -> bool:
    around = (one for one in node.ancestors() if begin(one) > begin(loop))
    return any(one.kind() == "func_literal" for one in around)


def _is_of_switch(node: SgNode, loop: SgNode) -> bool:
    """Whether a break without a label ends a switch or a loop further in."""
    if any(one.kind() == "label_name" for one in node.children()):
        return False
    for one in node.ancestors():
        if begin(one) <= begin(loop):
            return False
        if one.kind() in {"expression_switch_statement", "type_switch_statement", "select_statement", "for_statement"}:
            return True
    return False


def count(source: EditSource, loop: SgNode) -> str:
    """Return how often a loop runs at most, as an int that is not negative."""
    clause = next((one for one in loop.children() if one.kind() in {"range_clause", "for_clause"}), None)
    if clause is None:
        raise UneditableError("the loop does not tell how often it runs")
    often = _of_range(source, clause) if clause.kind() == "range_clause" else _of_for(source, loop, clause)
    if not often.startswith("len(") and loop.find(kind="return_statement") is not None:
        raise UneditableError("the loop may return long before it has run that often")
    body = loop.field("body")
    if often.startswith("max(") and (body is None or calls(source, body, _FILLING)):
        raise UneditableError("a call in the loop may end it, by a panic, long before it has run that often")
    if often.startswith("max(") and any(loop.find(kind=kind) is not None for kind in _PANICKING):
        raise UneditableError("an index in the loop may end it, by a panic, long before it has run that often")
    return often


def ranged_over(loop: SgNode) -> SgNode | None:
    """Return what a loop ranges over; None for other loops."""
    clause = next((one for one in loop.children() if one.kind() == "range_clause"), None)
    return clause.field("right") if clause is not None else None


def _of_range(source: EditSource, clause: SgNode) -> str:
    ranged = clause.field("right")
    of = source.type_of(ranged) if ranged is not None else None
    if ranged is None or of is None:
        raise UneditableError("the type of what is ranged over is not known")
    is_constant = source.constant(ranged) is not None
    if not is_constant and not source.is_steady(ranged):
        raise UneditableError("what is ranged over is computed by the loop itself")
    pointed = source.element(of) if of.kind == "pointer" else None
    if of.kind in _COUNTED or (pointed is not None and pointed.kind == "array"):
        return f"len({ranged.text()})"
    if of.kind == "basic" and "int" in of.basic:
        return _number(source, ranged)
    raise UneditableError("the loop does not tell how often it runs")


def _of_for(source: EditSource, loop: SgNode, clause: SgNode) -> str:
    """Read `for i := 0; i < n; i++` whose i and n the body leaves alone."""
    unknown = UneditableError("the loop does not tell how often it runs")
    first, test, step = (clause.field(name) for name in ("initializer", "condition", "update"))
    if first is None or test is None or step is None or first.kind() != "short_var_declaration":
        raise unknown
    names, values = first.field("left"), first.field("right")
    left, right, operator = test.field("left"), test.field("right"), test.field("operator")
    if names is None or values is None or left is None or right is None or operator is None:
        raise unknown
    variables = named(names)
    if (
        len(variables) != 1
        or values.text() != "0"
        or operator.text() != "<"
        or step.text() != f"{variables[0].text()}++"
    ):
        raise unknown
    if left.text() != variables[0].text():
        raise unknown
    body = loop.field("body")
    if body is None or any(is_written(one) for one in source.mentions(variables[0], body)):
        raise unknown
    if right.kind() == "call_expression":
        function, inner = right.field("function"), right.field("arguments")
        ranged = named(inner) if inner is not None else []
        if source.is_builtin(function, "len") and len(ranged) == 1 and _is_left_alone(source, ranged[0], body):
            return f"len({ranged[0].text()})"
        raise unknown
    if source.constant(right) is None and not (right.kind() == "identifier" and _is_left_alone(source, right, body)):
        raise unknown
    return _number(source, right)


def _is_left_alone(source: EditSource, node: SgNode, body: SgNode) -> bool:
    """Whether a local variable is the same all through a loop."""
    found = source.object_of(node)
    if found is None or found.kind != "var" or found.level != "local" or node.kind() != "identifier":
        return False
    declaration = source.declaration(begin(node))
    everywhere = source.mentions(node, declaration) if declaration is not None else []
    if any(_is_addressed(one) for one in everywhere):
        return False
    return not any(is_written(one) for one in source.mentions(node, body))


def _is_addressed(node: SgNode) -> bool:
    parent = node.parent()
    operator = parent.field("operator") if parent is not None and parent.kind() == "unary_expression" else None
    return operator is not None and operator.text() == "&"


def is_written(node: SgNode) -> bool:
    """Whether an identifier is assigned to, counted up or down, or has its address taken."""
    if _is_addressed(node):
        return True
    parent = node.parent()
    if parent is None:
        return False
    if parent.kind() in {"inc_statement", "dec_statement"}:
        return True
    holder = parent.parent()
    if parent.kind() != "expression_list" or holder is None:
        return False
    left = holder.field("left")
    is_left = left is not None and begin(left) == begin(parent)
    return is_left and holder.kind() in {"assignment_statement", "range_clause", "receive_statement"}


def is_set(source: EditSource, node: SgNode) -> bool:
    """Whether a mention of a variable changes it: `a, err := f()` does where err is known already."""
    values = node.parent()
    holder = values.parent() if values is not None and values.kind() == "expression_list" else None
    left = holder.field("left") if holder is not None and holder.kind() == "short_var_declaration" else None
    found = source.object_of(node)
    is_left = left is not None and begin(left) <= begin(node) < end(left)
    return is_written(node) or (is_left and found is not None and source.index(found.start) != begin(node))


def _number(source: EditSource, node: SgNode) -> str:
    """Return an int variable or constant as a count: `make` panics where it is negative, the loop does not run then."""
    of, value = source.type_of(node), source.constant(node)
    if value is not None:
        if not value.isdecimal():
            raise UneditableError("the loop does not tell how often it runs")
        return node.text()
    if of is None or of.text != "int":
        raise UneditableError("the count is no int")
    if source.language < _MIN_MAX:
        raise UneditableError("the count may be negative, and Go before 1.21 has no max")
    if "max" in source.scope | source.names_used(node):
        raise UneditableError("the count may be negative, and max means something else here")
    return f"max({node.text()}, 0)"


def times(expression: str, factor: int) -> str:
    """Return a multiple of a count."""
    if factor == 1:
        return expression
    is_whole = expression.isalnum() or expression.startswith(("len(", "max("))
    return f"{factor}*{expression}" if is_whole else f"{factor}*({expression})"
