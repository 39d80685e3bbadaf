"""Drops conversions that only carry bytes to a method which takes them as they are, or a key to a map.

`b.Write([]byte(s))` and `b.WriteString(s)` do the same for bytes.Buffer, strings.Builder, bufio.Writer and os.File.
`m[string(b)]` and `string(b) == s` copy nothing (cmd/compile/internal/walk/order.go), a variable in between does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, end, named, replace
from whyheap.patterns.evaluation_order import calls

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_WRITERS = frozenset({"bytes.Buffer", "strings.Builder", "bufio.Writer", "os.File"})
_TWINS = {"Write": "WriteString", "WriteString": "Write"}


def edit(finding: Finding, source: EditSource) -> Edit:
    """Call the writer's other method, or convert where the map is asked."""
    for call in source.calls_around(finding):
        outer = _call_around(call)
        if outer is not None and _is_conversion(call, source):
            return _other_method(finding, source, outer, call)
        if _is_conversion(call, source):
            return _at_look_up(finding, source, call)
    for conversion in source.syntax.nodes("type_conversion_expression", finding.site.line):
        outer = _call_around(conversion)
        if outer is not None:
            return _other_method(finding, source, outer, conversion)
    raise UneditableError("the copy is needed: it is kept, changed or handed on")


_COMMENT = re.compile(r"/[/*]")


def _call_around(conversion: SgNode) -> SgNode | None:
    given = conversion.parent()
    call = given.parent() if given is not None and given.kind() == "argument_list" else None
    return call if call is not None and call.kind() == "call_expression" and len(arguments(call)) == 1 else None


def _is_conversion(node: SgNode, source: EditSource) -> bool:
    function = node.field("function")
    return function is not None and source.is_builtin(function, "string") and len(arguments(node)) == 1


def _operand(conversion: SgNode) -> SgNode | None:
    if conversion.kind() == "type_conversion_expression":
        return conversion.field("operand")
    given = arguments(conversion)
    return given[0] if len(given) == 1 else None


def _other_method(finding: Finding, source: EditSource, call: SgNode, conversion: SgNode) -> Edit:
    function = call.field("function")
    receiver = function.field("operand") if function is not None else None
    method = function.field("field") if function is not None else None
    value = _operand(conversion)
    of = source.type_of(receiver) if receiver is not None else None
    given = source.type_of(value) if value is not None else None
    if of is None or method is None or value is None or given is None or method.text() not in _TWINS:
        raise UneditableError("the copy is needed: it is kept, changed or handed on")
    if of.text.removeprefix("*") not in _WRITERS:
        raise UneditableError("the writer may do something else with a string")
    if of.text.endswith("bytes.Buffer") and method.text() == "WriteString" and _reads_buffer(source, call):
        raise UneditableError("the bytes may be those of the buffer itself")
    wanted = "string" if method.text() == "Write" else "[]byte"
    if given.text != wanted:
        raise UneditableError("what is converted has a type of its own")
    new = _TWINS[method.text()]
    changes = [replace(method, new), replace(conversion, value.text())]
    # strings.Builder's methods are inlined: the same append, to the same buffer, of the other one's parameter.
    brings = (r"^append\(",) if of.text.endswith("strings.Builder") else ()
    return source.edit(finding, f"{call.text()} -> {new}({value.text()})", changes, brings=brings)


def _reads_buffer(source: EditSource, call: SgNode) -> bool:
    """Whether the function asks a buffer for its own bytes, which move when it is written to."""
    around = source.declaration(begin(call))
    return around is None or any(name in around.text() for name in (".Bytes()", ".Next(", ".AvailableBuffer()"))


def _at_look_up(finding: Finding, source: EditSource, conversion: SgNode) -> Edit:
    """Move `key := string(b)` into the look-ups of the next statement, where nothing else uses it."""
    elsewhere = UneditableError("the copy is needed: it is kept, changed or handed on")
    values = conversion.parent()
    declared = values.parent() if values is not None else None
    value = _operand(conversion)
    if declared is None or declared.kind() != "short_var_declaration" or value is None or value.kind() != "identifier":
        raise elsewhere
    left = declared.field("left")
    names = named(left) if left is not None else []
    block = declared.parent()
    if len(names) != 1 or block is None or block.kind() != "statement_list":
        raise elsewhere
    uses = [one for one in source.mentions(names[0]) if begin(one) != begin(names[0])]
    statements = named(block)
    place = next(number for number, one in enumerate(statements) if begin(one) == begin(declared))
    following = statements[place + 1] if place + 1 < len(statements) else None
    if not uses or following is None or any(not begin(following) <= begin(one) < end(following) for one in uses):
        raise elsewhere
    if any(not _is_look_up(one, source) for one in uses) or not _is_header_only(following, uses):
        raise elsewhere
    first = following.field("initializer") if following.kind() == "if_statement" else None
    if first is not None and any(one.text() == value.text() for one in first.find_all(kind="identifier")):
        raise elsewhere
    if any(calls(source, one) for one in _header(following)):
        raise UneditableError("a call in the statement may change the bytes before they are looked up")
    comment = _COMMENT.search(source.text, end(declared), begin(following))
    after = comment.start() if comment is not None else begin(following)  # comments stay
    changes = [Change(begin(declared), after, ""), *(replace(one, conversion.text()) for one in uses)]
    return source.edit(finding, f"{declared.text()} -> [{conversion.text()}]", changes)


def _is_look_up(node: SgNode, source: EditSource) -> bool:
    index = node.parent()
    if index is None or index.kind() != "index_expression" or begin(index.field("index") or index) != begin(node):
        return False
    held = index.field("operand")
    of = source.type_of(held) if held is not None else None
    parent = index.parent()
    holder = parent.parent() if parent is not None else None
    left = holder.field("left") if holder is not None else None
    is_put = parent is not None and left is not None and begin(left) == begin(parent)
    is_put = is_put or (parent is not None and parent.kind() in {"inc_statement", "dec_statement"})
    return of is not None and of.kind == "map" and not is_put


def _header(statement: SgNode) -> list[SgNode]:
    """Return what of a statement runs at once: all, or an if's first line."""
    if statement.kind() != "if_statement":
        return [statement]
    parts = (statement.field("initializer"), statement.field("condition"))
    return [one for one in parts if one is not None]


def _is_header_only(statement: SgNode, uses: list[SgNode]) -> bool:
    """Whether the look-ups run right where the conversion stood: in a plain statement, or an if's first line."""
    if statement.kind() in {"short_var_declaration", "assignment_statement", "return_statement"}:
        return statement.find(kind="func_literal") is None
    body = statement.field("consequence") if statement.kind() == "if_statement" else None
    return body is not None and all(begin(one) < begin(body) for one in uses)
