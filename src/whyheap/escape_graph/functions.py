"""The functions of a scan: which parameters leak, and which function a printed call means."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from whyheap.model.facts import CompilerFact
from whyheap.model.scan import Scan
from whyheap.parse.go_expression import named, split_list
from whyheap.parse.go_signature import GoSource, InterfaceMethod, Signature
from whyheap.parse.go_symbol import function_name

_QUALIFIED = re.compile(r"^(\(\*|\()?([^\W\d]\w*)\.(.+)$")
_VERSION = re.compile(r"/v\d+$|\.v\d+$|@[^/]*")
_IMPORT = re.compile(r'^\s*(?:import\s+)?(?:([\w.]+)\s+)?"([^"\n]+)"', re.MULTILINE)
_IMPORTS_END = re.compile(r"^(?:func|type|var|const) ", re.MULTILINE)
_TYPE_ARGUMENTS = re.compile(r"\[.*\]")

_DECLARED = re.compile(r"([^\W\d]\w*)[ \t]+(?:\[\])?(?:[^\W\d]\w*\.)?$")
_LONGEST_NAME = 80

Key = tuple[str, str]
"""Import path and function, its type arguments as `[...]`."""
InterfaceKey = tuple[str, str]
"""Import path and name of an interface type."""


@dataclass(slots=True)
class Function:
    """A function of the scan; `leaks` are its parameters' ways to the heap, the first of each parameter."""

    key: Key
    leaks: dict[str, int] = field(default_factory=dict)


class Functions:
    """All functions that the facts name, and the sources that declare them."""

    def __init__(self, scan: Scan, sources: Mapping[str, str]) -> None:
        """`sources` may lack any file: then less is known of calls that were inlined."""
        self._sources = sources
        self._read: dict[str, GoSource | None] = {}
        self._imports: dict[str, dict[str, str]] = {}
        self._interfaces: dict[str, list[tuple[str, str, InterfaceMethod]]] | None = None
        self._declarations: dict[Key, tuple[str, Signature] | None] = {}
        self._typed: dict[tuple[str, str], frozenset[str]] = {}
        self._returned: dict[Key, frozenset[str]] = {}
        self._variables: dict[str, frozenset[str]] = {}
        self._files = {package.package: package.files for package in scan.packages}
        self._by_key: dict[Key, Function] = {}
        self._by_name: dict[str, list[Function]] = defaultdict(list)
        self._packages: dict[str, list[str]] = defaultdict(list)
        self._resolved: dict[tuple[str, str, str], Function | None] = {}
        for package in scan.packages:
            self._packages[package_name(package.package)].append(package.package)

    def add(self, key: Key) -> Function:
        """Note that a function exists."""
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = Function(key)
            self._by_name[simple_name(key[1])].append(found)
        return found

    def package_of(self, file: str) -> str:
        """Return the import path of the package that a file belongs to, "" if unknown."""
        return next((path for path, files in self._files.items() if file in files), "")

    def source(self, file: str) -> GoSource | None:
        """Return a file's declarations, None when it cannot be read."""
        if file not in self._read:
            text = self._sources.get(file)
            self._read[file] = GoSource(text) if text is not None else None
        return self._read[file]

    def static(self, callee: str, package: str, file: str) -> Function | None:
        """Return the function of the scan that a printed callee names: `f`, `(*T).M`, `pkg.F`, `(*pkg.T).M`."""
        key = (callee, package, file)
        if key not in self._resolved:
            self._resolved[key] = self._search(callee, package, file)
        return self._resolved[key]

    def _search(self, callee: str, package: str, file: str) -> Function | None:
        name = function_name(callee)
        own = self._by_key.get((package, name))
        if own is not None:
            return own
        if self.declaration((package, name), (file,)) is not None:
            return self.add((package, name))
        cut = _QUALIFIED.match(callee)
        if cut is None:
            return None
        imported = self.imports(file).get(cut[2])
        paths = self._packages.get(cut[2], ()) if imported is None else (imported,)
        inner = function_name((cut[1] or "") + cut[3])
        found = [there for path in paths if (there := self._by_key.get((path, inner))) is not None]
        return found[0] if len(found) == 1 else None

    def keys_named(self, name: str) -> list[Key]:
        """Return the functions of the scan that have a last name."""
        return [one.key for one in self._by_name.get(name, ())]

    def symbol(self, callee: str, file: str) -> str:
        """Return a function outside the scan with its import path where the file's imports tell it."""
        name = function_name(callee)
        cut = _QUALIFIED.match(name)
        path = self.imports(file).get(cut[2]) if cut is not None else None
        return f"{path}.{cut[1] or ''}{cut[3]}" if path and cut is not None else name

    def is_package(self, name: str, file: str) -> bool:
        """Whether a file imports a package by this name."""
        return name in self.imports(file)

    def imports(self, file: str) -> dict[str, str]:
        """Return the packages that a file imports, by the name that it uses."""
        known = self._imports.get(file)
        if known is None:
            known = self._imports[file] = {}
            text = self._sources.get(file)
            if text is not None:
                end = _IMPORTS_END.search(text)
                for found in _IMPORT.finditer(text, 0, end.start() if end else len(text)):
                    known[found[1] or package_name(found[2])] = found[2]
        return known

    def inlined(self, target: str, expr: str, at: tuple[str, int, int], package: str) -> tuple[Function, str] | None:
        """Return the function of the scan whose body was inlined where `expr` assigns its parameters, and which one.

        The compiler prints only the assignment (`c, req := x, y`), the call stands in the source.
        """
        source = self.source(at[0])
        written = source.called_at(at[1], at[2]) if source is not None else ""
        if not written:
            return None
        qualifier, _, parameter = target.lstrip("&*").rpartition(".")
        left = tuple(one.rpartition(".")[2] for one in split_list(expr.partition(" := ")[0]))
        fitting = [
            one
            for one in self._by_name.get(simple_name(written), ())
            if parameter in one.leaks
            and (package_name(one.key[0]) == qualifier if qualifier else one.key[0] == package)
        ]
        if len(fitting) > 1:
            fitting = [one for one in fitting if self._has_names(one, left)]
        return (fitting[0], parameter) if len({one.key for one in fitting}) == 1 else None

    def _has_names(self, function: Function, left: tuple[str, ...]) -> bool:
        signature = self.signature(function.key)
        return signature is not None and tuple(name for name in signature.names if name not in {"", "_"}) == left

    def signature(self, key: Key) -> Signature | None:
        """Return what the source declares for a function at package level."""
        found = self.declaration(key)
        return found[1] if found else None

    def declaration(self, key: Key, files: Iterable[str] = ()) -> tuple[str, Signature] | None:
        """Return file and signature of a function at package level; `files` are looked into first."""
        if ".func" in key[1]:
            return None
        if key not in self._declarations:
            self._declarations[key] = self._declaration(key, files)
        return self._declarations[key]

    def _declaration(self, key: Key, files: Iterable[str]) -> tuple[str, Signature] | None:
        for file in (*files, *self._files.get(key[0], ())):
            source = self.source(file)
            signature = source.declared(key[1]) if source is not None else None
            if signature is not None:
                return file, signature
        return None

    def parameter(self, function: Function, leaks: Sequence[CompilerFact], position: int, count: int) -> str | None:
        """Return the name of the parameter that takes an argument, None when it is not known.

        `leaks` are those of the function's parameters; `position` counts the receiver.
        """
        signature = self._signature_of(function, leaks)
        if signature is not None and signature.parameters:
            names = signature.names
            if position < len(names):
                return names[position]
            return names[-1] if signature.parameters[-1][1].startswith("...") else None
        names = tuple(dict.fromkeys(sorted_names(leaks)))
        return names[position] if len(names) == count and position < count else None

    def _signature_of(self, function: Function, leaks: Sequence[CompilerFact]) -> Signature | None:
        if not leaks:  # of a generic function's instances the compiler prints no leaks
            return self.signature(function.key)
        at = leaks[0].printed_at
        source = self.source(at.file)
        return source.around(at.line, at.column) if source is not None else None

    def is_variable(self, name: str, package: str) -> bool:
        """Whether a package declares a variable at package level."""
        known = self._variables.get(package)
        if known is None:
            sources = (self.source(file) for file in self._files.get(package, ()))
            known = self._variables[package] = frozenset().union(*(one.variables for one in sources if one is not None))
        return name in known

    def interface_of(self, callee: str, method: str, arity: int, package: str) -> InterfaceKey | None:
        """Return the interface type of the scan that a method is called on, None when that is not clear.

        Its variable must be declared with that type somewhere in the package: `store Store`.
        """
        found = {(path, one.interface) for path, _, one in self.methods_named(method) if one.arity == arity}
        if not found:
            return None
        receiver = callee.removesuffix(f".{method}").rpartition(".")[2]
        fitting = {one for one in found if receiver in self._declared_as(package, one[1])}
        own = {one for one in fitting if one[0] == package} or fitting
        return next(iter(own)) if len(own) == 1 else None

    def _declared_as(self, package: str, interface: str) -> frozenset[str]:
        """Return the names that a package declares with an interface type: `store Store`, `sinks []io.Sink`."""
        known = self._typed.get((package, interface))
        if known is None:
            texts = (self._sources.get(file, "") for file in self._files.get(package, ()))
            names = (name for text in texts for name in _names_before(text, interface))
            known = self._typed[package, interface] = frozenset(names)
        return known

    def methods_named(self, name: str) -> list[tuple[str, str, InterfaceMethod]]:
        """Return all interface methods of the scan with a name: (package, file, method)."""
        return self._methods().get(name, [])

    def _methods(self) -> dict[str, list[tuple[str, str, InterfaceMethod]]]:
        if self._interfaces is None:
            self._interfaces = defaultdict(list)
            for path, files in self._files.items():
                for file in files:
                    source = self.source(file) if "interface" in self._sources.get(file, "") else None
                    for method, there in source.interfaces() if source is not None else ():
                        self._interfaces[method].append((path, file, there))
        return self._interfaces

    def returned_names(self, key: Key, file: str) -> frozenset[str]:
        """Return the variables that a function at package level returns as they are."""
        known = self._returned.get(key)
        if known is None:
            source = self.source(file)
            known = self._returned[key] = source.returned(key[1]) if source is not None else frozenset()
        return known


def _names_before(text: str, kind: str) -> Iterator[str]:
    """Yield the words that stand before a type's name."""
    at = text.find(kind)
    while at >= 0:
        before = _DECLARED.search(text[max(at - _LONGEST_NAME, 0) : at])
        following = text[at + len(kind) : at + len(kind) + 1]
        if before is not None and not (following.isalnum() or following == "_"):
            yield before[1]
        at = text.find(kind, at + len(kind))


def sorted_names(facts: Iterable[CompilerFact]) -> list[str]:
    """Return the names of parameters in the order of their declaration."""
    return [fact.subject for fact in sorted(facts, key=lambda one: (one.printed_at.line, one.printed_at.column))]


def package_name(path: str) -> str:
    """Return what a package is called as a rule: the last element of its path, without its version."""
    bare = _VERSION.sub("", path)
    return posixpath.basename(bare).removeprefix("go-").replace("-", "_")


def simple_name(function: str) -> str:
    """Return the last name of a function: `(*T[...]).M` -> `M`, `pkg.F` -> `F`."""
    return _TYPE_ARGUMENTS.sub("", function).rpartition(".")[2]


def argument_of(arguments: tuple[str, ...], wanted: str) -> int:
    """Return which argument of a printed call carries a value, -1 when that is not clear."""
    bare = named(wanted)
    exact = [index for index, one in enumerate(arguments) if one.removesuffix("...") in {wanted, bare, f"&{bare}"}]
    if len(exact) == 1:
        return exact[0]
    if bare == "func literal":
        literals = [index for index, one in enumerate(arguments) if one.startswith(("func(", "func literal"))]
        return literals[0] if len(literals) == 1 else -1
    holding = [index for index, one in enumerate(arguments) if _holds(one, bare)]
    return holding[0] if len(holding) == 1 else -1


def _holds(argument: str, name: str) -> bool:
    return bool(name) and re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", argument) is not None
