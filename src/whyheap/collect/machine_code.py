"""Witness: machine code of packages, from the archives that `go list -export` names. Nothing is linked.

What the archives say is kept by build ID (code_store), so that a scan in which nothing changed opens none of them. The
code of dependencies, of the runtime and of std is read when somebody asks for a function of theirs.
"""

from __future__ import annotations

import mmap
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from whyheap.collect.code_ahead import CodeAhead
from whyheap.collect.code_store import CodeStore
from whyheap.errors import FormatError
from whyheap.goruntime.allocators import type_argument
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.model.gauge import Gap
from whyheap.model.machine_code import FunctionCode
from whyheap.parse.go_list import ListedPackage
from whyheap.parse.go_symbol import split_symbol
from whyheap.parse.machine_code.goobj_builtins import BUILTIN_LIST, parse_builtins
from whyheap.parse.machine_code.line_notes import Instead, LineNotes, line_notes
from whyheap.parse.machine_code.raw import RawFunction
from whyheap.parse.percent import percent_decoded
from whyheap.parse.source_path import SourceNames

if TYPE_CHECKING:
    from whyheap.parse.machine_code.archive import Archive

_ARCHIVES_OPEN = 64
_POLL_SECONDS = 0.01
_RUNTIME = ("runtime", "internal/runtime/maps", "internal/bytealg", "reflect", "sync", "syscall", "time")
"""Packages that hold functions under names of other packages (go:linkname)."""
T = TypeVar("T")


class CodeLibrary:
    """The machine code of one go list run: of the packages that it names and of all that they depend on."""

    def __init__(
        self,
        packages: Iterable[ListedPackage],
        names: SourceNames,
        store: CodeStore,
        restore: Callable[[], object] = lambda: None,
        ahead: CodeAhead | None = None,
    ) -> None:
        """`packages` are those of one run with -deps -export; `restore` has go make archives anew that it dropped.

        What `ahead` is still reading is waited for.
        """
        self._packages = {package.ImportPath: package for package in packages if package.BuildID}
        self._names = names
        self._store = store
        self._restore = restore
        self._ahead = ahead or CodeAhead()
        self._is_restored = False
        self._archives: OrderedDict[str, Archive | None] = OrderedDict()
        self._read: dict[str, tuple[FunctionCode, ...]] = {}
        self._by_symbol: dict[str, dict[str, FunctionCode]] = {}
        self._notes: dict[str, LineNotes | None] = {}
        self._unread: dict[str, FormatError] = {}

    @property
    def packages(self) -> tuple[ListedPackage, ...]:
        """All packages of the run that have a build, dependencies too."""
        return tuple(self._packages.values())

    def functions_of(self, package: str) -> tuple[FunctionCode, ...] | None:
        """Return all functions that a package's build holds, None when it has no machine code that could be read.

        `package` is an ImportPath of the listing. Of a package that is built for its tests (`p [p.test]`) those
        functions are returned that its test files take part in: the others are the package's own once more.
        """
        listed = self._packages.get(package)
        found = None if listed is None else self._load(listed)
        if listed is None or found is None or not listed.variant:
            return found
        return tuple(one for one in found if _is_of_test(one))

    def function(self, symbol: str, near: str = "") -> FunctionCode | None:
        """Return a function by its linker symbol, as a caller in the package `near` (an ImportPath) would reach it."""
        for package in self._places(symbol, near):
            if package not in self._by_symbol:
                functions = self._load(self._packages[package]) or ()
                self._by_symbol[package] = {one.symbol: one for one in functions}
            found = self._by_symbol[package].get(symbol)
            if found is not None:
                return found
        return None

    def raw_function(self, symbol: str, near: str = "") -> RawFunction | None:
        """Return a function with its instructions, to show them; None when no archive that can be read has it."""
        for package in self._places(symbol, near):
            archive = self._archive(self._packages[package])
            with suppress(FormatError):
                found = archive.function(symbol) if archive else None
                if found is not None:
                    return found
        return None

    def instead(self, package: str, file: str, line: int) -> Instead | None:
        """Return what a line without a call of the allocator does instead of allocating, as a package's build has it.

        None when there is no machine code that could be read. Reads the whole package the first time.
        """
        found = self.lines_of(package)
        return None if found is None else found.instead(file, line)

    def lines_of(self, package: str) -> LineNotes | None:
        """Return what is known of a package's lines, None when there is no machine code that could be read."""
        listed = self._packages.get(package)
        if listed is None:
            return None
        if package not in self._notes:
            self._notes[package] = self._load_lines(listed)
        return self._notes[package]

    def _kept(self, package: ListedPackage, load: Callable[[str, str], T | None]) -> T | None:
        """Return what the store has of a package, or will have once it was read ahead."""
        while True:
            is_last = not self._ahead.is_reading(package.ImportPath)
            found = load(package.ImportPath, package.BuildID)
            if found is not None or is_last:
                return found
            time.sleep(_POLL_SECONDS)

    def _load_lines(self, package: ListedPackage) -> LineNotes | None:
        """Return what is known of a package's lines, from the store or from its archive."""
        found = self._kept(package, self._store.load_lines)
        archive = self._archive(package) if found is None else None
        if archive is None:
            return found
        with suppress(FormatError):
            found = line_notes(archive.functions())
            self._store.save_lines(package.ImportPath, package.BuildID, found)
        return found

    def gaps(self) -> Iterator[Gap]:
        """Yield what could not be read so far, in one sentence."""
        if not self._unread:
            return
        package, error = min(self._unread.items())
        more = f", nor that of {len(self._unread) - 1} more packages" if len(self._unread) > 1 else ""
        yield Gap(
            "machine code",
            f"the archive of {package} could not be read: {error.message}{more}",
            error.hint or "Their lines are judged by the compiler alone",
        )

    def _load(self, package: ListedPackage) -> tuple[FunctionCode, ...] | None:
        """Return a package's functions from memory, from the store or from its archive."""
        name = package.ImportPath
        found = self._read.get(name)
        if found is not None or name in self._unread:
            return found
        found = self._kept(package, self._store.load)
        if found is None:
            archive = self._archive(package)
            if archive is None:
                return None
            try:
                from whyheap.parse.machine_code.function_code import function_codes  # noqa: PLC0415 - brings numpy

                found = tuple(function_codes(archive.functions(), archive.arch, GO_RUNTIME))
            except FormatError as error:
                self._unread[name] = error
                return None
            self._store.save(name, package.BuildID, found)
        self._read[name] = found
        return found

    def _places(self, symbol: str, near: str) -> Iterator[str]:
        """Yield where a function may be: in its package, as an instance in the caller's, else in the runtime."""
        package = split_symbol(symbol)[0]
        path, _, variant = near.partition(" [")
        here = [f"{package} [{variant}", package] if variant else [package]
        seen = set()
        for place in (*here, near, path, *_RUNTIME):
            if place in self._packages and place not in seen:
                seen.add(place)
                yield place

    def _archive(self, package: ListedPackage) -> Archive | None:
        """Return a package's archive, None (and a gap) when it cannot be read."""
        name = package.ImportPath
        if name in self._archives:
            self._archives.move_to_end(name)
            return self._archives[name]
        archive = None
        try:
            archive = self._opened(package)
        except FormatError as error:
            self._unread[name] = error
        self._archives[name] = archive
        if len(self._archives) > _ARCHIVES_OPEN:
            self._archives.popitem(last=False)
        return archive

    def _opened(self, package: ListedPackage) -> Archive:
        def foreign(path: str, symbol: int) -> str:
            return self._symbol_name(percent_decoded(path), package.variant, symbol)

        from whyheap.parse.machine_code.archive import Archive  # noqa: PLC0415 - brings numpy

        return Archive(self._bytes(package), package.path, self._names.spell, type_argument, self._builtins, foreign)

    def _bytes(self, package: ListedPackage) -> memoryview:
        """Map an archive; go drops what it did not use for days from its cache, and is asked once to make it anew."""
        while True:
            try:
                with Path(package.Export).open("rb") as handle:
                    return memoryview(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ))
            except (OSError, ValueError) as error:
                if self._is_restored:
                    reason = getattr(error, "strerror", None) or "it is empty"
                    raise FormatError(reason, "Run the command again: go makes it anew") from error
            self._is_restored = True
            self._restore()

    def _symbol_name(self, path: str, variant: str, symbol: int) -> str:
        """Name a package's symbol by its number, empty when its archive cannot tell."""
        package = self._packages.get(f"{path} [{variant}]") or self._packages.get(path)
        archive = None if package is None else self._archive(package)
        return archive.symbol_name(symbol) if archive is not None else ""

    @cached_property
    def _builtins(self) -> tuple[str, ...]:
        """The toolchain's own names of what objects refer to by number; empty without its sources."""
        try:
            text = Path(self._names.goroot, BUILTIN_LIST).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ()
        return parse_builtins(text)


def _is_of_test(function: FunctionCode) -> bool:
    files = {function.site.file, *(call.site.file for call in function.calls)}
    return any(file.endswith("_test.go") for file in files)
