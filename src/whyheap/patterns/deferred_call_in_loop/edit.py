"""Runs a deferred call after each turn of its loop, where nothing can tell the difference but what it releases.

Two cases. The call releases what this very turn opened, and nothing that outlives the turn knows of it: then it waits
for the end of the function by accident. Or the call only counts, in integers that nothing reads before the function
ends: sums do not depend on when and in which order they are made.

Locks are left alone: to hold all of them until the end may be meant (two-phase locking, a consistent total).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.edit import Change, Edit
from whyheap.model.finding import Finding
from whyheap.patterns.deferred_call_in_loop.counting import check_only_counts
from whyheap.patterns.deferred_call_in_loop.turn import check_ends_with_turn, made_in_turn
from whyheap.patterns.edit_source import EditSource, UneditableError, begin, end, identifiers, named
from whyheap.patterns.loop_count import is_set, loop_of

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_LEAVING = ("return_statement", "goto_statement", "fallthrough_statement", "labeled_statement")
_OWN_BREAK = ("for_statement", "expression_switch_statement", "type_switch_statement", "select_statement")


def edit(finding: Finding, source: EditSource) -> Edit:
    """Put what follows the defer into a function of its own; as the last statement, the call needs no defer."""
    deferred = _deferred(finding, source)
    loop = loop_of(deferred)
    body = loop.field("body") if loop is not None else None
    if loop is None or body is None:
        raise UneditableError("the defer stands under a condition in the loop")
    all_of_body = named(named(body)[0])
    defers = [one for one in body.find_all(kind="defer_statement") if not _is_inside(one, body, "func_literal")]
    first = min(defers, key=begin)
    if any(loop_of(one) is None or begin(loop_of(one) or one) != begin(loop) for one in defers):
        raise UneditableError("the loop has another defer, under a condition")
    rest = [one for one in all_of_body if begin(one) >= begin(first)]
    _check_stays_inside(source, rest, loop)
    for one in defers:
        call = next(iter(named(one)), None)
        if call is None or call.kind() != "call_expression":
            raise UneditableError("what is deferred is not understood")
        opened = made_in_turn(source, call, all_of_body, one)
        if opened is None:
            check_only_counts(source, call, one, loop)
        else:
            check_ends_with_turn(source, opened, body, all_of_body)
    title = f"{_in_short(first)} runs after each turn of the loop"
    lines = [source.line(begin(one)) for one in defers]
    if len(rest) == 1:  # nothing comes between the defer and the end of the turn
        call = named(first)[0]
        return source.edit(finding, title, [Change(begin(first), begin(call), "")], lines=lines)
    indent = source.indentation(loop)
    changes = [
        Change(begin(first), begin(first), f"func() {{\n{indent}\t"),
        Change(end(body) - 1, end(body) - 1, f"\t}}()\n{indent}"),
    ]
    return source.edit(finding, title, changes, lines=lines)


def _in_short(deferred: SgNode) -> str:
    first, _, more = deferred.text().partition("\n")
    return f"{first} ... }}()" if more else first


def _deferred(finding: Finding, source: EditSource) -> SgNode:
    """Return the defer that a finding speaks of: on its line, or the one that uses the variable declared there."""
    line = finding.site.line
    found = source.syntax.nodes("defer_statement", line)
    if not found and finding.site.column:
        at = source.at(line, finding.site.column)
        name = next((one for one in source.around(at) if one.kind() == "identifier"), None)
        for one in source.mentions(name) if name is not None else []:
            found += [around for around in one.ancestors() if around.kind() == "defer_statement"]
    if not found:
        raise UneditableError("no defer is found on the line")
    if len({begin(one) for one in found}) > 1:
        raise UneditableError("several deferred calls use it")
    return found[0]


def _is_inside(node: SgNode, outer: SgNode, *kinds: str) -> bool:
    return any(one.kind() in kinds for one in node.ancestors() if begin(one) > begin(outer))


def _check_stays_inside(source: EditSource, rest: list[SgNode], loop: SgNode) -> None:
    """Refuse statements that leave the loop's body, or do what is another thing in another function."""
    kinds = (*_LEAVING, "break_statement", "continue_statement")
    for statement in rest:
        found = statement.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}})
        for one in [*([statement] if statement.kind() in kinds else []), *found]:
            if _is_inside(one, loop, "func_literal") and one.kind() == "return_statement":
                continue
            own = _OWN_BREAK if one.kind() == "break_statement" else ("for_statement",)
            is_plain = one.kind() in {"break_statement", "continue_statement"} and not named(one)
            if not (is_plain and _is_inside(one, loop, *own)):
                raise UneditableError(f"{one.text().split()[0]} behind the defer leaves the loop's body")
        for name in identifiers(statement):
            if source.is_builtin(name, "recover"):
                raise UneditableError("what is deferred recovers")
        left = statement.field("left") if statement.kind() == "short_var_declaration" else None
        for name in named(left) if left is not None else []:  # in another function, := makes another variable of it
            if is_set(source, name) and any(_is_inside(one, loop, "func_literal") for one in source.mentions(name)):
                raise UneditableError(f"a func literal shares {name.text()}, which is assigned behind the defer")
    function = source.function(loop)
    result = function.field("result") if function is not None else None
    for name in identifiers(result) if result is not None and result.kind() == "parameter_list" else []:
        if any(source.mentions(name, one) for one in rest) and name.kind() == "identifier":
            raise UneditableError("the function's named result is used behind the defer")
