"""How many bytes a loop adds to a string, as statements before the loop: a Builder that has room need not grow.

It is room that is asked for: where a loop changes what it ranges over, the text is the same and only the room is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whyheap.patterns.edit_source import EditSource, UneditableError, begin, identifiers, named
from whyheap.patterns.evaluation_order import calls
from whyheap.patterns.loop_count import count, is_written, loop_of, ranged_over, times

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_LEAVING = ("break_statement", "continue_statement", "goto_statement", "return_statement")
_MOST_PIECES = 6
_LISTS = frozenset({"slice", "array"})


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop over a list: its clause's variables, "" for one that is not there or is `_`."""

    node: SgNode
    ranged: str
    index: str
    value: SgNode | None


def room(source: EditSource, loop: SgNode, pieces: Sequence[tuple[SgNode, Sequence[SgNode]]], before: str) -> str:
    """Return statements that end in a `%s.Grow(...)`, for the Builder's name; "" where the size is not known before.

    `pieces` are the statements that add and what each adds; `before` is the expression of what is there already.
    """
    over = _over(source, loop)
    is_left = any(loop.find(kind=kind) is not None for kind in _LEAVING)
    if is_left or not all(_is_each_turn(statement, loop, over) for statement, _ in pieces):
        return ""
    parts = [part for _, added in pieces for part in added]
    known = sum(len(text.encode(errors="replace")) for part in parts if (text := source.constant(part)) is not None)
    others = [part for part in parts if source.constant(part) is None]
    if others:
        return _sum(source, over, others, known, before) if over is not None else ""
    try:
        size = times(count(source, loop), known)
    except UneditableError:
        return ""
    return f"%s.Grow({f'len({before}) + ' if before else ''}{size})\n{source.indentation(loop)}"


def _sum(source: EditSource, over: _Loop, pieces: Sequence[SgNode], known: int, before: str) -> str:
    """Add up the lengths of pieces in a loop of their own; all are elements or all values, as one clause has one."""
    is_indexed = {piece.kind() == "index_expression" for piece in pieces}
    name = source.fresh_variable(over.node, "size", "builderSize")
    is_plain = all(_is_plain(source, piece, over) for piece in pieces)
    body = over.node.field("body")
    if body is None or calls(source, body, ("append", "copy", "delete")):
        return ""  # it may wait for who writes the elements
    if not is_plain or len(is_indexed) > 1 or len(pieces) > _MOST_PIECES or not name:
        return ""
    clause = over.index if True in is_indexed or over.value is None else f"_, {over.value.text()}"
    length = " + ".join([f"len({piece.text()})" for piece in pieces] + ([str(known)] if known else []))
    indent = source.indentation(over.node)
    lines = (
        f"{name} := {f'len({before})' if before else 0}",
        f"for {clause} := range {over.ranged} {{",
        f"\t{name} += {length}",
        "}",
        f"%s.Grow({name})",
        "",
    )
    return f"\n{indent}".join(lines)


def _over(source: EditSource, loop: SgNode) -> _Loop | None:
    """Return what a loop ranges over, where that is a list and the loop declares its variables."""
    ranged, body = ranged_over(loop), loop.field("body")
    clause = ranged.parent() if ranged is not None else None
    of = source.type_of(ranged) if ranged is not None else None
    left = clause.field("left") if clause is not None else None
    if ranged is None or of is None or of.kind not in _LISTS or body is None or clause is None or left is None:
        return None
    if not source.is_steady(ranged) or ":=" not in clause.text()[: begin(ranged) - begin(clause)]:
        return None
    names = named(left)
    if any(is_written(one) for name in names for one in source.mentions(name, body)):
        return None
    words = ["" if one.text() == "_" else one.text() for one in names]
    value = names[1] if len(words) > 1 and words[1] else None
    return _Loop(loop, ranged.text(), words[0], value)


def _is_each_turn(statement: SgNode, loop: SgNode, over: _Loop | None) -> bool:
    """Whether a statement runs in each turn of a loop, or in each but the first."""
    if (own := loop_of(statement)) is not None:
        return begin(own) == begin(loop)
    branch = next((one for one in statement.ancestors() if one.kind() == "if_statement"), None)
    if branch is None or over is None or not over.index or branch.field("alternative") is not None:
        return False
    around, body, test = loop_of(branch), branch.field("consequence"), branch.field("condition")
    if around is None or begin(around) != begin(loop) or body is None or test is None:
        return False
    inner = statement.parent()
    holder = inner.parent() if inner is not None else None
    is_direct = holder is not None and begin(holder) == begin(body)
    return (
        is_direct and branch.field("initializer") is None and test.text() in {f"{over.index} > 0", f"{over.index} != 0"}
    )


def _is_plain(source: EditSource, part: SgNode, over: _Loop) -> bool:
    """Whether a piece is the element of a turn, or a field in it: reading it before the loop does nothing."""
    of = source.type_of(part)
    if of is None or of.kind != "basic" or of.basic != "string":
        return False
    if part.kind() == "index_expression":
        return bool(over.index) and part.text() == f"{over.ranged}[{over.index}]"
    if over.value is None or not source.is_steady(part):
        return False
    root = next(iter(identifiers(part)))
    if not source.is_same(root, over.value):
        return False
    held = part.field("operand") if part.kind() == "selector_expression" else None
    while held is not None:
        outer = source.type_of(held)
        if outer is None or outer.kind != "struct":
            return False
        held = held.field("operand") if held.kind() == "selector_expression" else None
    return True
