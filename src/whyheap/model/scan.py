"""What a scan of packages brings home."""

from __future__ import annotations

from dataclasses import dataclass, field

from whyheap.model.facts import CompilerFact
from whyheap.model.gauge import Gap, Origin
from whyheap.model.machine_code import FunctionCode


@dataclass(frozen=True, slots=True)
class ScannedPackage:
    """Facts of one package: those that the join needs. `files` are spelled as Site.file, `folder` is absolute.

    `error` is the compiler's or go's own text when the package could not be built; `unknown` counts output lines that
    were not understood.
    `functions` is None when no machine code was read; a function that is missing in it was not linked.
    """

    package: str
    folder: str
    files: tuple[str, ...] = ()
    is_program: bool = False
    facts: tuple[CompilerFact, ...] = ()
    error: str = ""
    unknown: int = 0
    functions: tuple[FunctionCode, ...] | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """All packages of a scan, sorted by import path. `module` is the main module's path, empty outside modules.

    `binary` names the linked program that the machine code is of; empty when it is of the packages' archives.
    `base_address` is where its first byte is linked to.
    """

    root: str
    module: str
    go: str
    goos: str
    goarch: str
    packages: tuple[ScannedPackage, ...]
    origin: Origin
    key: str = ""
    gaps: tuple[Gap, ...] = field(default=())
    binary: str = ""
    base_address: int = 0
