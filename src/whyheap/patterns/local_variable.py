"""Where a local variable is declared and who uses it: for edits that must not change what others see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.patterns.edit_source import EditSource, UneditableError, begin, end, named
from whyheap.patterns.loop_count import statements_around

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def check_local(source: EditSource, name: SgNode, what: str) -> None:
    """Refuse an identifier that is no local variable, or one that a closure uses, too."""
    found = source.object_of(name) if name.kind() == "identifier" else None
    if found is None or found.kind != "var" or found.level != "local":
        raise UneditableError(f"{what} is no local variable")
    around = source.function(name)
    for one in source.mentions(name):
        function = source.function(one)
        if around is None or function is None or begin(function) != begin(around):
            raise UneditableError(f"a closure uses {what}, too")


def statement_before(source: EditSource, loop: SgNode, name: SgNode) -> SgNode | None:
    """Return the first statement, of the block that a loop is part of, that mentions a variable before the loop."""
    for statement in statements_around(loop):
        if begin(statement) >= begin(loop):
            return None
        if source.mentions(name, statement):
            return statement
    return None


def mentions_between(source: EditSource, name: SgNode, first: SgNode, last: SgNode) -> list[SgNode]:
    """Return the mentions of a variable behind one statement and before another."""
    return [one for one in source.mentions(name) if end(first) <= begin(one) < begin(last)]


def declared_value(statement: SgNode, name: SgNode) -> tuple[bool, SgNode | None]:
    """Tell whether a statement declares one variable, of that name, and return its value; None where it has none."""
    if statement.kind() == "var_declaration":
        specs = list(statement.find_all(kind="var_spec"))
        if len(specs) != 1 or [one.text() for one in specs[0].field_children("name")] != [name.text()]:
            return False, None
        values = specs[0].field("value")
        inner = named(values) if values is not None else []
        return len(inner) < 2, inner[0] if inner else None  # noqa: PLR2004 - one variable has one value
    if statement.kind() != "short_var_declaration":
        return False, None
    left, right = statement.field("left"), statement.field("right")
    names, values_ = (named(left) if left else []), (named(right) if right else [])
    if [one.text() for one in names] != [name.text()] or len(values_) != 1:
        return False, None
    return True, values_[0]


def is_next(first: SgNode, second: SgNode) -> bool:
    """Whether a statement follows another directly, in one block."""
    starts = [begin(one) for one in statements_around(second)]
    return begin(first) in starts and starts.index(begin(second)) == starts.index(begin(first)) + 1
