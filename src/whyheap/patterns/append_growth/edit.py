"""Makes room before the loop: `out = slices.Grow(out, len(ids))`, or the capacity in the declaration right above it.

slices.Grow leaves a nil slice nil when there is nothing to add (slices/slices.go, Go 1.21), as the loop does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, end, named, replace
from whyheap.patterns.loop_count import check_always_reached, count, loop_of, statements_around, times

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_SLICES = (1, 21)  # go.dev/doc/go1.21: package slices
_BRINGS = (r"^append\(", r"^make\(", r"^append$")


def edit(finding: Finding, source: EditSource) -> Edit:
    """Presize a local slice that a loop fills, one append each time around."""
    call = next(
        (one for one in source.calls_around(finding) if source.is_builtin(one.field("function"), "append")), None
    )
    if call is None:
        raise UneditableError("the append stands in other code, which is inlined here")
    grown = arguments(call)[0]
    found = source.object_of(grown) if grown.kind() == "identifier" else None
    if found is None or found.kind != "var" or found.level != "local":
        raise UneditableError("what grows is no local variable")
    statement = _own_statement(call, grown)
    loop = loop_of(statement) if statement is not None else None
    if statement is None or loop is None:
        raise UneditableError("it is not one append each time around a loop")
    check_always_reached(statement, loop, grown.text())
    declared = _declaration(source, loop, grown)
    often = count(source, loop)
    added = sum(_added(one) for one in _appends(source, loop, grown))
    if not added:
        raise UneditableError("how much each append adds is not known before")
    return _edit(finding, source, call, loop, declared, times(often, added))


def _edit(finding: Finding, source: EditSource, call: SgNode, loop: SgNode, declared: SgNode, capacity: str) -> Edit:
    name = arguments(call)[0].text()
    value = _empty_value(declared, source)
    lines = (source.line(begin(declared)), source.line(begin(loop)))
    around = statements_around(loop)
    positions = [begin(one) for one in around]
    is_next = positions.index(begin(loop)) == positions.index(begin(declared)) + 1
    if value is not None and is_next:
        written = value.field("type")
        if value.kind() == "call_expression":
            written = arguments(value)[0]
        if written is None:
            raise UneditableError("the type of the slice is not written")
        new = f"make({written.text()}, 0, {capacity})"
        return source.edit(
            finding, f"{value.text()} -> {new}", [replace(value, new)], brings=_BRINGS, stays=True, lines=lines
        )
    if source.language < _SLICES:
        raise UneditableError("a slice that stays nil when nothing is added needs slices.Grow, of Go 1.21")
    package = source.package_name("slices", loop)
    if not package:
        raise UneditableError("the name slices means something else here")
    new = f"{name} = {package}.Grow({name}, {capacity})"
    inserted = Change(begin(loop), begin(loop), f"{new}\n{source.indentation(loop)}")
    return source.edit(finding, new, [inserted], imports=["slices"], brings=_BRINGS, stays=True, lines=lines)


def _own_statement(call: SgNode, grown: SgNode) -> SgNode | None:
    """Return the statement `x = append(x, ...)` around a call."""
    values = call.parent()
    statement = values.parent() if values is not None and values.kind() == "expression_list" else None
    if statement is None or statement.kind() != "assignment_statement" or statement.field("operator") is None:
        return None
    left = statement.field("left")
    operator = statement.field("operator")
    if left is None or left.text() != grown.text() or operator is None or operator.text() != "=":
        return None
    return statement


def _declaration(source: EditSource, loop: SgNode, grown: SgNode) -> SgNode:
    """Return the statement that declares the slice empty, in the loop's own block; nothing else may set it before."""
    elsewhere = UneditableError("the slice is not declared, empty, beside the loop")
    declared = None
    for statement in statements_around(loop):
        if begin(statement) >= begin(loop):
            break
        own = source.mentions(grown, statement)
        if own and declared is None:
            if not _declares_empty(statement, own[0], source):
                raise elsewhere
            declared = statement
        elif own and any(not _is_append_or_read(one) for one in own):
            raise UneditableError("the slice is set or handed on before the loop")
    if declared is None:
        raise elsewhere
    around = source.function(loop)
    everywhere = source.mentions(grown)
    if any(
        source.function(one) is None or around is None or _differs(source.function(one), around) for one in everywhere
    ):
        raise UneditableError("a closure uses the slice, too")
    return declared


def _differs(one: SgNode | None, other: SgNode) -> bool:
    return one is None or begin(one) != begin(other)


def _is_append_or_read(node: SgNode) -> bool:
    """Whether a mention is `x = append(x, ...)`, or takes only the length."""
    parent = node.parent()
    if parent is None:
        return False
    if parent.kind() == "argument_list":
        call = parent.parent()
        function = call.field("function") if call is not None else None
        return function is not None and function.text() in {"append", "len"}
    return parent.kind() == "expression_list" and "= append(" in (parent.parent() or parent).text()


def _declares_empty(statement: SgNode, name: SgNode, source: EditSource) -> bool:
    if statement.kind() == "var_declaration":
        specs = statement.find_all(kind="var_spec")
        own = [one for one in specs if begin(one) <= begin(name) < end(one)]
        return len(own) == 1 and own[0].field("value") is None
    return _empty_value(statement, source) is not None


def _empty_value(statement: SgNode, source: EditSource) -> SgNode | None:
    """Return the value of `x := []T{}` or `x := make([]T, 0)`."""
    if statement.kind() != "short_var_declaration":
        return None
    left, right = statement.field("left"), statement.field("right")
    names, values = (named(left) if left else []), (named(right) if right else [])
    if len(names) != 1 or len(values) != 1:
        return None
    value = values[0]
    if value.kind() == "composite_literal":
        body = value.field("body")
        return value if body is not None and not named(body) and body.text().replace(" ", "") == "{}" else None
    if value.kind() == "call_expression" and source.is_builtin(value.field("function"), "make"):
        sizes = arguments(value)[1:]
        return value if [one.text() for one in sizes] == ["0"] else None
    return None


def _appends(source: EditSource, loop: SgNode, grown: SgNode) -> list[SgNode]:
    """Return the appends to the slice that run once each time around."""
    found = []
    for call in loop.find_all(kind="call_expression"):
        if not source.is_builtin(call.field("function"), "append") or not arguments(call):
            continue
        own = arguments(call)[0]
        statement = _own_statement(call, own) if source.is_same(own, grown) else None
        around = loop_of(statement) if statement is not None else None
        if around is not None and begin(around) == begin(loop):
            found.append(call)
    return found


def _added(call: SgNode) -> int:
    """Return how many elements an append adds; 0 for `ys...`, whose number is not known."""
    inner = call.field("arguments")
    is_spread = inner is not None and any(one.kind() == "variadic_argument" for one in inner.children())
    return 0 if is_spread else len(arguments(call)) - 1
