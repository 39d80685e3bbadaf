"""Packages that go has compiled, with their facts in the store: what a scan hands on."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from whyheap.collect.allocator_names import unknown_allocators_gap
from whyheap.collect.code_ahead import CodeAhead
from whyheap.collect.code_store import FORMAT as CODE_FORMAT
from whyheap.collect.code_store import CodeStore
from whyheap.collect.fact_store import FORMAT, FactStore
from whyheap.collect.machine_code import CodeLibrary
from whyheap.collect.unchanged import inputs
from whyheap.errors import TargetError, ToolError
from whyheap.host.go import GoEnvironment
from whyheap.host.stamps import changed_since
from whyheap.model.gauge import Gap, Origin
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.parse.go_list import ListedPackage
from whyheap.parse.source_path import SourceNames

_KNOWN_GO = tuple(f"go1.{minor}" for minor in range(22, 28))
T = TypeVar("T")


class CompiledPackages:
    """Packages that go has compiled and whose facts are in the store."""

    def __init__(
        self,
        environment: GoEnvironment,
        names: SourceNames,
        store: FactStore,
        origin: Origin,
        packages: Iterable[ListedPackage],
        restore: Callable[[], object],
        started_at: float,
        code: CodeStore,
        ahead: CodeAhead | None = None,
    ) -> None:
        """`names` says how files are spelled in this build; `restore` compiles what is missing in the store.

        `packages` are all of the run, dependencies too. `started_at` is when the scan began, in seconds since 1970.
        """
        packages = tuple(packages)
        self.library = CodeLibrary(packages, names, code, restore, ahead)
        self._unknown: int | None = None
        self.environment = environment
        self.names = names
        self.packages = tuple(package for package in packages if is_own(package) and _has_code(package))
        self._store = store
        self._origin = origin
        self._restore = restore
        self._started_at = started_at

    @property
    def key(self) -> str:
        """A digest that is equal when every package, its build and its error are equal."""
        digest = hashlib.blake2b(f"{FORMAT} {CODE_FORMAT} {self.environment}".encode(), digest_size=20)
        for package in self.packages:
            held = self._store.held_digest(package.ImportPath, package.BuildID)
            digest.update(repr((package.ImportPath, package.BuildID, package.Error, held)).encode())
        return digest.hexdigest()

    @property
    def failure(self) -> TargetError | None:
        """What could not be built, in one sentence; None when everything could."""
        broken = [package for package in self.packages if not package.BuildID]
        if not broken:
            return None
        first = next((package for package in broken if package.Error), broken[0])
        return TargetError(
            f"{len(broken)} of {len(self.packages)} packages could not be built: {_reason(first)}",
            "The others were scanned. Mend it, then scan again.",
        )

    def fact_lines(self) -> Iterator[bytes]:
        """Yield all facts as JSON lines, package by package."""
        for package in self.packages:
            if package.BuildID:
                yield self._read(package, self._store.lines)

    def lines_of(self, package: str) -> Iterator[bytes]:
        """Yield all facts of one import path as JSON lines, build by build (with tests there may be two)."""
        for listed in self.packages:
            if listed.path == package and listed.BuildID:
                yield self._read(listed, self._store.lines)

    def is_current(self) -> bool:
        """Whether the sources are still those that were compiled."""
        return not changed_since(inputs(self.packages), self._started_at)

    @cached_property
    def unknown(self) -> int:
        """How many lines of the compiler were not understood."""
        return self._unknown if self._unknown is not None else sum(one.unknown for one in self.load().packages)

    def load(self) -> Scan:
        """Read the facts that the join needs."""
        with no_collection():
            scanned = tuple(self._scanned(package) for package in self.packages)
            gaps = (*_gaps(scanned), *self.library.gaps(), *_unknown_allocators(self.environment))
        self._unknown = sum(package.unknown for package in scanned)
        module = next((one.Module.Path for one in self.packages if one.Module and one.Module.Main), "")
        environment = self.environment
        return Scan(
            root=self.names.root,
            module=module,
            go=environment.GOVERSION,
            goos=environment.GOOS,
            goarch=environment.GOARCH,
            packages=scanned,
            origin=self._origin,
            key=self.key,
            gaps=gaps,
        )

    def _scanned(self, package: ListedPackage) -> ScannedPackage:
        files = tuple(self.names.spell_absolute(f"{package.Dir}/{file}") for file in _files(package))
        is_program = package.Name == "main"
        if not package.BuildID:
            return ScannedPackage(package.path, package.Dir, files, is_program, error=_reason(package))
        stored = self._read(package, self._store.load)
        functions = self.library.functions_of(package.ImportPath)
        return ScannedPackage(
            package.path, package.Dir, files, is_program, stored.facts, unknown=stored.unknown, functions=functions
        )

    def _read(self, package: ListedPackage, read: Callable[[str, str], T | None]) -> T:
        """Read what is stored; what another process dropped in the meantime, or is damaged, is compiled again."""
        found = read(package.ImportPath, package.BuildID)
        if found is None:
            self._restore()
            found = read(package.ImportPath, package.BuildID)
        if found is None:
            raise ToolError(f"the facts of {package.ImportPath} vanished from the cache", "Run the command again")
        return found


def _unknown_allocators(environment: GoEnvironment) -> Iterator[Gap]:
    """Yield what a Go that nobody has looked at yet may allocate with; those that were are not read again."""
    if environment.GOVERSION.startswith(_KNOWN_GO):
        return
    gap = unknown_allocators_gap(Path(environment.GOROOT), environment.GOVERSION)
    if gap is not None:
        yield gap


def is_own(package: ListedPackage) -> bool:
    """Whether facts of this build are wanted: dependencies, test programs and builds for a profile are left out."""
    if package.DepOnly or package.path.endswith(".test"):
        return False
    return not package.variant or package.variant.endswith(".test")


def _has_code(package: ListedPackage) -> bool:
    """Whether go had anything to build, or a reason not to: a folder of tests alone and `unsafe` have neither."""
    if package.BuildID or package.Error:
        return True
    return bool(package.GoFiles or package.CgoFiles) and package.ImportPath != "unsafe"


def refuse_nothing(compiled: CompiledPackages, patterns: Sequence[str], note: str) -> None:
    """Say in one sentence why nothing could be scanned."""
    for package in compiled.packages:
        reason = _reason(package)
        if reason:
            raise TargetError(f"nothing could be compiled: {package.ImportPath}: {reason}", hint_for(reason))
    words = note.removeprefix("warning: ")
    raise TargetError(words or f"{' '.join(patterns)} matches no packages", hint_for(words))


def _reason(package: ListedPackage) -> str:
    """Return the compiler's or go's words about a package that could not be built, in one line."""
    errors = [package.Error] if package.Error else list(package.DepsErrors)
    for error in errors:
        lines = [line for line in error.Err.splitlines() if line.strip() and not line.startswith("# ")]
        if lines:
            left = len(lines) - 1
            more = f" (and {left} more line{'s' if left > 1 else ''})" if left else ""
            place = f"{error.Pos}: " if error.Pos and error.Pos not in lines[0] else ""
            return f"{place}{lines[0].strip()}{more}"
    return "" if package.BuildID else "go built nothing for it and gave no reason"


def _gaps(scanned: Iterable[ScannedPackage]) -> Iterator[Gap]:
    for package in scanned:
        if package.error:
            yield Gap("compiler", f"{package.package} was not scanned: {package.error}", "Mend it, then scan again")
    unknown = sum(package.unknown for package in scanned)
    if unknown:
        yield Gap(
            "compiler",
            f"{unknown} lines of the compiler's output were not understood",
            "whyheap scan --facts --format jsonl shows them as kind unknown",
        )


def _files(package: ListedPackage) -> tuple[str, ...]:
    tests = (*package.TestGoFiles, *package.XTestGoFiles) if package.variant else ()
    return (*package.GoFiles, *package.CgoFiles, *tests)


_NAMES = "Name packages as for go build: ./... for all below this folder, ./cmd/shop, example.com/shop/..."
_HINTS = {
    ("go.mod file not found", "does not contain main module", "outside"): (
        "Run it inside a Go module, or name one: whyheap scan /path/to/module/..."
    ),
    ("build constraints exclude", "no non-test Go files"): (
        "Name another package, or build for what it is of: --tags, --goos, --goarch; --tests for tests alone"
    ),
    ("go.sum", "go mod tidy", "no required module provides"): "Let go get what is missing:  go mod tidy",
    ("directory not found", "no Go files in", "no packages", "is not in std", "malformed import path"): _NAMES,
}
"""The way out for what go's words contain, the first that fits."""


def hint_for(words: str) -> str:
    """Return the way out that go's words suggest; what is no matter of names and modules is one of the code."""
    for said, hint in _HINTS.items():
        if any(part in words for part in said):
            return hint
    return "Mend it until it builds:  go build ./..."


@contextmanager
def no_collection() -> Iterator[None]:
    """Millions of facts and no cycles: the cyclic collector would only walk them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
