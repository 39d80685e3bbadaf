"""Ordinary arguments for a function, made from its parameters' types as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_NUMBERS: Final = {"uintptr", "byte", "rune", "float32", "float64"} | {
    f"{kind}{bits}" for kind in ("int", "uint") for bits in ("", 8, 16, 32, 64)
}
_ORDINARY: Final = {
    "string": "harness.Text",
    "bool": "true",
    "any": "any(1000)",
    "interface{}": "any(1000)",
    "error": 'errors.New("ordinary")',
    "[]byte": "[]byte(harness.Text)",
    "[]string": "harness.Texts(100)",
    "[]int": "harness.Count(100)",
    "io.Reader": "io.Reader(harness.Reader{})",
    "io.Writer": "io.Writer(io.Discard)",
    "context.Context": "context.Background()",
    "http.ResponseWriter": "http.ResponseWriter(httptest.NewRecorder())",
    "*http.Request": 'httptest.NewRequest("GET", "/items/7?page=2", nil)',
    "sort.Interface": "sort.Interface(sort.IntSlice{3, 1, 2})",
    "fmt.Stringer": "fmt.Stringer(time.Second)",
}
_ELEMENTS = 100
_NUMBER = 1000  # boxed values below 256 need no memory
_SMALL: Final = {"int8", "uint8", "byte"}
_PATHS: Final = {"http": "net/http", "httptest": "net/http/httptest", "pprof": "runtime/pprof", "json": "encoding/json"}
_PACKAGE = re.compile(r"(?<![\w.])([a-z][a-z0-9]*)\.[A-Z]")
_STANDARD: Final = {"bufio", "bytes", "context", "errors", "fmt", "io", "maps", "math", "os", "reflect", "regexp"} | {
    *("slices", "sort", "strconv", "strings", "sync", "time")
}


def argument(kind: str, local: Mapping[str, SgNode]) -> str | None:
    """Return a Go expression of a type; None when there is no ordinary one. `local` are the file's own types."""
    kind = kind.strip()
    if kind in _NUMBERS:
        return f"{kind}({7 if kind in _SMALL else _NUMBER})"
    return _ORDINARY.get(kind) or _composed(kind, local)


def _composed(kind: str, local: Mapping[str, SgNode]) -> str | None:  # noqa: PLR0911 - a table of forms
    if kind.startswith("[]"):
        element = argument(kind[2:], local)
        return f"{kind}(harness.Many({element}, {_ELEMENTS}))" if element else None
    if kind.startswith("map["):
        key, _, value = kind[4:].partition("]")
        pair = (argument(key, local), argument(value, local))
        return f"{kind}{{{pair[0]}: {pair[1]}}}" if all(pair) else None
    if kind.startswith("["):
        return f"{kind}{{}}"
    if kind.startswith("<-chan "):
        return f"harness.Fed[{kind[7:]}]()"
    if kind.startswith(("chan ", "chan<- ")):
        return f"harness.Drained[{kind.partition(' ')[2]}]()"
    if kind.startswith("func("):
        return _function(kind)
    if kind.startswith("*"):
        return _pointer(kind[1:], local)
    return _named(kind, local)


def _pointer(kind: str, local: Mapping[str, SgNode]) -> str | None:
    if kind in _NUMBERS or kind in _ORDINARY or kind.startswith(("[]", "map[")):
        value = argument(kind, local)
        return f"harness.Pointer({value})" if value else None
    return f"new({kind})"


def _named(kind: str, local: Mapping[str, SgNode]) -> str | None:
    if "." in kind:
        return f"*new({kind})"
    spec = local.get(kind.partition("[")[0])
    declared = spec.field("type") if spec is not None else None
    if declared is None or declared.kind() == "interface_type":
        return None
    if declared.kind() == "function_type":
        made = _function(declared.text())
        return f"{kind}({made})" if made else None
    if declared.kind() in {"slice_type", "map_type"}:
        made = argument(declared.text(), local)
        return f"{kind}({made})" if made else None
    return f"*new({kind})"


def _function(kind: str) -> str | None:
    """Return a function that does nothing and returns zero values."""
    depth = 0
    for index, char in enumerate(kind):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            results = kind[index + 1 :].strip()
            if not results:
                return f"{kind} {{}}"
            if results.startswith("("):
                return None
            return f"{kind} {{ return *new({results}) }}"
    return None


def used_packages(expressions: Iterable[str], text: str) -> set[str]:
    """Return the import specs that expressions need: those of the file first, else the standard library's."""
    imported = {}
    for name, path in re.findall(r'^\s*(?:import )?(\w+ )?"([\w./-]+)"$', text, re.MULTILINE):
        imported[name.strip() or path.rsplit("/", 1)[-1]] = f'{name}"{path}"'
    found = set()
    for name in {name for one in expressions for name in _PACKAGE.findall(re.sub(r'"[^"]*"', '""', one))}:
        if name in imported:
            found.add(imported[name])
        elif name in _PATHS or name in _STANDARD:
            found.add(f'"{_PATHS.get(name, name)}"')
    return found
