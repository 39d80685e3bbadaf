"""Whether a value may be read earlier than it was: before a call that stands behind it.

The order of calls is fixed, that of reading variables beside them is not (go.dev/ref/spec#Order_of_evaluation). The
compiler reads them behind all calls of the expression (cmd/compile/internal/walk/order.go, Go 1.22 to 1.27): in
`fmt.Sprintf("%d%s", p.n, p.next())` p.n is what next made of it, in `strconv.Itoa(p.n) + p.next()` what it was before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from whyheap.model.go_types import GoObject
from whyheap.patterns.edit_source import EditSource, UneditableError, begin, named

if TYPE_CHECKING:
    from ast_grep_py import SgNode


_READING = frozenset({"cap", "complex", "imag", "len", "max", "min", "real"})
_COMPUTING = frozenset({"math", "path", "path/filepath", "strconv", "strings", "unicode", "unicode/utf8"})


def check_calls_behind(source: EditSource, node: SgNode, behind: Iterable[SgNode]) -> None:
    """Refuse to read a value before the calls in what stands behind it, unless they cannot change it."""
    if not _is_settled(source, node) and any(calls(source, one) for one in behind):
        raise UneditableError("a call behind a value may change it, and it would be read before")


def _is_settled(source: EditSource, node: SgNode) -> bool:
    """Whether a value is the same before and behind any call: a constant, a call, a variable that nobody else has."""
    if source.constant(node) is not None or _is_call(source, node):
        return True
    if node.kind() in {"parenthesized_expression", "binary_expression"}:
        operator = node.field("operator")
        may_panic = operator is not None and operator.text() in {"/", "%", "<<", ">>"}
        return not may_panic and all(_is_settled(source, one) for one in named(node))
    if node.kind() == "selector_expression":
        operand = node.field("operand")
        of = source.type_of(operand) if operand is not None else None
        return operand is not None and of is not None and of.kind == "struct" and _is_settled(source, operand)
    return node.kind() == "identifier" and _is_own(source, node)


def _is_own(source: EditSource, name: SgNode) -> bool:
    """Whether an identifier is a local variable that no closure has, and no pointer."""
    found = source.object_of(name)
    if found is None or found.kind != "var" or found.level != "local":
        return False
    around = source.function(name)
    return around is not None and all(_is_plain(source, one, begin(around)) for one in source.mentions(name))


def _is_plain(source: EditSource, mention: SgNode, function: int) -> bool:
    """Whether a mention stands in the function that begins there, and takes no address: by &, a method or slicing."""
    around = source.function(mention)
    if around is None or begin(around) != function:
        return False
    node = mention
    while (parent := node.parent()) is not None:
        if parent.kind() == "selector_expression":
            field = parent.field("field")
            of = source.object_of(field) if field is not None else None
            if of is None or of.kind != "field":
                return False
        elif parent.kind() == "unary_expression":
            operator = parent.field("operator")
            return operator is None or operator.text() != "&"
        elif parent.kind() == "slice_expression":
            return False
        elif parent.kind() not in {"index_expression", "parenthesized_expression"}:
            return True
        node = parent
    return True


def calls(source: EditSource, node: SgNode, but: Iterable[str] = ()) -> bool:
    """Whether code receives from a channel, or makes a call that does more than compute; `but` are builtins, too."""
    operators = [one.field("operator") for one in node.find_all(kind="unary_expression")]
    if any(one is not None and one.text() == "<-" for one in (node.field("operator"), *operators)):
        return True
    found = [*([node] if node.kind() == "call_expression" else []), *node.find_all(kind="call_expression")]
    allowed = _READING.union(but)
    return not all(_only_computes(source, one, allowed) for one in found)


def _only_computes(source: EditSource, call: SgNode, builtins: frozenset[str]) -> bool:
    package, _, name = source.called(call).rpartition(".")
    if package in _COMPUTING:
        return not (name.endswith(("Func", "Map")) or name.startswith("Walk"))  # these call what they are given
    of = _callee(source, call)
    return of is not None and (of.kind == "type" or (of.level == "universe" and of.name in builtins))


def _is_call(source: EditSource, node: SgNode) -> bool:
    """Whether an expression is surely a call, and no conversion or builtin, which read a value as an operator does."""
    of = _callee(source, node) if node.kind() == "call_expression" else None
    return of is not None and of.kind in {"func", "var", "field"}


def _callee(source: EditSource, call: SgNode) -> GoObject | None:
    """Return what the name before the parentheses stands for."""
    function = call.field("function")
    if function is not None and function.kind() == "selector_expression":
        function = function.field("field")
    return source.object_of(function) if function is not None else None
