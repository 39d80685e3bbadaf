"""`scan --bounds`: the checks are those that the compiler's own debug output tells, and hazards need one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import toolchains

pytestmark = pytest.mark.live
EXAMPLE = Path(__file__).parents[2] / "src" / "whyheap" / "patterns" / "unguarded_copy" / "example.go"
_FOUND = re.compile(r"^(?:\./)?(\S+):(\d+):(\d+): Found Is(Slice)?InBounds$", re.MULTILINE)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bounds")
    (folder / "go.mod").write_text("module example.com/bounds\n\ngo 1.22\n")
    (folder / "example.go").write_text(EXAMPLE.read_text())
    return folder


def run(folder: Path, *arguments: str) -> str:
    env = toolchains.environment(NO_COLOR="1", COLUMNS="80", GOFLAGS="", GOWORK="off")
    command = [sys.executable, "-m", "whyheap", "scan", "--bounds", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in run(folder, "--format", "jsonl").splitlines()]


def test_the_checks_are_those_of_the_compiler(module: Path) -> None:
    told = [one for one in rows(module) if one["kind"] == "bounds"]
    ours = {(one["file"], one["line"], one["column"], one["check"]) for one in told if one["inlined_at"] is None}
    command = [str(toolchains.go()), "build", "-gcflags=-d=ssa/check_bce/debug=1", "./..."]
    said = subprocess.run(command, cwd=module, env=toolchains.environment(), capture_output=True, text=True, check=True)
    theirs = {
        (file, int(line), int(column), "slice" if slice_ else "index")
        for file, line, column, slice_ in _FOUND.findall(said.stderr)
    }
    assert theirs
    assert ours == theirs


def test_a_hazard_names_its_pattern_and_what_mends_it(module: Path) -> None:
    hazards = [one for one in rows(module) if one["kind"] == "hazard"]
    wanted = [number for number, text in enumerate(EXAMPLE.read_text().split("\n"), 1) if "want pattern=" in text]
    assert [one["line"] for one in hazards] == wanted
    assert {one["pattern"] for one in hazards} == {"unguarded-copy"}
    assert all(one["fixes"] for one in hazards)


def test_the_table_fits_the_terminal(module: Path) -> None:
    text = run(module)
    assert all(len(row) <= 80 for row in text.splitlines())
    assert "example.go:12  unguarded-copy" in text
    assert "BadArray" in text
