"""Whether a deferred call only adds to integers that nobody reads before the function ends.

Sums of integers are the same in any order (they wrap around, go.dev/ref/spec#Integer_overflow), so only a reader in
between could tell when they were made. Floats round, and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, end, identifiers, named
from whyheap.patterns.loop_count import is_set

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_OWN_EACH_TURN = (1, 22)  # go.dev/doc/go1.22: loop variables are new in each turn
_UNKNOWN = "what is deferred is no release of what the same turn opened: to wait for the end may be meant"
_ADDING = frozenset({"+=", "-="})
_COMPUTING = frozenset({"+", "-", "*", "&", "|", "^"})
_WATCHABLE = ("go_statement", "send_statement", "select_statement", "func_literal")
_INTEGERS = frozenset({f"{sign}int{bits}" for sign in ("", "u") for bits in ("", "8", "16", "32", "64")})


def check_only_counts(source: EditSource, call: SgNode, deferred: SgNode, loop: SgNode) -> None:
    """Refuse a deferred call unless it only counts, unseen."""
    function = call.field("function")
    if function is not None and function.kind() == "func_literal" and not arguments(call):
        _check_literal(source, function, deferred, loop)
    elif function is not None and function.kind() == "selector_expression":
        _check_method(source, function, loop)
    else:
        raise UneditableError(_UNKNOWN)


def _targets(body: SgNode | None, is_term: Callable[[SgNode], bool]) -> list[SgNode]:
    """Return what the statements of a function's body add to; refuses every other statement."""
    block = named(body) if body is not None else []
    statements = named(block[0]) if len(block) == 1 and block[0].kind() == "statement_list" else []
    targets = []
    for one in statements:
        if one.kind() in {"inc_statement", "dec_statement"}:
            targets.append(named(one)[0])
            continue
        left, right, operator = one.field("left"), one.field("right"), one.field("operator")
        if one.kind() != "assignment_statement" or left is None or right is None or operator is None:
            raise UneditableError(_UNKNOWN)
        if operator.text() not in _ADDING or not all(_is_computed(value, is_term) for value in named(right)):
            raise UneditableError(_UNKNOWN)
        targets += named(left)
    if not targets:
        raise UneditableError(_UNKNOWN)
    return targets


def _is_computed(value: SgNode, is_term: Callable[[SgNode], bool]) -> bool:
    """Whether an expression is arithmetic that cannot panic, of terms that are the same later."""
    if value.kind() == "int_literal":
        return True
    if value.kind() == "identifier":
        return is_term(value)
    if value.kind() == "parenthesized_expression":
        return all(_is_computed(one, is_term) for one in named(value))
    operator = value.field("operator")
    is_sum = value.kind() == "binary_expression" and operator is not None and operator.text() in _COMPUTING
    sides = [value.field("left"), value.field("right")]
    return is_sum and all(one is not None and _is_computed(one, is_term) for one in sides)


def _check_literal(source: EditSource, literal: SgNode, deferred: SgNode, loop: SgNode) -> None:
    """Take `defer func() { total += n }()` on a package variable that nothing else in the function can see."""
    around = source.function(loop)
    if around is None or around.kind() == "func_literal":
        raise UneditableError("the loop stands in a func literal")

    def is_term(name: SgNode) -> bool:
        found = source.object_of(name)
        if found is not None and found.kind == "const":
            return True
        if found is None or found.kind != "var" or found.level != "local":
            return False
        declared = source.index(found.start)
        in_body = begin(loop) <= declared < end(loop)
        if in_body and declared < begin(loop.field("body") or loop) and source.language < _OWN_EACH_TURN:
            return False
        written = [begin(one) for one in source.mentions(name) if is_set(source, one)]
        # The step of `for i := 0; ; i++` counts the next turn's own variable.
        inside = begin(loop.field("body") or loop)
        return not any(at > inside if in_body else at != declared for at in written)

    for target in _targets(literal.field("body"), is_term):
        found = source.object_of(target)
        if found is None or found.kind != "var" or found.level != "package" or found.type < 0:
            raise UneditableError("what the deferred call changes is seen before the function ends")
        if source.checked.types[found.type].basic not in _INTEGERS:
            raise UneditableError("the deferred call counts in floats, whose sums depend on the order")
        if any(not begin(literal) <= begin(one) < end(literal) for one in source.mentions(target, around)):
            raise UneditableError(f"{target.text()} is used besides in the deferred call")
    _check_unwatched(source, around, deferred, loop)


def _check_unwatched(source: EditSource, around: SgNode, deferred: SgNode, loop: SgNode) -> None:
    """Refuse a function in which anything may read a package variable: calls, pointers, other goroutines."""
    reader = UneditableError("the function calls or waits for what may read it in between")
    for kind in (*_WATCHABLE, "call_expression", "unary_expression"):
        for one in around.find_all(kind=kind):
            if begin(deferred) <= begin(one) < end(deferred):
                continue
            operator = one.field("operator")
            if kind == "unary_expression" and operator is not None and operator.text() not in {"*", "<-"}:
                continue
            if kind == "call_expression" and any(source.is_builtin(one.field("function"), name) for name in _QUIET):
                continue
            raise reader
    clause = next((one for one in loop.children() if one.kind() == "range_clause"), None)
    ranged = clause.field("right") if clause is not None else None
    of = source.type_of(ranged) if ranged is not None else None
    if ranged is not None and (of is None or of.kind not in {"slice", "array", "map", "basic"}):
        raise reader


_QUIET = ("len", "cap", "append", "make", "min", "max", "copy")


def _check_method(source: EditSource, function: SgNode, loop: SgNode) -> None:
    """Take `defer c.done(n)` on a local struct whose fields are only ever added to."""
    holder, name = function.field("operand"), function.field("field")
    found = source.object_of(holder) if holder is not None and holder.kind() == "identifier" else None
    if holder is None or name is None or found is None or found.level != "local" or found.type < 0:
        raise UneditableError(_UNKNOWN)
    of = source.checked.types[found.type]
    if of.kind != "struct" or found.kind != "var":
        raise UneditableError(_UNKNOWN)
    method = _method(source, of.text, name.text())
    parameters = _names(method, "parameters")
    receiver = next(iter(_names(method, "receiver")), "")
    for target in _targets(method.field("body"), lambda term: term.text() in parameters):
        operand, field = target.field("operand"), target.field("field")
        if target.kind() != "selector_expression" or operand is None or operand.text() != receiver or field is None:
            raise UneditableError(_UNKNOWN)
        if _field_type(source, of.text, field.text()) not in _INTEGERS:
            raise UneditableError("the deferred call counts in what is no integer")
    around = source.declaration(begin(loop))
    for one in source.mentions(holder, around):
        if begin(one) not in {begin(holder), source.index(found.start)} and not _is_added_to(one):
            raise UneditableError(f"{holder.text()} is read, or handed on, besides in the deferred call")


def _method(source: EditSource, of: str, name: str) -> SgNode:
    for one in source.syntax.all("method_declaration"):
        own, receiver = one.field("name"), one.field("receiver")
        if own is not None and own.text() == name and receiver is not None:
            written = receiver.find(kind="type_identifier")
            if written is not None and written.text() == of and "[" not in receiver.text():
                return one
    raise UneditableError(_UNKNOWN)


def _names(method: SgNode, field: str) -> list[str]:
    found = method.field(field)
    return [one.text() for one in identifiers(found) if one.kind() == "identifier"] if found is not None else []


def _field_type(source: EditSource, of: str, field: str) -> str:
    for spec in source.syntax.all("type_spec"):
        name = spec.field("name")
        if name is None or name.text() != of:
            continue
        for one in spec.find_all(kind="field_declaration"):
            written = one.field("type")
            if written is not None and field in (child.text() for child in one.field_children("name")):
                return written.text()
    return ""


def _is_added_to(mention: SgNode) -> bool:
    """Whether a mention is the target of `c.n += x` or `c.n++`, outside of closures."""
    selector = mention.parent()
    if selector is None or selector.kind() != "selector_expression":
        return False
    if any(one.kind() == "func_literal" for one in mention.ancestors()):
        return False
    parent = selector.parent()
    if parent is not None and parent.kind() in {"inc_statement", "dec_statement"}:
        return True
    holder = parent.parent() if parent is not None and parent.kind() == "expression_list" else None
    left = holder.field("left") if holder is not None and holder.kind() == "assignment_statement" else None
    operator = holder.field("operator") if holder is not None else None
    return (
        left is not None
        and begin(left) <= begin(mention) < end(left)
        and operator is not None
        and (operator.text() in _ADDING)
    )
