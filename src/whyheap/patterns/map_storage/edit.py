"""Gives a map that a loop fills its final size: `make(map[K]V, len(words))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, end, named, replace
from whyheap.patterns.local_variable import check_local, declared_value, is_next, statement_before
from whyheap.patterns.loop_count import check_always_reached, count, loop_of, ranged_over, statements_around

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_PUTS = ("assignment_statement", "inc_statement", "dec_statement")


def edit(finding: Finding, source: EditSource) -> Edit:
    """Presize a local map, from the finding of what is put into it or of the map itself."""
    put, name = _put(finding, source)
    check_local(source, name, "the map")
    loop = loop_of(put)
    if loop is None:
        raise UneditableError("the map is not filled once each time around a loop")
    declared = statement_before(source, loop, name)
    is_one, value = declared_value(declared, name) if declared is not None else (False, None)
    if declared is None or not is_one or value is None:
        raise UneditableError("the map is not made beside the loop")
    written = _empty_map(value, source)
    check_always_reached(put, loop, "")
    size = count(source, loop)
    _check_same_there(source, loop, declared)
    new = f"make({written.text()}, {size})"
    lines = (source.line(begin(value)), source.line(begin(put)))
    brings = (r"^make\(",)
    return source.edit(
        finding, f"{value.text()} -> {new}", [replace(value, new)], brings=brings, stays=True, lines=lines
    )


def _put(finding: Finding, source: EditSource) -> tuple[SgNode, SgNode]:
    """Return the statement that puts into the map, and the map's name in it."""
    line = finding.site.line
    for kind in _PUTS:
        for statement in source.syntax.nodes(kind, line):
            name = _map_of(statement, source)
            if name is not None:
                return statement, name
    for statement in (*source.syntax.nodes("short_var_declaration", line), *source.syntax.nodes("var_spec", line)):
        names = statement.field("left") or statement.field("name")
        first = named(names)[0] if names is not None and named(names) else names
        of = source.type_of(first) if first is not None else None
        if first is not None and of is not None and of.kind == "map":
            found = _first_put(source, first)
            if found is not None:
                return found
    raise UneditableError("the map is not filled by a loop beside it")


def _first_put(source: EditSource, name: SgNode) -> tuple[SgNode, SgNode] | None:
    for one in source.mentions(name):
        for around in one.ancestors():
            if around.kind() in _PUTS:
                held = _map_of(around, source)
                if held is not None and begin(held) == begin(one) and loop_of(around) is not None:
                    return around, one
    return None


def _map_of(statement: SgNode, source: EditSource) -> SgNode | None:
    """Return the name of the map that `m[k] = v`, `m[k] += v` or `m[k]++` puts into."""
    left = statement.field("left") if statement.kind() == "assignment_statement" else statement
    targets = [one for one in named(left) if one.kind() == "index_expression"] if left is not None else []
    if len(targets) != 1 or len(named(left or statement)) != 1:
        return None
    held = targets[0].field("operand")
    of = source.type_of(held) if held is not None else None
    return held if held is not None and held.kind() == "identifier" and of is not None and of.kind == "map" else None


def _empty_map(value: SgNode, source: EditSource) -> SgNode:
    """Return the type of `map[K]V{}` or `make(map[K]V)`."""
    if value.kind() == "composite_literal":
        written, body = value.field("type"), value.field("body")
        if written is not None and body is not None and body.text().replace(" ", "") == "{}":
            return written
    if value.kind() == "call_expression" and source.is_builtin(value.field("function"), "make"):
        given = arguments(value)
        if len(given) == 1:
            return given[0]
    raise UneditableError("the map is made with a size, or with entries")


def _check_same_there(source: EditSource, loop: SgNode, declared: SgNode) -> None:
    """Refuse what is ranged over that may be another, or not there yet, where the map is made."""
    if is_next(declared, loop):
        return
    ranged = ranged_over(loop)
    found = source.object_of(ranged) if ranged is not None and ranged.kind() == "identifier" else None
    if ranged is None or found is None or found.kind != "var" or found.level != "local":
        raise UneditableError("what is ranged over may change between the map and the loop")
    between = [one for one in statements_around(loop) if end(declared) <= begin(one) < begin(loop)]
    if any(source.mentions(ranged, one) for one in between):
        raise UneditableError("what is ranged over is used between the map and the loop")
    for one in source.mentions(ranged):
        if source.function(one) is None or begin(source.function(one) or one) != begin(source.function(ranged) or one):
            raise UneditableError("a closure uses what is ranged over")
