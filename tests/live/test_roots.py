"""The escape graph against the compiler: a cut of the root frees what was promised, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from toolchains import environment, go, newest, oldest
from whyheap.host.go import GoTool
from whyheap.lab.cut.programs import Program, programs, write_module
from whyheap.lab.cut.prove import Proof

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", params=[oldest(), newest()])
def module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[GoTool, Path, Path]:
    base = tmp_path_factory.mktemp("cut")
    folder = base / "module"
    folder.mkdir()
    write_module(folder)
    env = environment(request.param, GOFLAGS="", GOWORK="off")
    return GoTool(str(go(request.param)), env), folder, base


@pytest.mark.parametrize("program", programs(), ids=lambda one: one.name)
def test_a_cut_frees_what_was_promised_and_nothing_else(
    program: Program, module: tuple[GoTool, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, folder, base = module
    monkeypatch.setenv("WHYHEAP_CACHE", str(base / "cache"))
    proof = Proof(tool, folder, [f"./{program.name}/..."], base)
    (root,) = [one for one in proof.roots if (one.kind.value, one.title) == (program.kind, program.title)]
    promised: Counter[tuple[str, int]] = Counter()
    for (file, line, _), count in proof.promised(root).items():
        promised[file, line] += count
    assert promised == program.held
    assert root.sites == program.held.total()
    outcome = proof.cut(root)
    assert outcome.problem == ""
    assert (outcome.kept, outcome.extra, outcome.fresh) == (Counter(), Counter(), Counter())


def test_the_command_names_the_root_and_json_holds_it(module: tuple[GoTool, Path, Path], tmp_path: Path) -> None:
    tool, folder, _ = module
    command = [sys.executable, "-m", "whyheap", "scan", "./parameter_variadic", "--go", tool.command]
    env = {**tool.env, "WHYHEAP_CACHE": str(tmp_path / "cache"), "COLUMNS": "80"}
    shown = subprocess.run([*command, "--roots"], cwd=folder, env=env, capture_output=True, text=True, check=True)
    assert "logf(args ...any)" in shown.stdout
    assert "5 sites in 1 file" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    written = subprocess.run(
        [*command, "--format", "json"], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    report = json.loads(written.stdout)
    first = report["roots"][0]
    assert (first["kind"], first["sites"], first["site"]["line"]) == ("parameter", 5, 8)
    assert {one["id"] for one in report["findings"] if one["root"] == first["id"]} == set(first["findings"])
