"""Instructions and control flow of whole programs: beginnings as capstone finds them, hardly any flow unknown."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import capstone  # type: ignore[import-untyped]
import pytest

from toolchains import environment, go, newest, oldest
from whyheap.goruntime import allocators
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.host.program import run_program
from whyheap.lab.allocation_counts import CORPUS
from whyheap.model.facts import CallPath
from whyheap.parse.machine_code import instructions_amd64
from whyheap.parse.machine_code.binary import Binary
from whyheap.parse.machine_code.function_code import function_codes

pytestmark = pytest.mark.live

FEWEST_INSTRUCTIONS = 300_000
MOST_UNKNOWN = 0.01


def program(folder: Path, version: str, arch: str) -> Binary:
    shutil.copytree(CORPUS, folder / "corpus")
    env = environment(version, GOFLAGS="", GOWORK="off", GOOS="linux", GOARCH=arch, CGO_ENABLED="0")
    command = [str(go(version)), "build", "-o", str(folder / "program"), "./cmd/measure"]
    done = run_program(command, folder / "corpus", env=env)
    assert done.returncode == 0, done.stderr
    return Binary((folder / "program").read_bytes(), allocators.is_allocator, allocators.type_argument)


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_instructions_of_compiled_functions_begin_where_capstone_says(version: str, tmp_path: Path) -> None:
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    count = 0
    for one in program(tmp_path, version, "amd64").functions():
        code = bytes(one.code)
        expected = [instruction[0] for instruction in disassembler.disasm_lite(code, 0)]
        found = instructions_amd64.starts(code)
        assert found == expected or one.site.file.endswith(".s"), one.symbol  # assembly may hold data
        count += len(expected)
    assert count > FEWEST_INSTRUCTIONS


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", [oldest(), newest()])
def test_hardly_any_call_lies_in_flow_that_is_not_understood(version: str, arch: str, tmp_path: Path) -> None:
    binary = program(tmp_path, version, arch)
    for read in (binary.read, None):
        paths: Counter[CallPath] = Counter()
        for code in function_codes(binary.functions(), arch, GO_RUNTIME, read):
            paths.update(call.path for call in code.calls)
            paths.update(call.path for call in code.callees)
        assert paths[CallPath.UNKNOWN] <= MOST_UNKNOWN * paths.total()
        assert paths[CallPath.ALWAYS]
