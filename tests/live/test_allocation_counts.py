"""The corpus on real toolchains: what machine code tells, from the program and from archives, against measurements."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from toolchains import ROOT, environment, go, newest, oldest
from whyheap.collect.code_store import CodeStore
from whyheap.collect.machine_code import CodeLibrary
from whyheap.host.go import GoTool
from whyheap.join.callees import Callees
from whyheap.lab.allocation_counts import CORPUS, REASONS, RECORDING, compare, load
from whyheap.parse.go_list import FIELDS, parse_go_list
from whyheap.parse.source_path import SourceNames

pytestmark = pytest.mark.live

AGREEMENT = 0.97
MODULE = "whyheap.lab/corpus"


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_verdicts_agree_with_measurements(version: str) -> None:
    found = compare(GoTool(str(go(version)), environment(version)))
    assert found.go == version
    assert found.agreement >= AGREEMENT
    assert {miss.name for miss in found.misses} <= set(REASONS)
    recorded = load(ROOT / "tests" / "recorded" / version / RECORDING)
    assert [(one.name, one.told) for one in found.functions] == [(one.name, one.told) for one in recorded.functions]


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_archives_tell_what_the_program_tells(version: str, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(CORPUS, root)
    env = environment(version, GOFLAGS="", GOWORK="off")

    def run(*arguments: str) -> bytes:
        return subprocess.run([go(version), *arguments], cwd=root, env=env, capture_output=True, check=True).stdout

    packages = parse_go_list(run("list", "-e", "-export", "-deps", f"-json={FIELDS}", "./cmd/measure"))
    names = SourceNames(str(root), ((MODULE, str(root)),), run("env", "GOROOT").decode().strip(), "/modcache")
    library = CodeLibrary(packages, names, CodeStore(tmp_path / "code"))
    told = Callees(library.function)
    recorded = load(ROOT / "tests" / "recorded" / version / RECORDING)
    different = {
        one.name: (one.told, found)
        for one in recorded.functions
        if (found := told.allocates(f"{MODULE}.{one.name}").allocates) is not one.told
    }
    assert different == {}


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_gofmt_and_vet_accept_the_corpus(version: str, tmp_path: Path) -> None:
    shutil.copytree(CORPUS, tmp_path / "corpus")
    env = {**os.environ, **environment(version, GOFLAGS="", GOWORK="off")}
    gofmt = go(version).with_name("gofmt")
    assert subprocess.run([gofmt, "-l", "."], cwd=CORPUS, env=env, capture_output=True, check=True).stdout == b""
    subprocess.run([go(version), "vet", "./..."], cwd=tmp_path / "corpus", env=env, check=True)
