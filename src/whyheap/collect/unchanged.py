"""Remembers what a scan was made of, so that an unchanged program need not be asked about again.

Asking go costs its whole start and the replay of all text. All that could change its answer is: the files of every
package in the transitive closure, the folders they are in, the files that decide which packages these are (go.mod,
go.work, go's own settings), the toolchain, and the environment. Each is remembered by its inode (host/stamps). Where
something else has a say, such as an overlay or a version manager's shim in place of go, nothing is remembered.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

from whyheap.errors import WhyheapError
from whyheap.host.cache import cache_folder, private_folder
from whyheap.host.files import write_atomically
from whyheap.host.go import GoEnvironment, GoTool
from whyheap.host.stamps import GRAIN_SECONDS, folders_below, stamp
from whyheap.parse.go_list import ListedPackage
from whyheap.parse.go_mod import used_folders

_SETTINGS = ("CC", "CXX", "FC", "AR", "PATH", "HOME", "XDG_CONFIG_HOME", "PKG_CONFIG", "PKG_CONFIG_PATH")
_MOST_PATHS = 400_000
_BINARIES = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # ELF; Mach-O, also for several architectures
_NAMES_A_FILE = re.compile(
    r"-(?:(?:overlay|modfile|toolexec|pgoprofile|importcfg|embedcfg|symabis|coveragecfg|I)\b"
    r"|pgo=(?!(?:auto|off)(?:[\s'\"]|$)))"
)
"""Flags, go's or the compiler's, that make a file an input which no list of packages names."""


class Remembered(msgspec.Struct, frozen=True):
    """A scan's question, its inputs and what go said."""

    question: str
    settings: str
    paths: list[str]
    digest: str
    environment: GoEnvironment
    packages: list[ListedPackage]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one question: `patterns` relative to `folder`, `gcflags` for the compiler."""

    go: GoTool
    question: str
    folder: Path
    patterns: Sequence[str]
    gcflags: str

    def recall(self) -> Remembered | None:
        """Return what go said to the same question, None when anything may have changed since."""
        try:
            remembered = msgspec.msgpack.decode(self._file(cache_folder()).read_bytes(), type=Remembered)
        except (OSError, msgspec.DecodeError):
            return None
        if remembered.question != self.question or remembered.settings != _settings(self.go.env):
            return None
        return remembered if stamp(remembered.paths) == remembered.digest else None

    def remember(self, environment: GoEnvironment, packages: Iterable[ListedPackage], started_at: float) -> None:
        """Keep a scan that began at `started_at` (seconds since 1970), unless something changed while it ran.

        A failure to write is none of the scan: go is asked again the next time.
        """
        listed = list(packages)
        digest: str | None = None
        paths: list[str] = []
        if is_toolchain(self.go, environment) and not names_a_file(f"{environment.GOFLAGS} {self.gcflags}"):
            paths = sorted(set(self._paths(environment, listed)))
            digest = stamp(paths, started_at - GRAIN_SECONDS) if len(paths) <= _MOST_PATHS else None
        with suppress(OSError, WhyheapError):
            file = self._file(cache_folder())
            if digest is None:
                file.unlink(missing_ok=True)
                return
            kept = [_build(package) if package.DepOnly else package for package in listed]
            remembered = Remembered(self.question, _settings(self.go.env), paths, digest, environment, kept)
            private_folder("unchanged")
            write_atomically(file, msgspec.msgpack.encode(remembered))

    def _file(self, cache: Path) -> Path:
        return cache / "unchanged" / blake2b(self.question.encode(), digest_size=16).hexdigest()

    def _paths(self, environment: GoEnvironment, packages: Sequence[ListedPackage]) -> Iterator[str]:
        yield from _toolchain(self.go, environment)
        for place in {self.folder, Path(environment.root or self.folder)}:
            for above in (place, *place.parents):
                yield str(above / "go.work")
                yield str(above / "go.mod")
        roots = {Path(environment.root)} if environment.root else set[Path]()
        roots.update(module_folders(environment))
        for root in roots:
            yield from (str(root / name) for name in ("go.mod", "go.sum", "go.work.sum", "vendor/modules.txt"))
        roots.update(_replaced_folders(environment, packages), self._walked_folders())
        yield from folders_below({os.path.realpath(root) for root in roots}, _MOST_PATHS)
        yield from inputs(packages)

    def _walked_folders(self) -> Iterator[Path]:
        """Yield where the patterns' "..." begin: any folder below may become a package."""
        for pattern in self.patterns:
            before, dots, _ = pattern.partition("...")
            if dots and is_path(pattern):
                yield self.folder / before[: before.rfind("/") + 1]


def _build(package: ListedPackage) -> ListedPackage:
    """Return what finds a dependency's machine code again; its files are among the stamps already."""
    return ListedPackage(
        package.ImportPath, BuildID=package.BuildID, Export=package.Export, ForTest=package.ForTest, DepOnly=True
    )


def inputs(packages: Iterable[ListedPackage]) -> Iterator[str]:
    """Yield the folders and files that packages are made of, whether they exist or not."""
    for package in packages:
        if package.Dir:
            yield package.Dir
            yield from (f"{package.Dir}/{name}" for name in package.all_files())
            yield f"{package.Dir}/default.pgo"
        if package.Module is not None and package.Module.GoMod:
            yield package.Module.GoMod


def is_path(pattern: str) -> bool:
    """Whether a package pattern is a path, as opposed to an import path."""
    return pattern.startswith(("./", "../", "/")) or pattern in {".", ".."}


def module_folders(environment: GoEnvironment) -> Iterator[Path]:
    """Yield the folders of the main modules: of go.mod, or of all that go.work uses."""
    if environment.GOMOD not in {"", os.devnull}:
        yield Path(environment.GOMOD).parent
    if environment.GOWORK not in {"", "off"}:
        work = Path(environment.GOWORK)
        with suppress(OSError):
            text = work.read_text(encoding="utf-8", errors="replace")
            yield from (work.parent / folder for folder in used_folders(text))


def names_a_file(flags: str) -> bool:
    """Whether flags make files inputs that are not stamped, as -overlay=FILE does."""
    return _NAMES_A_FILE.search(flags) is not None


def is_toolchain(go: GoTool, environment: GoEnvironment) -> bool:
    """Whether the command is a toolchain's own binary: what a version manager's shim does is decided elsewhere."""
    command = Path(os.path.realpath(shutil.which(go.command) or go.command))
    try:
        with command.open("rb") as handle:
            is_binary = handle.read(4) in _BINARIES
    except OSError:
        return False
    root = command.parent.parent
    is_inside = (root / "VERSION").is_file() or str(root) == os.path.realpath(environment.GOROOT)
    return is_binary and command.name == "go" and is_inside


def _replaced_folders(environment: GoEnvironment, packages: Iterable[ListedPackage]) -> Iterator[Path]:
    """Yield the folders of modules that are not in the module cache, which never changes."""
    folders = {package.Module.Dir for package in packages if package.Module is not None and package.Module.Dir}
    cache = f"{environment.GOMODCACHE}/"
    yield from (Path(folder) for folder in folders if not folder.startswith(cache))


def _settings(changes: Mapping[str, str]) -> str:
    """Return a digest of what go or a C compiler could look at in the environment; values are never stored."""
    told = {
        name: value
        for name, value in {**os.environ, **changes}.items()
        if name in _SETTINGS or (name.startswith(("GO", "CGO_")) and name not in {"GOCACHE", "GOTMPDIR"})
    }
    return blake2b(repr(sorted(told.items())).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _toolchain(go: GoTool, environment: GoEnvironment) -> Iterator[str]:
    command = shutil.which(go.command) or go.command
    real = os.path.realpath(command)
    yield command
    yield real
    for root in (os.path.dirname(os.path.dirname(real)), environment.GOROOT):  # noqa: PTH120 - go may start another
        yield f"{root}/VERSION"
        yield f"{root}/go.env"
    if environment.GOENV:
        yield environment.GOENV
    if environment.GOTOOLDIR:
        yield f"{environment.GOTOOLDIR}/compile"
    for tool in (os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")):
        found = shutil.which(tool)
        if found:
            yield found
