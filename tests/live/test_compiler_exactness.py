"""What whyheap reads equals what the compiler itself prints with -m=1, fact for fact."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from toolchains import environment, go, versions
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.host.go import GoTool
from whyheap.parse.compiler_text import split_blocks

pytestmark = pytest.mark.live

PACKAGES = ("net/http", "encoding/json")
HEAP_LINES_OF_1_27_3 = {"net/http": 1087, "encoding/json": 134}
_POSITION = re.compile(r"^([^:]+):(\d+)(?::(\d+))?: (.*)$")
_VERDICT = re.compile(r"^moved to heap: | escapes to heap$")

Fact = tuple[str, str, int, int, str]


def printed_by_the_compiler(tool: GoTool, compiled: CompiledPackages, folder: Path) -> Counter[Fact]:
    result = subprocess.run(
        [tool.command, "list", "-export", "-gcflags=-m=1", *PACKAGES],
        cwd=folder,
        env={**os.environ, **tool.env},
        capture_output=True,
        text=True,
        check=True,
    )
    facts: Counter[Fact] = Counter()
    for block in split_blocks(result.stderr.split("\n")):
        for line in filter(None, block.lines):
            place = _POSITION.match(line)
            if place is None:
                facts[block.package, "", 0, 0, line.removeprefix("<unknown line number>: ")] += 1
            else:
                file = compiled.names.spell(place[1])
                facts[block.package, file, int(place[2]), int(place[3] or 0), place[4]] += 1
    return facts


def read_by_whyheap(compiled: CompiledPackages) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for lines in compiled.fact_lines() for line in lines.splitlines()]


def key(fact: dict[str, object]) -> Fact:
    return fact["package"], fact["file"], fact["line"], fact["column"], fact["message"]  # type: ignore[return-value]


@pytest.mark.parametrize("version", versions())
def test_heap_facts_equal_those_of_m_1(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    tool = GoTool(str(go(version)), environment(version))
    compiled = compile_packages(tool, ScanOptions(tmp_path, PACKAGES))
    wanted = printed_by_the_compiler(tool, compiled, tmp_path)
    facts = read_by_whyheap(compiled)

    assert not [fact for fact in facts if fact["kind"] == "unknown"]
    heap = Counter(key(fact) for fact in facts if fact["kind"] == "heap")
    assert heap == Counter({fact: count for fact, count in wanted.items() if _VERDICT.search(fact[4])})
    everything = Counter(key(fact) for fact in facts)
    assert not wanted - everything, "printed by -m=1, missing here"
    assert all(everything[fact] == count for fact, count in wanted.items()), "repeats differ"
    if version == "1.27.3":
        assert {package: sum(1 for fact in heap.elements() if fact[0] == package) for package in PACKAGES} == (
            HEAP_LINES_OF_1_27_3
        )


def test_explanations_are_merged_into_their_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    compiled = compile_packages(GoTool(str(go()), environment()), ScanOptions(tmp_path, PACKAGES))
    heap = [fact for fact in read_by_whyheap(compiled) if fact["kind"] == "heap"]
    assert len([fact for fact in heap if fact["flow"]]) >= 0.999 * len(heap)


def test_all_of_std_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    compiled = compile_packages(GoTool(str(go()), environment()), ScanOptions(tmp_path, ("std",)))
    scan = compiled.load()
    assert sum(package.unknown for package in scan.packages) == 0
    assert not [package.package for package in scan.packages if package.error]
    assert sum(fact.kind == "heap" for package in scan.packages for fact in package.facts) > 30_000
