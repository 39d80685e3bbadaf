"""Archives read ahead: a second process reads them into the store while this one reads the compiler's text.

It does what CodeLibrary does, and leaves it in the code store; whatever is missing there is read by who needs it.
"""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from whyheap.collect.code_store import CodeStore
from whyheap.host import second_process
from whyheap.parse.go_list import ListedPackage
from whyheap.parse.source_path import SourceNames

_WORTHWHILE_BYTES = 4 << 20  # of archives; less is read while the second process is still starting


class _Job(msgspec.Struct):
    """What to read, and the arguments of SourceNames."""

    packages: list[ListedPackage]
    wanted: list[str]
    folder: str
    root: str
    modules: tuple[tuple[str, str], ...]
    goroot: str
    modcache: str


class CodeAhead:
    """The second process of one run of go, if there is one."""

    def __init__(self) -> None:
        """Start nothing; `is_told` whether there was already something to start for."""
        self.is_told = False
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted: frozenset[str] = frozenset()

    def start(
        self, packages: Iterable[ListedPackage], wanted: Iterable[ListedPackage], store: CodeStore, names: SourceNames
    ) -> None:
        """Have those of `wanted` read that the store lacks; `packages` are all of the run."""
        self.is_told = True
        missing = [one for one in wanted if one.BuildID and not store.has(one.ImportPath, one.BuildID)]
        if sum(_size(one) for one in missing) < _WORTHWHILE_BYTES:
            return
        missing.sort(key=_size)
        job = _Job(
            [ListedPackage(one.ImportPath, BuildID=one.BuildID, Export=one.Export) for one in packages],
            [one.ImportPath for one in missing],
            str(store.folder),
            names.root,
            names.modules,
            names.goroot,
            names.modcache,
        )
        self._process = second_process.start(__name__, msgspec.msgpack.encode(job))
        self._wanted = frozenset(job.wanted)

    def is_reading(self, package: str) -> bool:
        """Whether the store may soon hold a package."""
        is_running = self._process is not None and second_process.is_running(self._process)
        return is_running and package in self._wanted


def _size(package: ListedPackage) -> int:
    try:
        return Path(package.Export).stat().st_size if package.Export else 0
    except OSError:
        return 0


def _main() -> None:
    """Read what is wanted: first the functions, which are asked for before the lines."""
    from whyheap.collect.machine_code import CodeLibrary  # noqa: PLC0415 - imports this module

    gc.disable()
    job = msgspec.msgpack.decode(second_process.read_job(), type=_Job)
    names = SourceNames(job.root, job.modules, job.goroot, job.modcache)
    library = CodeLibrary(job.packages, names, CodeStore(Path(job.folder)))
    for package in job.wanted:
        library.functions_of(package)
    for package in job.wanted:
        library.lines_of(package)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        _main()
