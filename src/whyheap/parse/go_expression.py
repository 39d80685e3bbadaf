"""Go calls and assignments as the compiler prints them in explanations, cut into their parts."""

from __future__ import annotations

import re
from itertools import pairwise

_TOKEN = re.compile(r"""[()\[\]{},]|"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*?\.\.\.(?=, )|`[^`]*`|'(?:[^'\\]|\\.)+'""")
_STORAGE = "{storage for "
_CLOSERS = {")": "(", "]": "[", "}": "{"}


def call_parts(expr: str) -> tuple[str, tuple[str, ...]] | None:
    """Cut a printed call into callee and arguments: `(*T).M(x, f(y))` -> `(*T).M`, (`x`, `f(y)`); None if it is none.

    Long string literals are printed cut off, without their closing quote. Where an argument cannot be told from the
    next, none is given.
    """
    if not expr.endswith(")"):
        return None
    depth = 0
    opened = start = -1
    commas: list[int] = []
    for token in _TOKEN.finditer(expr):
        char = token[0]
        if char in "([{":
            if depth == 0:
                opened, commas = (token.start(), []) if char == "(" else (-1, [])
            depth += 1
        elif char in _CLOSERS:
            depth -= 1
            if depth == 0 and char == ")" and token.end() == len(expr):
                start = opened
        elif char == "," and depth == 1:
            commas.append(token.start())
    if start <= 0 or depth:
        cut = _first_call(expr)
        return (cut, ()) if cut else None
    edges = [start, *commas, len(expr) - 1]
    arguments = tuple(expr[left + 1 : right].strip() for left, right in pairwise(edges))
    return expr[:start], arguments if arguments != ("",) else ()


def _first_call(expr: str) -> str:
    """Return what stands before the first parenthesis that is no part of a method's receiver type."""
    begin = expr.find(").") + 1 if expr.startswith("(") else 0
    opened = expr.find("(", begin)
    return expr[:opened] if opened > 0 else ""


def split_list(text: str) -> list[str]:
    """Split at the commas outside of brackets and quotes."""
    if "," not in text:
        return [text.strip()]
    parts: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        char = token[0]
        if char in "([{":
            depth += 1
        elif char in _CLOSERS:
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start : token.start()].strip())
            start = token.end()
    return [*parts, text[start:].strip()]


def named(location: str) -> str:
    """Return what a flow's end is called, without dereferences: `&{storage for x}` -> `x`, `**p` -> `p`."""
    bare = location.lstrip("&*")
    return bare[len(_STORAGE) : -1] if bare.startswith(_STORAGE) else bare


def matching(text: str, opened: int) -> int:
    """Return the index of the bracket that closes the one at `opened`, -1 if none; comments are not understood."""
    depth = 0
    for token in _TOKEN.finditer(text, opened):
        char = token[0]
        if char in "([{":
            depth += 1
        elif char in _CLOSERS:
            depth -= 1
            if depth <= 0:
                return token.start()
    return -1
