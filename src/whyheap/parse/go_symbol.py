"""Names of Go functions: linker symbols, and functions as the compiler prints them, in the contract's spelling."""

from __future__ import annotations

import re
from functools import lru_cache

from whyheap.parse.percent import percent_decoded

_METHOD = re.compile(r"\)?\.\w+")
_CLONE = re.compile(r"#[^#\s]*#")


def split_symbol(symbol: str) -> tuple[str, str]:
    """Cut a linker symbol into import path and function: `example.com/a/b.(*T).M` -> (`example.com/a/b`, `(*T).M`)."""
    bracket = symbol.find("[")
    slash = symbol.rfind("/", 0, bracket if bracket >= 0 else len(symbol))
    dot = symbol.find(".", slash + 1)
    if dot < 0:
        return "", symbol
    package = symbol[:dot]
    return percent_decoded(package), symbol[dot + 1 :]


@lru_cache(maxsize=1 << 15)  # facts stand together by function
def function_name(name: str) -> str:
    """Return a function as stack traces print it, whatever its instance: `Map[int,string].func1` -> `Map[...].func1`.

    As funcNameForPrint in Go's runtime does (traceback.go, Go 1.27): a method has type arguments of its own beside its
    type's, `(*T[int]).M[string]` -> `(*T[...]).M[...]`. Since 1.25 copies of a closure are named `F.func1#HASH#`.
    """
    if "#" in name:
        name = _CLONE.sub("", name)
    first = name.find("[")
    last = name.rfind("]")
    if not 0 <= first < last:
        return name
    closed = _closing(name, first)
    second = name.find("[", closed)
    if 0 < closed < second < last and _METHOD.fullmatch(name, closed + 1, second):
        return f"{name[:first]}[...]{name[closed + 1 : second]}[...]{name[last + 1 :]}"
    return f"{name[:first]}[...]{name[last + 1 :]}"


def _closing(name: str, opened: int) -> int:
    """Return where the bracket at `opened` is closed, -1 if nowhere."""
    depth = 0
    for at in range(opened, len(name)):
        depth += (name[at] == "[") - (name[at] == "]")
        if not depth:
            return at
    return -1
