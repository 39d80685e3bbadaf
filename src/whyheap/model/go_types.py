"""What go/types says of a file: types, objects, and which expression has which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GoType:
    """One type, spelled as this file would write it.

    `kind` is that of the underlying type ("basic", "slice", "map", ..., "parameter" for a type parameter), `basic` its
    name where it is basic. `nameable`: the file imports all that `text` mentions. `plain`: == compares what
    reflect.DeepEqual does. `elem` and `key` are indexes of types, -1 for none; `bytes` is -1 where nobody knows.
    `methods` are those of a value.
    """

    text: str
    kind: str
    basic: str = ""
    named: bool = False
    nameable: bool = False
    plain: bool = False
    bytes: int = -1
    elem: int = -1
    key: int = -1
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoObject:
    """What an identifier stands for. `kind`: var, field, const, type, func, package, builtin, label or nil.

    `level` is local, package, imported or universe; `path` the package's import path (of a package: the imported one).
    `start` is the byte offset of its declaration in `file` (a base name).
    """

    name: str
    kind: str
    level: str
    path: str = ""
    file: str = ""
    start: int = 0
    type: int = -1


@dataclass(frozen=True, slots=True)
class GoExpression:
    """The type of one expression, at byte offsets; `constant` is its value, of a string the text itself."""

    start: int
    end: int
    type: int
    constant: str | None = None
    is_type: bool = False


@dataclass(frozen=True, slots=True)
class GoIdentifier:
    """One identifier at byte offsets; `object` is an index."""

    start: int
    end: int
    object: int
    defines: bool = False


@dataclass(frozen=True, slots=True)
class GoImport:
    """One import: the name that the file calls it by, and where it stands, in byte offsets."""

    name: str
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file. Expressions and identifiers are those of the declarations that were asked for.

    `language` is the Go version that the file is written in ("go1.22"); `uses` are the offsets at which the file
    calls each imported package by name, everywhere in it.
    """

    imports: tuple[GoImport, ...]
    types: tuple[GoType, ...]
    objects: tuple[GoObject, ...]
    expressions: tuple[GoExpression, ...]
    identifiers: tuple[GoIdentifier, ...]
    language: str
    uses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedPackage:
    """One package: the names in its scope, and what was asked of its files. `error`: it could not be checked."""

    path: str
    error: str = ""
    scope: tuple[str, ...] = ()
    files: Mapping[str, CheckedFile] = field(default_factory=dict)
