"""Writes a text as a Go string literal, as strconv.Quote does (go.dev/ref/spec#String_literals)."""

from __future__ import annotations

_NAMED = {
    "\n": r"\n",
    "\t": r"\t",
    "\r": r"\r",
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\v": r"\v",
    '"': r"\"",
    "\\": r"\\",
}


def go_quoted(text: str) -> str:
    """Return an interpreted string literal whose value is the text."""
    return f'"{"".join(_escaped(char) for char in text)}"'


def go_raw(text: str) -> str:
    """Return a raw string literal where an interpreted one would need escapes, if the text can stand in one."""
    is_clear = all(char.isprintable() and char not in "`\ufeff" for char in text)
    return f"`{text}`" if is_clear and ('"' in text or "\\" in text) else go_quoted(text)


def _escaped(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:  # noqa: PLR2004 - ASCII
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the first plane
