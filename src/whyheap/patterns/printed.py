"""Go expressions as the compiler prints them: what they are, as far as the text alone tells."""

from __future__ import annotations

import re

_CONVERSION = re.compile(r"(?:string|json\.RawMessage(?=\(\")|\(?\[\](?:byte|rune|uint8|int32)\)?)\(")
_TYPED_LITERAL = re.compile(r"""[\w./]+\((?:-?\d[\w.]*|"(?:[^"\\]|\\.)*"|true|false)\)$""", re.DOTALL)
_STRING_OPERAND = re.compile(r'^"(?:[^"\\]|\\.)*" \+ | \+ "(?:[^"\\]|\\.)*"$| \+ "(?:[^"\\]|\\.)*" \+ ', re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*$")
_LITERAL = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)+'"""
    r"""|-?(?:0[xXbBoO])?\d[\da-fA-F_]*(?:\.\d*)?(?:[eEpP][-+]?\d+)?i?|true|false)$""",
    re.DOTALL,
)


def left_side(expr: str, value: str = "") -> str:
    """Return what is assigned to in a printed assignment; of several targets the one that gets `value`."""
    left, _, right = re.sub(r" :=? ", " = ", expr, count=1).partition(" = ")
    targets, values = _split(left), _split(right)
    if len(targets) == len(values):
        name = value.lstrip("&*").removeprefix("{storage for ").removesuffix("}")
        return next((target for target, one in zip(targets, values, strict=True) if name and name in one), targets[0])
    return targets[0]


def targets_of(expr: str) -> list[str]:
    """Return all that a printed assignment assigns to."""
    return _split(re.sub(r" :=? ", " = ", expr, count=1).partition(" = ")[0])


def _split(text: str) -> list[str]:
    """Split a printed list at the commas outside of brackets and quotes."""
    if ", " not in text:
        return [text]
    parts = []
    start = i = 0
    while i < len(text):
        if text[i] in "([{\"'`":
            end = closing(text, i) if text[i] in "([{" else _quoted_end(text, i)
            i = end if end > 0 else i
        elif text.startswith(", ", i):
            parts.append(text[start:i])
            start = i + 2
        i += 1
    return [*parts, text[start:]]


def is_name(expr: str) -> bool:
    """Whether a printed expression is one bare name."""
    return bool(_NAME.match(expr))


def is_typed_literal(subject: str) -> bool:
    """Whether a printed expression may be a constant of a named type, `T(1)`; a call `f(1)` looks the same."""
    return bool(_TYPED_LITERAL.match(subject))


def callee_of(expr: str) -> str:
    """Return the called function of a printed call: `fmt.Sprintf`, `keep`, `(*T).M`, `r.Read`; "" if it is no call."""
    opened = _last_arguments(expr)
    return expr[:opened] if opened > 0 else ""


def arguments_of(expr: str) -> list[str]:
    """Return the printed arguments of a printed call; the receiver of a static method is the first."""
    opened = _last_arguments(expr)
    inside = expr[opened + 1 : closing(expr, opened)] if opened > 0 else ""
    return _split(inside) if inside else []


def _last_arguments(expr: str) -> int:
    """Return where the last list in parentheses outside of all brackets and quotes begins, -1 if there is none."""
    found = -1
    i = 0
    while i < len(expr):
        char = expr[i]
        if char in "([{":
            end = closing(expr, i)
            if end < 0:
                return i if char == "(" else found
            found = i if char == "(" else found
            i = end
        elif char in "\"'`":
            end = _quoted_end(expr, i)
            i = end if end > 0 else i
        i += 1
    return found


def without_types(name: str) -> str:
    """Return a function's name without type arguments: they are printed in full here and as [...] there."""
    if "[" not in name or "&.dict[" in name:
        return name
    kept, depth = [], 0
    for char in name:
        depth += char == "["
        if not depth:
            kept.append(char)
        depth -= char == "]"
    return "".join(kept)


def closing(text: str, opened: int) -> int:
    """Return the index of the parenthesis that closes the one at `opened`, -1 if none; quoted text is skipped."""
    depth = 0
    quote = ""
    i = opened
    while i < len(text):
        char = text[i]
        if quote:
            if char == "\\" and quote != "`":
                i += 1
            elif char == quote:
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return i
        i += 1
    return -1


def _outer_plus(subject: str) -> bool:
    """Whether a + stands outside of all brackets and quotes."""
    i = 0
    while i < len(subject):
        char = subject[i]
        if char in "([{":
            i = closing(subject, i)
            if i < 0:
                return False
        elif char in "\"'`":
            end = _quoted_end(subject, i)
            if end < 0:
                return False
            i = end
        elif char == "+" and subject[i - 1 : i + 2] == " + ":
            return True
        i += 1
    return False


def _quoted_end(text: str, opened: int) -> int:
    """Return the index of the quote that closes the one at `opened`, -1 if none."""
    quote = text[opened]
    i = opened + 1
    while i < len(text):
        if text[i] == "\\" and quote != "`":
            i += 1
        elif text[i] == quote:
            return i
        i += 1
    return -1


def concatenates(subject: str) -> bool:
    """Whether a printed expression is `a + b` at its outermost level."""
    return " + " in subject and _outer_plus(subject)


def converts(subject: str) -> bool:
    """Whether a printed expression converts between string and bytes or runes at its outermost level."""
    conversion = _CONVERSION.match(subject)
    return conversion is not None and closing(subject, conversion.end() - 1) == len(subject) - 1


def is_literal(subject: str) -> bool:
    """Whether a printed expression is a literal: text, number, rune or truth value."""
    return bool(_LITERAL.match(subject))


def has_text_operand(subject: str) -> bool:
    """Whether a printed sum has a string literal among its operands."""
    return bool(_STRING_OPERAND.search(subject))
