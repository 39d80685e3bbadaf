r"""One symbolised frame of a text profile: `#\t0xADDRESS\tFUNCTION+0xOFFSET\tFILE:LINE`, in columns padded with tabs.

Source: runtime/pprof/pprof.go, printStackRecord. Cut by hand: a regular expression that may try every `+0x` and `:` of
a hostile line takes quadratic time.
"""

from __future__ import annotations

MAX_LINE_CHARACTERS = 65_536
"""Longer lines are none of Go's: a stack has at most 1,024 addresses, a symbol some thousand characters."""

_MOST_HEXADECIMALS = 16
_MOST_DIGITS = 9
_HEXADECIMAL = frozenset("0123456789abcdef")


def cut_frame(line: str) -> tuple[int, str, int, str, int] | None:
    """Return address, function, offset, file and line number; None when it is no such line.

    The function is empty where only the address is printed.
    """
    if not line.startswith("#\t") or len(line) > MAX_LINE_CHARACTERS:
        return None
    text, _, rest = line[2:].rstrip().partition("\t")
    address = _number(text)
    if address is None:
        return None
    if not rest.strip("\t"):
        return address, "", 0, "", 0
    symbol, _, place = rest.lstrip("\t").partition("\t")
    function, _, offset_text = symbol.rpartition("+")
    file, _, line_text = place.lstrip("\t").rpartition(":")
    offset = _number(offset_text)
    is_line = 0 < len(line_text) <= _MOST_DIGITS and line_text.isascii() and line_text.isdecimal()
    if not function.strip() or offset is None or not file or not is_line:
        return None
    return address, function, offset, file, int(line_text)


def _number(text: str) -> int | None:
    """Read `0x` and up to 16 hexadecimal digits."""
    digits = text.removeprefix("0x")
    is_number = text.startswith("0x") and 0 < len(digits) <= _MOST_HEXADECIMALS and _HEXADECIMAL.issuperset(digits)
    return int(digits, 16) if is_number else None
