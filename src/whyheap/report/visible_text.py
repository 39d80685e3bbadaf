"""Text from a target made harmless: what would move the cursor, hide or reorder is shown as an escape instead."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_HANGUL_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
_MARKS_IN_A_ROW: Final = 3
_ELLIPSIS: Final = "\u2026"
_BYTE: Final = 0x100
_PLANE: Final = 0x10000
_RUN_OF_SPACES: Final = re.compile(r"\s+")


def visible(text: str) -> str:
    r"""Escape control characters, bidi and invisible ones (`\x1b`, `\u202e`) and the excess of stacked marks."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for char in text:
        is_mark = unicodedata.category(char) in {"Mn", "Me"}
        marks = marks + 1 if is_mark else 0
        shown.append(_escape(char) if marks > _MARKS_IN_A_ROW or _is_harmful(char) else char)
    return "".join(shown)


def one_line(text: str) -> str:
    """Join lines and runs of white space into single spaces, then make the rest visible."""
    return visible(_RUN_OF_SPACES.sub(" ", text).strip())


def cut_middle(text: str, length: int) -> str:
    """Cut a long text in its middle to `length` characters, ellipsis included: both ends of a name tell most."""
    if len(text) <= length:
        return text
    if length <= 1:
        return _ELLIPSIS[:length]
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}{_ELLIPSIS}{text[len(text) - tail :]}"


def _is_harmful(char: str) -> bool:
    return unicodedata.category(char) in _HARMFUL or char in _HANGUL_FILLERS


def _escape(char: str) -> str:
    short = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(char)
    if short is not None:
        return short
    code = ord(char)
    return f"\\x{code:02x}" if code < _BYTE else f"\\u{code:04x}" if code < _PLANE else f"\\U{code:08x}"
