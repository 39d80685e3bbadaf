"""Edits that no test runs are measured by made-up calls, of methods too; what may do harm is not called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import toolchains

pytestmark = pytest.mark.live

MODULE = Path(__file__).with_name("generated_module")


@pytest.fixture(scope="module", params=sorted({toolchains.oldest(), toolchains.newest()}))
def edits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("untested")
    for file in MODULE.glob("*.txt"):
        (folder / file.stem).write_text(file.read_text())
    command = [sys.executable, "-m", "whyheap", "fix", "./...", "--quiet", "--format", "json"]
    command += ["--go", str(toolchains.go(request.param))]
    env = {**os.environ, "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(one.name for one in folder.iterdir()) == ["go.mod", "untested.go"]
    answer = json.loads(done.stdout)
    functions = {one["id"]: one["site"]["function"] for one in answer["findings"]}
    return {functions[one["findings"][0]]: one["proof"] for one in answer["edits"]}


@pytest.mark.parametrize("function", ["(*Team).Names", "Team.Tags", "(*Team).Label", "bosses", "nothing"])
def test_a_made_up_call_measures(function: str, edits: dict[str, dict[str, Any]]) -> None:
    proof = edits[function]
    assert (proof["standing"], proof["measured_by"]) == ("proven", "benchmark")
    assert proof["objects_after"] < proof["objects_before"]


@pytest.mark.parametrize("function", ["(*list[...]).all", "panics", "writes"])
def test_what_cannot_or_must_not_be_called_stays_unmeasured(function: str, edits: dict[str, dict[str, Any]]) -> None:
    assert edits[function]["standing"] == "unmeasured"
    assert edits[function]["objects_before"] is None
