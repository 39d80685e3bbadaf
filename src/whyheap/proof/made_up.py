"""Made-up values for the arguments of a function, as Go expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whyheap.model.go_types import GoType
from whyheap.patterns.edit_source import EditSource

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_NUMBERS = frozenset(
    {
        "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "byte", "rune",
        "float32", "float64",
    }
)  # fmt: skip
_DEEPEST = 3
_MANY, _SOME = 100, 10
"""How many elements a list has, and one that stands in another value."""


class MadeUp:
    """Values for one function: lists have elements, and structs the fields that the function mentions."""

    def __init__(self, source: EditSource, function: SgNode) -> None:
        """Look through `function`, a declaration in `source`."""
        self._source = source
        self._fields: dict[str, dict[str, GoType]] = {}
        for selector in function.find_all(kind="selector_expression"):
            self._note(selector)

    def _note(self, selector: SgNode) -> None:
        operand, name = selector.field("operand"), selector.field("field")
        of = self._source.type_of(operand) if operand is not None else None
        found = self._source.object_of(name) if name is not None else None
        type_ = self._source.type_of(selector)
        if of is not None and name is not None and found is not None and found.kind == "field" and type_ is not None:
            self._fields.setdefault(of.text.removeprefix("*"), {})[name.text()] = type_

    def value(self, of: GoType | None, number: str = "7", depth: int = 0) -> str | None:
        """Return an expression of a type, None where none is known; `number` is an int that tells values apart."""
        if of is None or not of.nameable or depth > _DEEPEST or "." in of.text:
            return None
        if of.kind in {"struct", "pointer"}:
            return self._struct(of, number, depth)
        if of.kind in {"slice", "map"}:
            return self._slice(of, depth) if of.kind == "slice" else self._map(of, depth)
        return _basic(of, number) if of.kind == "basic" else None

    def _struct(self, of: GoType, number: str, depth: int) -> str | None:
        """Make a struct, or a pointer to one; fields that are not mentioned, or of unknown values, stay zero."""
        struct = self._source.element(of) if of.kind == "pointer" else of
        if struct is None or struct.kind != "struct" or not struct.nameable:
            return None
        values = {
            name: self.value(type_, number, depth + 1) for name, type_ in self._fields.get(struct.text, {}).items()
        }
        made = f"v := new({struct.text})" if of.kind == "pointer" else f"var v {of.text}"
        given = [f"v.{name} = {value}" for name, value in values.items() if value is not None]
        return f"func() {of.text} {{ {'; '.join([made, *given, 'return v'])} }}()"

    def _slice(self, of: GoType, depth: int) -> str | None:
        inner = self.value(self._source.element(of), "i", depth + 1)
        loop = f"for i := range s {{ s[i] = {inner} }}"
        return inner and f"func() {of.text} {{ s := make({of.text}, {_length(depth)}); {loop}; return s }}()"

    def _map(self, of: GoType, depth: int) -> str | None:
        inner = self.value(self._source.element(of), "i", depth + 1)
        key = self.value(self._source.checked.types[of.key] if of.key >= 0 else None, "i", depth + 1)
        loop = f"for i := 0; i < {_length(depth)}; i++ {{ m[{key}] = {inner} }}"
        return inner and key and f"func() {of.text} {{ m := {of.text}{{}}; {loop}; return m }}()"


def _length(depth: int) -> int:
    return _SOME if depth else _MANY


def _basic(of: GoType, number: str) -> str | None:
    if of.basic in _NUMBERS:
        is_wide = of.basic in {"int", "int64", "uint", "uint64"} and number.isdecimal()
        return f"{of.text}({'1000' if is_wide else number})"
    if of.basic == "string":
        return f"{of.text}(\"word\" + string(rune('a'+{number})))"
    return f"{of.text}(true)" if of.basic == "bool" else None
