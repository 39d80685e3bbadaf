"""Declarations at the top level: package variables that edits add, and the names of functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from whyheap.model.edit import Change
from whyheap.patterns.edit_source import EditSource, UneditableError, begin
from whyheap.patterns.syntax import GoFile

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_MOST_WORDS = 6
_POINTING = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "if", "in", "is", "must"}
    | {"no", "not", "of", "on", "or", "that", "the", "to", "was", "were", "with", "without"}
)


def variable_before(source: EditSource, node: SgNode, name: str, value: str) -> Change:
    """Return the change that declares a package variable above the declaration (and its comment) around a node."""
    around = source.declaration(begin(node))
    if around is None:
        raise UneditableError("it stands in no declaration")
    at = source.text.rfind("\n", 0, begin(around)) + 1
    while at:
        previous = source.text.rfind("\n", 0, at - 1) + 1
        if not source.text[previous : at - 1].startswith("//"):
            break
        at = previous
    if source.text[:at].rstrip().endswith("*/"):
        raise UneditableError("a comment of several lines stands above the function")
    return Change(at, at, f"var {name} = {value}\n\n")


def names_of(text: str, prefix: str, suffix: str = "") -> list[str]:
    """Make names of a text's first words, "too many" -> errTooMany: a few words, and more for when that is taken.

    None ends in a word that points at the next one.
    """
    words = [word[0].upper() + word[1:] for word in _WORD.findall(text.replace("'", ""))]
    counts = [count for count in range(_MOST_WORDS, len(words)) if words[count - 1].lower() not in _POINTING]
    return [prefix + "".join(words[:count]) + suffix for count in (*counts, len(words))]


def function_of(file: GoFile, line: int) -> str:
    """Return the declared function around a line as the compiler names it, `(*T).Method`; "" outside of any."""
    around = file.functions(line)[-1:]
    if not around or around[0].kind() == "func_literal":
        return ""
    name, receiver = around[0].field("name"), around[0].field("receiver")
    function = name.text() if name is not None else ""
    if receiver is None:
        return function
    of = receiver.text().strip("()").split()[-1].partition("[")[0]
    return f"(*{of[1:]}).{function}" if of.startswith("*") else f"{of}.{function}"
