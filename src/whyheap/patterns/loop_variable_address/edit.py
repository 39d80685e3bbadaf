"""Points into the slice, `&it` becomes `&items[i]`, or into one array of all turns that is made before the loop.

With `&items[i]` whoever holds the pointer and whoever holds the slice see each other's changes, so the slice must be
the function's own (own_slice.py). Else an array of its own keeps the meaning, `&its[i]`. What both cost: the array
lives as long as any pointer into it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource, UneditableError, begin, end, named, replace
from whyheap.patterns.loop_count import is_written, statements_around
from whyheap.patterns.loop_variable_address.own_slice import is_own

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_OWN_EACH_TURN = (1, 22)  # go.dev/doc/go1.22: loop variables are new in each turn
_LEAVING = ("break_statement", "return_statement", "goto_statement")
_OPENED = re.compile(r"\{\s*(?://.*)?")
_TAKEN_APART = frozenset({"keyed_element", "literal_element"})


def edit(finding: Finding, source: EditSource) -> Edit:
    """Give the variable of a loop over a slice or array one array for all turns."""
    clause = source.syntax.loop_variable(finding.site.line, finding.site.column)
    loop = clause.parent() if clause is not None else None
    body = loop.field("body") if loop is not None else None
    if clause is None or loop is None or body is None or clause.kind() != "range_clause":
        raise UneditableError("it is no variable of a loop over a slice")
    if source.language < _OWN_EACH_TURN:
        raise UneditableError("before Go 1.22 all turns share one variable")
    index, value = _names(clause)
    ranged = clause.field("right")
    of = source.type_of(ranged) if ranged is not None else None
    element = source.type_of(value)
    if ranged is None or of is None or of.kind not in {"slice", "array"} or not source.is_steady(ranged):
        raise UneditableError("it is no variable of a loop over a slice")
    if is_own(source, loop, ranged) and source.syntax.column(value) == finding.site.column and statements_around(loop):
        if any(
            one.text() == ranged.text() and not source.is_same(one, ranged) for one in body.find_all(kind="identifier")
        ):
            raise UneditableError("the slice's name means something else in the loop, too")
        return _into_slice(finding, source, loop, ranged.text(), (index, value))
    if element is None or not element.nameable or source.syntax.column(value) != finding.site.column:
        raise UneditableError("the variable's type cannot be written in this file")
    if any(loop.find(kind=kind) is not None for kind in _LEAVING):
        raise UneditableError("the loop may end early, and the array would be as long as all turns")
    if not statements_around(loop):
        raise UneditableError("the loop has a label")
    return _edit(finding, source, loop, ranged.text(), (index, value), element.text)


def _names(clause: SgNode) -> tuple[SgNode, SgNode]:
    left = clause.field("left")
    names = named(left) if left is not None else []
    if len(names) != 2:  # noqa: PLR2004 - for i, v := range
        raise UneditableError("it is the loop's index")
    return names[0], names[1]


def _edit(
    finding: Finding, source: EditSource, loop: SgNode, ranged: str, names: tuple[SgNode, SgNode], element: str
) -> Edit:
    _, value = names
    body = loop.field("body") or loop
    copies = source.fresh_variable(loop, f"{value.text()}s", f"{value.text()}Copies")
    if not copies:
        raise UneditableError("there is no name left for the array")
    number, changes = _pointed(source, loop, copies, names)
    indent = source.indentation(loop)
    made = f"{copies} := make([]{element}, len({ranged}))\n{indent}"
    first = f"\n{indent}\t{copies}[{number}] = {value.text()}"
    opened = source.text.find("\n", begin(body))
    if not _OPENED.fullmatch(source.text[begin(body) : opened]):
        raise UneditableError("the loop stands on one line")
    changes += [Change(begin(loop), begin(loop), made), Change(opened, opened, first)]
    title = f"&{value.text()} -> &{copies}[{number}]"
    lines = (source.line(begin(loop)), source.line(end(loop)))
    return source.edit(finding, title, changes, brings=(rf"^make\(\[\]{re.escape(element)}, ",), lines=lines)


def _into_slice(finding: Finding, source: EditSource, loop: SgNode, ranged: str, names: tuple[SgNode, SgNode]) -> Edit:
    """Write the slice's element for the variable, which the loop needs no more."""
    number, changes = _pointed(source, loop, ranged, names)
    index, value = names
    changes = [one for one in changes if one.start != begin(index)]
    changes.append(Change(begin(index), end(value), number))
    lines = (source.line(begin(loop)), source.line(end(loop)))
    brings = (r"^make\(\[\]", r"^\[\]", r"^append\b")  # the slice itself, of which pointers are kept
    return source.edit(finding, f"&{value.text()} -> &{ranged}[{number}]", changes, brings=brings, lines=lines)


def _pointed(source: EditSource, loop: SgNode, into: str, names: tuple[SgNode, SgNode]) -> tuple[str, list[Change]]:
    """Return the loop's index and the changes that write an element of `into` for the variable in the loop's body."""
    index, value = names
    body = loop.field("body") or loop
    changes = []
    number = index.text()
    if number == "_":
        number = source.fresh(loop, "i", "index")
        changes.append(replace(index, number))
    elif any(is_written(one) for one in source.mentions(index, body)):
        raise UneditableError("the loop changes its index")
    if any(one.text() == number and not source.is_same(one, index) for one in body.find_all(kind="identifier")):
        raise UneditableError("the name of the loop's index means something else, too")
    if not number:
        raise UneditableError("there is no name left for the index")
    for one in source.mentions(value, body):
        parent = one.parent()
        if parent is not None and parent.kind() in _TAKEN_APART and begin(parent) == begin(one) and _is_key(parent):
            raise UneditableError("the variable's name is also a key")
        changes.append(replace(one, f"{into}[{number}]"))
    return number, changes


def _is_key(node: SgNode) -> bool:
    parent = node.parent() if node.kind() == "literal_element" else node
    return parent is not None and parent.kind() == "keyed_element" and begin(parent) == begin(node)
