"""How large a value is that a make with constant lengths gives, told from the expression as the compiler prints it."""

from __future__ import annotations

import re

_MADE = re.compile(r"make\(\[\]([a-z]+[0-9]*), (\d{1,15})(?:, (\d{1,15}))?\)", re.ASCII)
_BYTES = {
    **dict.fromkeys(("bool", "byte", "int8", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16"), 2),
    **dict.fromkeys(("int32", "uint32", "rune", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
}
"""Element types of one size on every platform."""


def constant_size(expression: str) -> int:
    """Return the bytes of `make([]byte, 4096)`, those of its capacity where that is given; 0 when not known."""
    made = _MADE.fullmatch(expression)
    return int(made[3] or made[2]) * _BYTES.get(made[1], 0) if made is not None else 0
