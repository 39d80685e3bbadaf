"""Remembers what a scan was made of, so that an unchanged program need not be asked about again.

Asking go costs its whole start and the replay of all text. All that could change its answer is: the files of every
package in the transitive closure, the folders they are in, the files that decide which packages these are (go.mod,
go.work, go's own settings), the toolchain, and the environment. Each is remembered by its inode (host/stamps).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec

from whyheap.host.files import write_atomically
from whyheap.host.go import GoEnvironment, GoTool
from whyheap.host.stamps import GRAIN_SECONDS, folders_below, stamp
from whyheap.parse.go_list import ListedPackage

_SETTINGS = ("CC", "CXX", "FC", "AR", "PATH", "HOME", "XDG_CONFIG_HOME", "PKG_CONFIG", "PKG_CONFIG_PATH")
_MOST_PATHS = 400_000


class Remembered(msgspec.Struct, frozen=True):
    """A scan's question, its inputs and what go said."""

    question: str
    settings: str
    paths: list[str]
    digest: str
    environment: GoEnvironment
    packages: list[ListedPackage]


def recall(file: Path, go: GoTool, question: str) -> Remembered | None:
    """Return what go said to the same question, None when anything may have changed since."""
    try:
        remembered = msgspec.msgpack.decode(file.read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return None
    if remembered.question != question or remembered.settings != _settings(go.env):
        return None
    return remembered if stamp(remembered.paths) == remembered.digest else None


def remember(
    file: Path,
    go: GoTool,
    question: str,
    environment: GoEnvironment,
    packages: Iterable[ListedPackage],
    folder: Path,
    started_at: float,
) -> None:
    """Keep a scan that began at `started_at` (seconds since 1970), unless something changed while it ran."""
    listed = list(packages)
    paths = sorted(set(_paths(go, environment, listed, folder)))
    file.parent.mkdir(parents=True, exist_ok=True)
    digest = stamp(paths, started_at - GRAIN_SECONDS) if len(paths) <= _MOST_PATHS else None
    if digest is None:
        file.unlink(missing_ok=True)
        return
    named = [package for package in listed if not package.DepOnly]
    remembered = Remembered(question, _settings(go.env), paths, digest, environment, named)
    write_atomically(file, msgspec.msgpack.encode(remembered))


def _settings(changes: Mapping[str, str]) -> str:
    """Return a digest of what go or a C compiler could look at in the environment; values are never stored."""
    told = {
        name: value
        for name, value in {**os.environ, **changes}.items()
        if name in _SETTINGS or (name.startswith(("GO", "CGO_")) and name not in {"GOCACHE", "GOTMPDIR"})
    }
    return blake2b(repr(sorted(told.items())).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _paths(go: GoTool, environment: GoEnvironment, packages: Iterable[ListedPackage], folder: Path) -> Iterator[str]:
    yield from _toolchain(go, environment)
    for place in {folder, Path(environment.root or folder)}:
        for above in (place, *place.parents):
            yield str(above / "go.work")
            yield str(above / "go.mod")
    if environment.root:
        root = Path(environment.root)
        yield from (str(root / name) for name in ("go.sum", "go.work.sum", "vendor/modules.txt"))
        yield from folders_below(environment.root)
    for package in packages:
        if package.Dir:
            yield package.Dir
            yield from (f"{package.Dir}/{name}" for name in package.all_files())
            yield f"{package.Dir}/default.pgo"
        if package.Module is not None and package.Module.GoMod:
            yield package.Module.GoMod


def _toolchain(go: GoTool, environment: GoEnvironment) -> Iterator[str]:
    command = shutil.which(go.command) or go.command
    yield command
    yield os.path.realpath(command)
    yield f"{environment.GOROOT}/VERSION"
    yield f"{environment.GOROOT}/go.env"
    if environment.GOENV:
        yield environment.GOENV
    if environment.GOTOOLDIR:
        yield f"{environment.GOTOOLDIR}/compile"
    for tool in (os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")):
        found = shutil.which(tool)
        if found:
            yield found
