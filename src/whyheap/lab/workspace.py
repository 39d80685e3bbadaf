"""Where the lab compiles and runs the examples: folders of our cache, one per Go version, the same for each run.

`plain` holds the examples alone, for the compiler's words and the machine code; `measured` has the harness beside them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import ToolError
from whyheap.host.cache import locked, private_folder
from whyheap.host.go import GoTool, first_line
from whyheap.host.program import run_program
from whyheap.lab.functions import functions, harness_file
from whyheap.patterns.pattern import Pattern

MODULE = "example.test"
FILE = "example.go"
HARNESS = Path(__file__).with_name("harness")
_BESIDE = "zz_lab.go"
_GO_LINE = "go 1.22"  # one meaning of loop variables for all versions
_ENV = {"GOFLAGS": "", "GOWORK": "off"}


@dataclass(frozen=True, slots=True)
class Workspace:
    """The lab's module, twice, for one go command."""

    go: GoTool
    plain: Path
    measured: Path

    def prepare(self, patterns: Sequence[Pattern]) -> None:
        """Write the examples of these patterns; what others left there goes."""
        for folder in (self.plain, self.measured):
            _only(folder, {"go.mod", "harness", "measure", *(one.slug for one in patterns)})
            _write(folder / "go.mod", f"module {MODULE}\n\n{_GO_LINE}\n")
            for pattern in patterns:
                _write(folder / pattern.slug / FILE, pattern.example)
        for pattern in patterns:
            text = harness_file(pattern.example, functions(pattern.example))
            _write(self.measured / pattern.slug / _BESIDE, text)
        _write(self.measured / "harness" / "harness.go", (HARNESS / "harness.go").read_text(encoding="utf-8"))
        main = HARNESS / "measure" / "main.go"
        _write(self.measured / "measure" / "main.go", main.read_text(encoding="utf-8"))

    def explain(self, pattern: Pattern) -> str:
        """Return what `go build -gcflags=-m=2` prints of an example. Raises ToolError when it does not compile."""
        arguments = ["build", "-trimpath", "-gcflags=-m=2", f"./{pattern.slug}"]
        done = run_program([self.go.command, *arguments], self.plain, env=self.go.env)
        if done.returncode:
            raise ToolError(f"{pattern.slug}/{FILE} does not compile: {compile_error(done.stderr)}")
        return done.stderr

    def build(self, patterns: Sequence[Pattern]) -> Path:
        """Build the program that runs these examples. Raises ToolError when one does not compile."""
        names = {pattern.slug: f"p{number}" for number, pattern in enumerate(patterns)}
        lines = ["package main", "", "import (", f'\t"{MODULE}/harness"']
        lines += [f'\t{name} "{MODULE}/{slug}"' for slug, name in names.items()]
        lines += [")", "", "var examples = map[string][]harness.Function{"]
        lines += [f'\t"{slug}": {name}.LabFunctions,' for slug, name in names.items()]
        _write(self.measured / "measure" / "examples.go", "\n".join([*lines, "}", ""]))
        binary = self.measured / "measure.bin"
        command = [self.go.command, "build", "-o", str(binary), "./measure"]
        done = run_program(command, self.measured, env=self.go.env)
        if done.returncode:
            raise ToolError(
                f"the examples cannot be run: {compile_error(done.stderr)}",
                "An argument may be missing: write it in a `// run` comment above the function",
            )
        return binary


@contextmanager
def workspace(go: GoTool, version: str) -> Iterator[Workspace]:
    """Hold the lab's folders for a Go version; a second lab waits."""
    tool = GoTool(go.command, {**go.env, **_ENV})
    with locked("lab", version):
        yield Workspace(tool, private_folder("lab", version, "plain"), private_folder("lab", version, "measured"))


def compile_error(text: str) -> str:
    """Return the first words of go's that are no heading."""
    return first_line("\n".join(line for line in text.splitlines() if not line.startswith("# ")))


def _only(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write(path: Path, text: str) -> None:
    """Write what changed only: go looks at times."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
