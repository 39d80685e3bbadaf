"""Witness: go/types, asked through a small program that the user's own toolchain builds once into our cache.

The program reads what the packages import from the archives that the scan's go list named, so it needs neither
network nor go command when it runs. It also formats source as that toolchain's gofmt does (go/format).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.errors import ToolError
from whyheap.host.cache import locked, private_folder
from whyheap.host.go import GoTool, first_line
from whyheap.host.program import run_program
from whyheap.model.go_types import CheckedPackage
from whyheap.parse.go_list import ListedPackage

PROGRAM = Path(__file__).with_name("go_types_program")
_PLACE = "types"
_SECONDS = 300.0
_HOST = {"GOFLAGS": "", "GOWORK": "off", "GOOS": "", "GOARCH": "", "CGO_ENABLED": "0"}


class _Formatted(msgspec.Struct):
    text: str
    error: str = ""


class GoTypes:
    """go/types and gofmt of one Go version."""

    def __init__(self, go: GoTool, release: str) -> None:
        """`release` is that of `go`: "1.27.3". Nothing is built before it is asked."""
        self._go = go
        self._release = release

    def check(
        self, compiled: CompiledPackages, lines: Mapping[str, Mapping[str, Iterable[int]]]
    ) -> list[CheckedPackage]:
        """Check packages; `lines` are those whose declarations to tell of: import path -> base name -> lines."""
        listed = {one.ImportPath: one for one in compiled.library.packages}
        wanted = [
            _wanted(listed[path], files, compiled.environment.release)
            for path, files in lines.items()
            if path in listed
        ]
        request = {
            "arch": compiled.environment.GOARCH,
            "exports": {path: one.Export for path, one in listed.items() if one.Export},
            "packages": wanted,
        }
        answer: list[CheckedPackage] = self._ask("check", request, list[CheckedPackage])
        return answer

    def format(self, texts: Sequence[str]) -> list[str | None]:
        """Return the texts as gofmt writes them, None for one that does not parse."""
        if not texts:
            return []
        return [None if one.error else one.text for one in self._ask("format", list(texts), list[_Formatted])]

    def compiles(self, expression: str) -> bool:
        """Whether Go's regexp package takes a regular expression."""
        answer: bool = self._ask("regexp", expression, bool)
        return answer

    def _ask(self, what: str, question: object, answer: Any) -> Any:  # noqa: ANN401 - the type of the answer
        program = self._program()
        done = run_program(
            [str(program), what], program.parent, seconds=_SECONDS, stdin=msgspec.json.encode(question).decode()
        )
        if done.returncode:
            raise ToolError(f"the types of the packages could not be told: {first_line(done.stderr)}")
        return msgspec.json.decode(done.stdout, type=answer)

    def _program(self) -> Path:
        """Build the program where it is missing; it runs on this host, whatever is scanned."""
        sources = sorted(path for path in PROGRAM.iterdir() if path.suffix in {".go", ".mod"})
        digest = hashlib.blake2b(b"\0".join(path.read_bytes() for path in sources), digest_size=8).hexdigest()
        folder = private_folder(_PLACE)
        program = folder / f"types-{self._release}-{digest}"
        if program.is_file():
            return program
        with locked(_PLACE):
            if not program.is_file():
                command = [self._go.command, "build", "-o", str(program), "."]
                done = run_program(command, PROGRAM, env={**self._go.env, **_HOST}, seconds=_SECONDS)
                if done.returncode:
                    raise ToolError(f"the program that tells types cannot be built: {first_line(done.stderr)}")
        return program


def _wanted(package: ListedPackage, files: Mapping[str, Iterable[int]], release: str) -> dict[str, object]:
    return {
        "path": package.path,
        "dir": package.Dir,
        "language": language_of(package, release),
        "files": list(package.GoFiles),
        "lines": {name: sorted(set(lines)) for name, lines in files.items()},
    }


def language_of(package: ListedPackage, release: str) -> str:
    """Return the language version of a package's module, as "go1.22"; std has that of its release."""
    written = package.Module.GoVersion if package.Module else ""
    if not written:
        return "go1.16" if package.Module else "go" + ".".join(release.split(".")[:2])  # go.dev/ref/mod#go-mod-file-go
    return "go" + written
