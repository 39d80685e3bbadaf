"""Writes `s += x` in a loop with a strings.Builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import (
    EditSource,
    UneditableError,
    arguments,
    begin,
    end,
    has_comment,
    named,
    replace,
)
from whyheap.patterns.evaluation_order import check_calls_behind
from whyheap.patterns.local_variable import check_local, declared_value, is_next, mentions_between, statement_before
from whyheap.patterns.loop_count import statements_around, with_label
from whyheap.patterns.string_concatenation.size import room

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_PRINTED = {"fmt.Sprintf": "Fprintf", "fmt.Sprint": "Fprint", "fmt.Sprintln": "Fprintln"}
_JUMPS = ("goto_statement", "break_statement", "continue_statement")


def edit(finding: Finding, source: EditSource) -> Edit:
    """Collect a string, that a loop adds to and does not read, in a Builder."""
    name = _grown(finding, source)
    of = source.type_of(name)
    check_local(source, name, "the string")
    if of is None or of.text != "string":
        raise UneditableError("the string has a type of its own")
    loop, declared = _loop(source, name)
    outer = with_label(loop)
    additions = _additions(source, loop, name)
    if any(_leaves(one, outer) for kind in _JUMPS for one in loop.find_all(kind=kind)):
        raise UneditableError("the loop is left by a label")
    function = source.function(name)
    if function is not None and function.find(kind="goto_statement") is not None:
        raise UneditableError("a goto may come back to the loop")
    strings = source.package_name("strings", loop)
    if not strings:
        raise UneditableError("the name strings means something else here")
    builder = source.fresh_variable(loop, f"{name.text()}Builder", "builder")
    indent = source.indentation(loop)
    is_one, value = declared_value(declared, name)
    is_untouched = not mentions_between(source, name, declared, outer)
    is_empty = is_one and is_untouched and (value is None or value.text() == '""')
    make = f"var {builder} {strings}.Builder"
    pieces = [(one, _pieces(one, name, source)) for one in additions]
    grow = room(source, loop, pieces, "" if is_empty else name.text()).replace("%s", builder)
    changes = [_written(source, one, parts, builder) for one, parts in pieces]
    lines = [source.line(begin(one)) for one in additions]
    last = f"\n{indent}{name.text()} {{}}= {builder}.String()"
    if is_empty and is_next(declared, outer) and not has_comment(declared):
        changes += [
            replace(declared, f"{make}\n{indent}{grow}".rstrip()),
            Change(end(loop), end(loop), last.format(":")),
        ]
    else:
        start = f"{make}\n{indent}{grow}"
        start += "" if is_empty else f"{builder}.WriteString({name.text()})\n{indent}"
        changes += [Change(begin(outer), begin(outer), start), Change(end(loop), end(loop), last.format(""))]
    title = f"{name.text()} += ... -> {builder}.WriteString"
    brings = (r"^\(\*strings\.Builder\)|strings\.Builder", r"^append\(", r"^make\(", rf"^{builder}$", r"bytealg")
    return source.edit(finding, title, changes, imports=["strings"], brings=brings, stays=True, lines=lines)


def _grown(finding: Finding, source: EditSource) -> SgNode:
    for statement in source.syntax.nodes("assignment_statement", finding.site.line):
        left = statement.field("left")
        names = named(left) if left is not None else []
        if len(names) == 1 and names[0].kind() == "identifier" and _added(statement, names[0], source):
            return names[0]
    raise UneditableError("nothing is added to the end of a variable")


def _loop(source: EditSource, name: SgNode) -> tuple[SgNode, SgNode]:
    """Return the outermost loop around, in whose block the string is declared, and that declaration."""
    function = source.function(name)
    for one in name.ancestors():
        if function is not None and begin(one) <= begin(function):
            break
        if one.kind() == "for_statement" and statements_around(with_label(one)):
            declared = statement_before(source, with_label(one), name)
            if declared is not None:
                if not declared_value(declared, name)[0]:
                    raise UneditableError("the string is not declared beside the loop")
                return one, declared
    raise UneditableError("the string is not declared beside a loop that adds to it")


def _additions(source: EditSource, loop: SgNode, name: SgNode) -> list[SgNode]:
    """Return the statements `s += x` of a loop; refuse a loop that reads the string, too."""
    found: dict[int, SgNode] = {}
    for one in source.mentions(name, loop):
        statement = next((up for up in one.ancestors() if up.kind() == "assignment_statement"), None)
        left = statement.field("left") if statement is not None else None
        own = [begin(left)] if left is not None else []
        parts = _added(statement, name, source) if statement is not None else []
        own += [begin(first) for first in _again(statement, name, source)] if statement is not None else []
        if statement is None or not parts or begin(one) not in own:
            raise UneditableError("the loop reads the string, too")
        parent = statement.parent()
        if parent is None or parent.kind() != "statement_list" or has_comment(statement):
            raise UneditableError("the string is added to in an unusual place")
        found[begin(statement)] = statement
    return list(found.values())


def _added(statement: SgNode, name: SgNode, source: EditSource) -> list[SgNode]:
    """Return the parts of `s += a + b`, and of `s = s + a + b`; none where a statement does something else."""
    left, operator, right = (statement.field(one) for one in ("left", "operator", "right"))
    names = named(left) if left is not None else []
    if operator is None or right is None or len(named(right)) != 1 or len(names) != 1:
        return []
    if not source.is_same(names[0], name):
        return []
    if operator.text() == "+=":
        return _parts(named(right)[0], source)
    again = _again(statement, name, source)
    return _parts(named(right)[0], source)[1:] if again else []


def _again(statement: SgNode, name: SgNode, source: EditSource) -> list[SgNode]:
    """Return the second `s` of `s = s + a`."""
    operator, right = statement.field("operator"), statement.field("right")
    if operator is None or operator.text() != "=" or right is None or len(named(right)) != 1:
        return []
    parts = _parts(named(right)[0], source)
    return parts[:1] if len(parts) > 1 and source.is_same(parts[0], name) else []


def _pieces(statement: SgNode, name: SgNode, source: EditSource) -> list[SgNode]:
    """Return the parts that a statement adds; refuse those that a call behind them may change."""
    parts = _added(statement, name, source)
    for number, part in enumerate(parts):
        check_calls_behind(source, part, parts[number + 1 :])
    return parts


def _written(source: EditSource, statement: SgNode, parts: Sequence[SgNode], builder: str) -> Change:
    """Write each part by itself: they are joined by the Builder."""
    indent = source.indentation(statement)
    return replace(statement, f"\n{indent}".join(_write(source, part, builder) for part in parts))


def _write(source: EditSource, part: SgNode, builder: str) -> str:
    """Write one part; what fmt makes a string of goes to the Builder without that string."""
    printed = _PRINTED.get(source.called(part)) if part.kind() == "call_expression" else None
    package = source.package_name("fmt", part) if printed else ""
    given = arguments(part) if package else []
    if not given:
        return f"{builder}.WriteString({part.text()})"
    first = begin(given[0]) - begin(part)
    head, text = part.text()[:first], part.text()[first:]
    return f"{package}.{printed}({head[len(head.rstrip()) :]}&{builder}, {text}"


def _parts(node: SgNode, source: EditSource) -> list[SgNode]:
    operator = node.field("operator") if node.kind() == "binary_expression" else None
    left, right = node.field("left"), node.field("right")
    if operator is None or operator.text() != "+" or left is None or right is None or source.constant(node) is not None:
        return [node]
    return [*_parts(left, source), *_parts(right, source)]


def _leaves(jump: SgNode, loop: SgNode) -> bool:
    """Whether a jump names a label that may stand outside of a loop, its own label excepted."""
    names = [one.text() for one in jump.children() if one.kind() == "label_name"]
    own = {one.text() for labelled in _labelled(loop) for one in labelled.children() if one.kind() == "label_name"}
    return jump.kind() == "goto_statement" or not own.issuperset(names)


def _labelled(node: SgNode) -> list[SgNode]:
    kind = "labeled_statement"
    return [*([node] if node.kind() == kind else []), *node.find_all(kind=kind)]
