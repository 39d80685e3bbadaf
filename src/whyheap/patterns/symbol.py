"""Two spellings of one function: as the compiler prints a call, and as the linker names a symbol."""

from __future__ import annotations

import re

from whyheap.patterns.syntax import package_names

_METHOD = re.compile(r"\((\*?)(?:(\w+)\.)?(\w+)(?:\[.*\])?\)\.(\w+)$", re.DOTALL)


def is_same_function(printed: str, symbol: str, package: str) -> bool:
    """Whether a printed callee (`fmt.Sprintf`, `keep`, `(*big.Float).Append`) is a symbol, seen from a package."""
    head, slash, tail = symbol.partition("[")[0].rpartition("/")
    element, _, function = tail.partition(".")
    path = (head + slash + element).replace("%2e", ".")
    method = _METHOD.match(printed)
    if method is not None:
        star, qualifier, type_name, name = method.groups()
        receiver = f"(*{type_name})" if star else type_name
        return _shape(symbol) == f"{receiver}.{name}" and _is_package(qualifier or "", path, package)
    bare = printed.partition("[")[0]
    qualifier, dot, name = bare.rpartition(".")
    return function.split(".func", 1)[0] == (name if dot else bare) and _is_package(qualifier, path, package)


def _shape(symbol: str) -> str:
    """Return a symbol without its package and type arguments: `(*T).M`."""
    flat = re.sub(r"\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]", "", symbol)
    return flat.rpartition("/")[2].partition(".")[2]


def _is_package(qualifier: str, path: str, package: str) -> bool:
    """Whether a package written as `qualifier` ("" = the own one) may be the one at an import path."""
    if not qualifier:
        return path in {package, "main"}
    return qualifier in package_names(path)
