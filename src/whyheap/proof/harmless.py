"""Whether a function can be called with made-up arguments and do no harm: it calls what computes, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from whyheap.patterns.edit_source import EditSource

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_HARMLESS = frozenset(
    {
        "bytes", "cmp", "encoding/hex", "errors", "fmt", "maps", "math", "math/bits", "path", "reflect", "regexp",
        "slices", "sort", "strconv", "strings", "unicode", "unicode/utf8",
    }
)  # fmt: skip
_PRINTS = re.compile(r"fmt\.(?!Sprint|Errorf|Append)")
_NOT_CALLED = ("go_statement", "defer_statement", "send_statement", "receive_statement", "select_statement")


def is_harmless(source: EditSource, function: SgNode) -> bool:
    """Whether a body calls builtins and packages of std that compute, starts nothing and waits for nothing."""
    if any(function.find(kind=kind) is not None for kind in _NOT_CALLED):
        return False
    for loop in function.find_all(kind="for_statement"):
        if not any(one.kind() in {"range_clause", "for_clause"} for one in loop.children()):
            return False
    return all(_is_harmless_call(source, call) for call in function.find_all(kind="call_expression"))


def _is_harmless_call(source: EditSource, call: SgNode) -> bool:
    called = call.field("function")
    if called is None:
        return False
    if called.kind() == "identifier":
        found = source.object_of(called)
        return found is not None and (found.level == "universe" or found.kind == "type") and found.name != "print"
    if called.kind() == "selector_expression":
        operand = called.field("operand")
        whole = source.called(call)
        if whole:
            return whole.rpartition(".")[0] in _HARMLESS and not _PRINTS.match(whole)
        of = source.type_of(operand) if operand is not None else None
        return of is not None and of.text.removeprefix("*").partition(".")[0] in {"strings", "bytes", "regexp"}
    return called.kind() in {"slice_type", "array_type", "map_type"}
