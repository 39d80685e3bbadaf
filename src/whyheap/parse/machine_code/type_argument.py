"""The type that a call of the allocator gets: where it stands among the arguments, and how Go spells it.

Go passes integer and pointer arguments in registers (cmd/compile/abi-internal.md): on amd64 in AX, BX, CX, DI, SI, R8,
R9, R10, R11, on arm64 in R0 to R15.
"""

from __future__ import annotations

import re
from functools import lru_cache

from whyheap.parse.percent import percent_decoded

ARGUMENT_REGISTERS = {"amd64": (0, 3, 1, 7, 6, 8, 9, 10, 11), "arm64": tuple(range(16))}
"""Numbers of the registers as instructions encode them, by position of the argument."""

_PREFIX = "type:"
_LONGEST = 2048  # longer ones, of structs without a name, are left as they are
_LOCAL = re.compile(r"·\d+")
_PART = r'[^\s\[\](){}*,;"/<]+'
_QUALIFIED = re.compile(rf'"(?:[^"\\]|\\.)*"|{_PART}(?:/{_PART})*')
_FIELD = re.compile(r'(?<=[{;] )[\w%./@-]*\.([^\W\dA-Z]\w*)(?= [^}"])')  # sync.f of struct { sync.f func() }
_VERSION = re.compile(r"v\d+(?:\.\d+)*")
_INSTANCE = re.compile(r"(?<![\w.])(?!map\[)[^\W\d][\w./%@-]*\[")  # a.List[ of a.List[b/c.T], not map[ or []


@lru_cache(maxsize=1 << 14)
def spelled_type(symbol: str) -> str:
    """Spell the type of a descriptor as Go prints it: `type:*example.com/m/a.T` -> `*a.T`; empty for other symbols.

    A package is called by the last part of its path, a major version left out: the symbol says no more.
    """
    if not symbol.startswith(_PREFIX):
        return ""
    name = symbol[len(_PREFIX) :].removeprefix("noalg.")
    name = _LOCAL.sub("", name)
    if len(name) > _LONGEST:
        return name
    parts = []
    at = 0
    while (found := _INSTANCE.search(name, at)) is not None:  # Go prints the arguments of a generic type in full
        end = _closed(name, found.end())
        parts += [_plain(name[at : found.end()]), name[found.end() : end]]
        at = end
    return "".join((*parts, _plain(name[at:])))


def _closed(name: str, start: int) -> int:
    """Return where the bracket is closed that was opened before `start`."""
    depth = 1
    for place in range(start, len(name)):
        depth += (name[place] == "[") - (name[place] == "]")
        if depth == 0:
            return place
    return len(name)


def _plain(name: str) -> str:
    """Spell a type, or a part of one, without type arguments."""
    return _QUALIFIED.sub(lambda found: _short(found[0]), _FIELD.sub(r"\1", name))


def _short(name: str) -> str:
    """Cut a qualified name's path: `gopkg.in/yaml%2ev3.Node` -> `yaml.Node`."""
    if name.startswith('"') or not ("/" in name or "%" in name):
        return name
    path, _, rest = name.rpartition("/")
    package, dot, rest = rest.partition(".")
    package = percent_decoded(package)
    if _VERSION.fullmatch(package) and path:
        package = percent_decoded(path.rpartition("/")[2])
    stem, _, version = package.rpartition(".")
    if stem and _VERSION.fullmatch(version):
        package = stem
    return f"{package}{dot}{rest}"
