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


def name_of(text: str, prefix: str, suffix: str = "") -> str:
    """Make a name of a text's first words: "too many" -> errTooMany."""
    words = _WORD.findall(text)[:_MOST_WORDS]
    return prefix + "".join(word[0].upper() + word[1:] for word in words) + suffix


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
