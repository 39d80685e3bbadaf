"""Whether what a deferred call releases was opened in the same turn of the loop, and nothing keeps it longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from whyheap.model.go_types import GoType
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, end, named
from whyheap.patterns.loop_count import is_set

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_MAKERS = frozenset(
    {
        "os.Open", "os.OpenFile", "os.Create", "os.CreateTemp", "net.Dial", "net.DialTimeout", "archive/zip.OpenReader",
        "net/http.Get", "net/http.Head", "net/http.Post", "net/http.PostForm", "time.NewTicker", "time.NewTimer",
        "context.WithCancel", "context.WithTimeout", "context.WithDeadline",
    }
)  # fmt: skip
"""Functions of std that open something new each time, which only its holder can release."""
_BORROWERS = frozenset(
    {
        "bufio", "compress/bzip2", "compress/flate", "compress/gzip", "compress/zlib", "encoding/base64",
        "encoding/binary", "encoding/csv", "encoding/gob", "encoding/hex", "encoding/json", "encoding/xml", "fmt", "io",
    }
)  # fmt: skip
"""Packages of std that keep what they are given in what they return, and nowhere else."""
_RELEASES = frozenset({"Close", "Stop"})
_ENDS = frozenset({"binary_expression", "defer_statement", "expression_statement", "if_statement", "for_statement"})
"""Where nothing is left of what an expression gives on: comparisons, conditions, calls as statements."""


def made_in_turn(source: EditSource, call: SgNode, body: Sequence[SgNode], deferred: SgNode) -> SgNode | None:
    """Return the declaration of what the deferred call releases; None when it is no release of the turn's own."""
    call = _only_call(call)
    function = call.field("function")
    if function is None or arguments(call):
        return None
    root, is_release = function, function.kind() == "identifier"
    if function.kind() == "selector_expression":
        name = function.field("field")
        is_release = name is not None and name.text() in _RELEASES
        while root.kind() == "selector_expression" and (operand := root.field("operand")) is not None:
            root = operand
    if not is_release or root.kind() != "identifier":
        return None
    for statement in body:
        left, right = statement.field("left"), statement.field("right")
        if statement.kind() != "short_var_declaration" or left is None or right is None:
            continue
        if begin(statement) > begin(deferred) or not any(source.is_same(one, root) for one in named(left)):
            continue
        values = named(right)
        maker = source.called(values[0]) if len(values) == 1 and values[0].kind() == "call_expression" else ""
        if maker not in _MAKERS or (function.kind() == "identifier") != maker.startswith("context."):
            raise UneditableError(f"{root.text()} is not known to be opened anew in each turn")
        if any(is_set(source, one) for one in source.mentions(root) if begin(one) >= end(statement)):
            raise UneditableError(f"{root.text()} is assigned again")
        return statement
    return None


def _only_call(call: SgNode) -> SgNode:
    """Return the call that `func() { _ = file.Close() }()` consists of; the call itself where it is another one."""
    function = call.field("function")
    body = function.field("body") if function is not None and function.kind() == "func_literal" else None
    inside = [one for block in named(body) for one in named(block)] if body is not None else []
    if len(inside) != 1:
        return call
    left, values = inside[0].field("left"), inside[0]
    if inside[0].kind() == "assignment_statement" and left is not None and left.text() == "_":
        values = inside[0].field("right") or values
    elif inside[0].kind() != "expression_statement":
        return call
    found = named(values)
    return found[0] if len(found) == 1 and found[0].kind() == "call_expression" else call


def check_ends_with_turn(source: EditSource, opened: SgNode, body: SgNode, statements: Sequence[SgNode]) -> None:
    """Refuse what hands the opened thing, or what reads from it, to somebody who may keep it longer than the turn."""
    if body.find(kind="go_statement") is not None:
        raise UneditableError("the loop starts goroutines, which may use it after the turn")
    deferred = [one for one in statements if one.kind() == "defer_statement"]  # judged one by one
    left = opened.field("left")
    waiting = [one for one in named(left) if not _is_harmless(source, one)] if left is not None else []
    seen: set[int] = set()
    while waiting:
        name = waiting.pop()
        if begin(name) in seen:
            continue
        seen.add(begin(name))
        for one in source.mentions(name, body):
            if begin(one) != begin(name) and not any(begin(by) <= begin(one) < end(by) for by in deferred):
                waiting += _holders(source, one, body)


def _is_harmless(source: EditSource, node: SgNode) -> bool:
    """Whether a value cannot lead back to what was opened: numbers, texts, bytes, errors."""
    if node.text() == "_":
        return True
    of = source.type_of(node)
    if of is None:
        found = source.object_of(node)
        of = source.checked.types[found.type] if found is not None and found.type >= 0 else None
    return of is not None and (of.text == "error" or _is_flat(source, of))


def _is_flat(source: EditSource, of: GoType) -> bool:
    element = source.element(of) if of.kind in {"slice", "array"} else None
    return of.kind == "basic" or (element is not None and element.kind == "basic")


def _holders(source: EditSource, mention: SgNode, body: SgNode) -> list[SgNode]:
    """Return the variables of the turn that hold what a mention gives on; refuses what is not the turn's own."""
    kept = UneditableError(f"{mention.text()} may be kept longer than the turn")
    if any(one.kind() == "func_literal" for one in mention.ancestors() if begin(one) > begin(body)):
        raise kept
    node = mention
    while True:
        parent = node.parent()
        if parent is None:
            raise kept
        if node.kind() == "call_expression" and source.type_of(node) is not None and _is_harmless(source, node):
            return []
        kind = parent.kind()
        if kind == "selector_expression":  # a field, or a method that is called right here
            selected, outer = parent.field("field"), parent.parent()
            found = source.object_of(selected) if selected is not None else None
            is_called = outer is not None and outer.kind() == "call_expression"
            if found is None or (found.kind == "func" and not is_called):
                raise kept
        elif kind == "argument_list":
            call = parent.parent()
            if call is None or source.called(call).rpartition(".")[0] not in _BORROWERS:
                raise kept
        elif kind in _ENDS:
            return []
        elif kind == "expression_list":
            return _targets(source, parent, body, kept)
        elif kind not in {"call_expression", "parenthesized_expression"}:
            raise kept
        node = parent


def _targets(source: EditSource, values: SgNode, body: SgNode, kept: UneditableError) -> list[SgNode]:
    holder = values.parent()
    left = holder.field("left") if holder is not None else None
    if holder is None or left is None or holder.kind() not in {"short_var_declaration", "assignment_statement"}:
        raise kept
    risky = [one for one in named(left) if not _is_harmless(source, one)]
    for one in risky:
        found = source.object_of(one)
        declared = source.index(found.start) if found is not None and found.level == "local" else -1
        if not begin(body) <= declared < end(body):
            raise kept
    return risky
