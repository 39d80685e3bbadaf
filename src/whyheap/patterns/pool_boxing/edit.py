"""Lets a pool hold pointers to its slices: New, every Get and every Put together.

It pays only if the pointer that Get returned is put back, so each function that gets must put, and the other way
round. Everything is told from the file's syntax: a pool that is used in any other way, or elsewhere, is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import (
    EditSource,
    UneditableError,
    arguments,
    begin,
    end,
    identifiers,
    named,
    replace,
    span,
)
from whyheap.patterns.loop_count import is_written
from whyheap.patterns.syntax import FUNCTIONS

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_DECLARING = frozenset({"short_var_declaration", "range_clause", "receive_statement"})


@dataclass(frozen=True, slots=True)
class _Get:
    statement: SgNode
    name: str
    call: SgNode
    cut: str


def edit(finding: Finding, source: EditSource) -> Edit:
    """Change a package's own pool of slices into one of pointers to slices."""
    pool = _pool(finding, source)
    if source.is_elsewhere(pool):
        raise UneditableError(f"{pool} is used in other files, too")
    made, element = _made(source, pool)
    gets: list[_Get] = []
    puts: list[SgNode] = []
    for one in identifiers(source.syntax.root):
        if one.text() != pool or one.kind() not in {"identifier", "field_identifier"} or _is_declared(one):
            continue
        call = _called(one)
        method = call.field("function") if call is not None else None
        if call is not None and method is not None and method.text() == f"{pool}.Get" and not arguments(call):
            gets.append(_got(call, element))
        elif call is not None and method is not None and method.text() == f"{pool}.Put":
            puts.append(call)
        else:
            raise UneditableError(f"{pool} is not only asked and given back")
    changes = list(made)
    for get in gets:
        changes += _changes(source, get, [one for one in puts if _is_in(one, _home(get.statement))])
    if not gets or any(not any(_is_in(put, _home(get.statement)) for get in gets) for put in puts):
        raise UneditableError("what is put was not got from the pool in the same function")
    title = f"{pool} holds *{element} instead of {element}"
    # The variable whose address New returns, and what New made of it.
    brings = (r"^pooled\d*$",)
    return source.edit(finding, title, changes, brings=brings, lines=[source.line(begin(one)) for one in puts])


def _pool(finding: Finding, source: EditSource) -> str:
    for call in source.calls_around(finding):
        function = call.field("function")
        operand, field = (
            (function.field("operand"), function.field("field"))
            if function is not None and function.kind() == "selector_expression"
            else (None, None)
        )
        if operand is None or field is None or field.text() != "Put":
            continue
        found = source.object_of(operand) if operand.kind() == "identifier" else None
        if found is None or found.kind != "var" or found.level != "package":
            raise UneditableError("the pool is no variable of the package")
        if found.name[:1].isupper():
            raise UneditableError("the pool is exported: other packages may use it")
        if source.checked.types[found.type].text not in {"sync.Pool", "*sync.Pool"}:
            raise UneditableError("it is no sync.Pool")
        return found.name
    raise UneditableError("no call of Put is found on the line")


def _spec(source: EditSource, pool: str) -> SgNode:
    for spec in source.syntax.all("var_spec"):
        names = [one.text() for one in spec.field_children("name")]
        if pool in names and not any(one.kind() in FUNCTIONS for one in spec.ancestors()):
            if len(names) == 1:
                return spec
            break
    raise UneditableError("the pool is not declared in this file with a New of its own")


def _made(source: EditSource, pool: str) -> tuple[list[Change], str]:
    """Return the changes of New, and the type of the slices."""
    unlike = UneditableError("the pool has no New that returns a slice it makes")
    values = _spec(source, pool).field("value")
    written = re.fullmatch(r"&?sync\.Pool\{\s*New:\s*func\(\) (?:any|interface\{\}) \{.*\},?\s*\}", _flat(values))
    literal = values.find(kind="func_literal") if values is not None else None
    body = literal.field("body") if literal is not None else None
    if literal is None or body is None or written is None:
        raise unlike
    statements = [one for block in named(body) for one in named(block)]
    returned = [one for one in statements if one.kind() == "return_statement"]
    if len(statements) != 1 or len(returned) != 1:
        raise unlike
    lists = named(returned[0])
    value = named(lists[0])[0] if lists and len(named(lists[0])) == 1 else None
    if value is None:
        raise unlike
    written_type = value.field("type") if value.kind() == "composite_literal" else None
    function = value.field("function") if value.kind() == "call_expression" else None
    if function is not None and function.text() == "make" and "make" not in source.scope:
        written_type = arguments(value)[0]
    if written_type is None or written_type.kind() != "slice_type":
        raise unlike
    taken = {one.text() for one in identifiers(literal)}
    name = next(one for one in ("pooled", *(f"pooled{number}" for number in range(2, 99))) if one not in taken)
    indent = source.indentation(returned[0])
    new = f"{name} := {value.text()}\n{indent}return &{name}"
    return [replace(returned[0], new)], written_type.text()


def _flat(node: SgNode | None) -> str:
    return " ".join(node.text().split()) if node is not None else ""


def _is_declared(name: SgNode) -> bool:
    parent = name.parent()
    return (
        parent is not None
        and parent.kind() == "var_spec"
        and any(span(one) == span(name) for one in parent.field_children("name"))
        and not any(one.kind() in FUNCTIONS for one in parent.ancestors())
    )


def _called(name: SgNode) -> SgNode | None:
    selector = name.parent()
    call = selector.parent() if selector is not None and selector.kind() == "selector_expression" else None
    function = call.field("function") if call is not None and call.kind() == "call_expression" else None
    return call if function is not None and selector is not None and span(function) == span(selector) else None


def _got(call: SgNode, element: str) -> _Get:
    """Read `buf := pool.Get().([]byte)`, which may be cut: `[:0]`."""
    unlike = UneditableError(f"what Get returns is not taken by a variable as {element}")
    asserted = call.parent()
    if asserted is None or asserted.kind() != "type_assertion_expression":
        raise unlike
    of = asserted.field("type")
    value, cut = asserted, ""
    around = asserted.parent()
    if around is not None and around.kind() == "slice_expression":
        value, cut = around, around.text()[len(asserted.text()) :]
    values = value.parent()
    statement = values.parent() if values is not None and values.kind() == "expression_list" else None
    left = statement.field("left") if statement is not None else None
    names = named(left) if left is not None else []
    block = statement.parent() if statement is not None else None
    if of is None or of.text() != element or cut not in {"", "[:0]"}:
        raise unlike
    if statement is None or statement.kind() != "short_var_declaration" or len(names) != 1:
        raise unlike
    if block is None or block.kind() != "statement_list":
        raise unlike
    return _Get(statement, names[0].text(), call, cut)


def _home(statement: SgNode) -> SgNode:
    """Return the block that a statement is part of."""
    return statement.parent() or statement


def _is_in(node: SgNode, outer: SgNode) -> bool:
    return begin(outer) <= begin(node) < end(outer)


def _changes(source: EditSource, get: _Get, puts: list[SgNode]) -> list[Change]:
    if len(puts) != 1:
        raise UneditableError("it is not put back once for each time that it is got")
    put, function = puts[0], source.function(get.statement)
    if function is None or _declarations(function, get.name) != 1:
        raise UneditableError(f"{get.name} is not one variable")
    given = arguments(put)
    if len(given) != 1 or given[0].text() not in {get.name, f"{get.name}[:0]"}:
        raise UneditableError("something else than what was got is put back")
    statement = put.parent()
    if statement is None or statement.kind() not in {"expression_statement", "defer_statement"}:
        raise UneditableError("the Put is no statement")
    _check_place(get, statement)
    taken = {one.text() for one in identifiers(function)} | source.scope | {one.name for one in source.checked.imports}
    wanted = (f"{get.name}Pointer", *(f"{get.name}Pointer{number}" for number in range(2, 99)))
    pointer = next(one for one in wanted if one not in taken)
    indent = source.indentation(get.statement)
    asked = f"{pointer} := {get.call.text()}.(*{_element(get)})"
    value = f"(*{pointer}){get.cut}" if get.cut else f"*{pointer}"
    changes = [replace(get.statement, f"{asked}\n{indent}{get.name} := {value}"), replace(given[0], pointer)]
    if get.cut or given[0].text() != get.name or _is_set_again(function, get):
        back = f"*{pointer} = {given[0].text()}\n{source.indentation(statement)}"
        changes.append(Change(begin(statement), begin(statement), back))
    return changes


def _is_set_again(function: SgNode, get: _Get) -> bool:
    """Whether what was got may be another slice by the time it is put back: a longer one, a part."""
    uses = [one for one in identifiers(function) if one.text() == get.name and not _is_in(one, get.statement)]
    return any(is_written(one) or _is_in_parentheses(one) for one in uses)


def _is_in_parentheses(name: SgNode) -> bool:
    parent = name.parent()
    return parent is not None and parent.kind() == "parenthesized_expression"


def _element(get: _Get) -> str:
    asserted = get.call.parent()
    of = asserted.field("type") if asserted is not None else None
    return of.text() if of is not None else ""


def _check_place(get: _Get, statement: SgNode) -> None:
    """Refuse a Put that may run twice for one Get: it stands in the same block, or in a literal deferred there."""
    home = begin(_home(get.statement))
    block = statement.parent()
    if block is not None and block.kind() == "statement_list" and begin(block) == home:
        return
    outer = block.parent() if block is not None and block.kind() == "statement_list" else None  # of a literal
    literal = outer.parent() if outer is not None else None
    call = literal.parent() if literal is not None and literal.kind() == "func_literal" else None
    deferred = call.parent() if call is not None and call.kind() == "call_expression" else None
    if deferred is None or deferred.kind() != "defer_statement" or statement.kind() != "expression_statement":
        raise UneditableError("the Put does not stand beside the Get, nor in a func literal deferred there")
    if begin(_home(deferred)) != home:
        raise UneditableError("the Put does not stand beside the Get, nor in a func literal deferred there")


def _declarations(function: SgNode, name: str) -> int:
    """Count how often a function declares a name, in any block."""
    count = 0
    for one in function.find_all(kind="identifier"):
        parent = one.parent()
        if one.text() != name or parent is None:
            continue
        if parent.kind() in {"var_spec", "const_spec", "parameter_declaration", "variadic_parameter_declaration"}:
            value = parent.field("value")
            count += value is None or not _is_in(one, value)
        elif parent.kind() == "expression_list" and (holder := parent.parent()) is not None:
            left = holder.field("left")
            is_left = left is not None and span(left) == span(parent)
            count += is_left and holder.kind() in _DECLARING and ":=" in holder.text()
    return count
