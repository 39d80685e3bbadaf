"""The demo service builds, is clean, and its planted mistakes are where its README says."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from toolchains import environment, go, newest, oldest

SHOP = Path(__file__).resolve().parents[2] / "examples" / "oomshop"
MISTAKES: list[dict[str, Any]] = tomllib.loads((SHOP / "planted.toml").read_text(encoding="utf-8"))["mistake"]
NAMES = [f"{mistake['file']}:{mistake['line']}" for mistake in MISTAKES]


@pytest.mark.parametrize("mistake", MISTAKES, ids=NAMES)
def test_planted_line_holds_its_snippet(mistake: dict[str, Any]) -> None:
    lines = (SHOP / mistake["file"]).read_text(encoding="utf-8").splitlines()
    assert mistake["snippet"] in lines[mistake["line"] - 1]


@pytest.mark.parametrize("mistake", MISTAKES, ids=NAMES)
def test_planted_line_stands_in_the_function_it_names(mistake: dict[str, Any]) -> None:
    outer = mistake["function"].removesuffix(".func1")
    method = outer.startswith("(")
    opening = f"func (s {outer[1 : outer.index(')')]}) {outer.split('.')[1]}(" if method else f"func {outer}("
    above = (SHOP / mistake["file"]).read_text(encoding="utf-8").splitlines()[: mistake["line"]]
    assert [line for line in above if line.startswith("func ")][-1].startswith(opening)


def test_readme_lists_every_mistake() -> None:
    rows = [line for line in (SHOP / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = [row for row in rows if ".go:" in row]
    assert listed == [
        f"| `{mistake['file']}:{mistake['line']}` | `{mistake['function']}` "
        f"| {mistake['patterns'][0]} | {mistake['why']} |"
        for mistake in MISTAKES
    ]


@pytest.mark.live
@pytest.mark.parametrize("version", [oldest(), newest()])
def test_builds_and_is_clean(version: str, tmp_path: Path) -> None:
    env = environment(version)
    subprocess.run([go(version), "build", "-o", tmp_path, "./..."], cwd=SHOP, env=env, check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"oomshop", "loadgen"}
    subprocess.run([go(version), "vet", "./..."], cwd=SHOP, env=env, check=True)
    gofmt = go(version).with_name("gofmt")
    unformatted = subprocess.run([gofmt, "-l", SHOP], env=env, check=True, capture_output=True, text=True).stdout
    assert not unformatted


@pytest.mark.live
def test_load_generator_refuses_other_hosts(tmp_path: Path) -> None:
    binary = tmp_path / "loadgen"
    subprocess.run([go(), "build", "-o", binary, "./loadgen"], cwd=SHOP, env=environment(), check=True)
    refused = subprocess.run([binary, "-url", "http://192.0.2.1:80"], check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "only loopback" in refused.stderr
