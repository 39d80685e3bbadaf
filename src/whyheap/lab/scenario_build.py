"""Scenario programs, built: one module of our cache per Go version, a folder for each program."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import ToolError
from whyheap.host.cache import locked, private_folder
from whyheap.host.go import GoTool
from whyheap.host.program import run_program
from whyheap.lab.scenarios import Scenario
from whyheap.lab.workspace import compile_error

MODULE = "scenario.test"
_GO_LINE = "go 1.22"


@dataclass(frozen=True, slots=True)
class ScenarioModule:
    """The module that holds the programs; `name` is the Go version, as "1.27.3"."""

    go: GoTool
    name: str
    root: Path

    def package(self, scenario: Scenario) -> Path:
        """Return the folder that a program's source is copied to."""
        return self.root / scenario.name

    def binary(self, scenario: Scenario) -> Path:
        """Return where a program is built to."""
        return self.root / "bin" / scenario.name.replace("/", "-")

    def build(self, scenario: Scenario, *, stripped: bool = False) -> Path:
        """Copy and build one program. Raises ToolError when it does not compile."""
        target = self.package(scenario)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(scenario.folder, target)
        binary = self.binary(scenario)
        flags = ["-ldflags=-s -w"] if stripped else []
        command = [self.go.command, "build", "-trimpath", *flags, "-o", str(binary), f"./{scenario.name}"]
        done = run_program(command, self.root, env=self.go.env)
        if done.returncode:
            raise ToolError(f"{scenario.name} does not compile: {compile_error(done.stderr)}")
        return binary


@contextmanager
def scenario_module(go: GoTool) -> Iterator[ScenarioModule]:
    """Hold the module for a go command; a second lab waits."""
    name = go.environment(Path.cwd()).release
    tool = GoTool(go.command, {**go.env, "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"})
    with locked("lab", name, "scenarios"):
        root = private_folder("lab", name, "scenarios")
        (root / "go.mod").write_text(f"module {MODULE}\n\n{_GO_LINE}\n", encoding="utf-8")
        yield ScenarioModule(tool, name, root)


def build_all(module: ScenarioModule, chosen: Sequence[Scenario]) -> dict[str, str]:
    """Build programs one after the other; returns why each that failed did, by its name."""
    failed = {}
    for scenario in chosen:
        try:
            module.build(scenario)
        except ToolError as error:
            failed[scenario.name] = error.message
    return failed
