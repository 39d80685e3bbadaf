"""How the structs of a program lie in memory, and where its variables are: what debug information tells, kept small."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from whyheap.errors import FormatError

_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,9})\]")


class Field(NamedTuple):
    """A part of a struct: distance from its start and size in bytes, and the name of its type."""

    offset: int
    size: int
    type: str = ""


class Variable(NamedTuple):
    """A package-level variable: the address it is linked to (0 = not known), size in bytes, the name of its type."""

    address: int
    size: int
    type: str = ""


@dataclass(frozen=True, slots=True)
class TypeLayout:
    """One type. A struct has `fields`, an array `count` elements of type `element`; others have neither."""

    size: int
    fields: dict[str, Field] = field(default_factory=dict)
    element: str = ""
    count: int = 0


class LayoutError(FormatError):
    """A struct, a field or a variable that this version of Go has not, or that debug information does not tell."""


@dataclass(frozen=True, slots=True)
class StructLayout:
    """Types and variables by their names with the package ("runtime.mheap", "runtime.mheap_").

    `wait_reasons` are the texts for why a goroutine waits, by number, as this Go spells them.
    """

    types: dict[str, TypeLayout]
    variables: dict[str, Variable]
    wait_reasons: tuple[str, ...] = ()

    def type_of(self, name: str) -> str:
        """Return the full name of a type: of a variable its type's; "mheap" is short for "runtime.mheap"."""
        variable = self.variables.get(name)
        if variable is not None and variable.type:
            return variable.type
        for known in (name, f"runtime.{name}"):
            if known in self.types:
                return known
        raise LayoutError(f"The type {name} is not known in this program's Go.")

    def sizeof(self, name: str) -> int:
        """Return the size of a type, or of a variable's type. Raises `LayoutError`."""
        return self.field(name, "").size

    def field(self, name: str, path: str) -> Field:
        """Return a field of a type or variable by its path: "state", "pages.inUse", "central[3].mcentral".

        Raises `LayoutError` when it has none of that name.
        """
        variable = self.variables.get(name)
        at = name if variable is not None and not variable.type else self.type_of(name)
        size = self.types[at].size if at in self.types else variable.size if variable is not None else 0
        found = Field(0, size, at)
        for step in _STEP.finditer(path):
            layout = self.types.get(found.type)
            inside = None
            if layout is not None and step[1]:
                inside = layout.fields.get(step[1])
            elif layout is not None and int(step[2]) < layout.count:
                size = layout.size // layout.count
                inside = Field(int(step[2]) * size, size, layout.element)
            if inside is None:
                raise LayoutError(f"{name} has no {path} in this program's Go.")
            found = Field(found.offset + inside.offset, inside.size, inside.type)
        return found

    def has_field(self, name: str, path: str) -> bool:
        """Whether `field` would find it."""
        try:
            self.field(name, path)
        except LayoutError:
            return False
        return True
