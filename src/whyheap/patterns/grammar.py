"""What Go has and the grammar that files are parsed with does not know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_GENERIC_METHOD = re.compile(
    r"^([ \t]*func\s*\((?:[^()\n]|\([^()\n]*\))*\)[ \t]*\w+)(\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\])(?=\()", re.MULTILINE
)
"""A method with type parameters of its own, which Go has since 1.27 and the grammar does not know."""


def without_method_type_parameters(text: str) -> str:
    """Return Go source with blanks in place of the type parameters that methods have of their own."""
    return _GENERIC_METHOD.sub(lambda found: found[1] + " " * len(found[2]), text)


def unread_lines(root: SgNode) -> tuple[range, ...]:
    """Return the lines of each declaration that holds what the grammar does not know: its other nodes may be wrong."""
    errors = [node.range().start.index for node in root.find_all(kind="ERROR")]
    tops = [node.range() for node in root.children()] if errors else []
    return tuple(
        range(at.start.line + 1, at.end.line + 2)
        for at in tops
        if any(at.start.index <= error <= at.end.index for error in errors)
    )
