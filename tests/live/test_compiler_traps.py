"""Traps for whoever asks the compiler, each once with a real go command."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli_runs import CPU
from go_module import write_files
from toolchains import environment, go, newest, oldest
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.fresh_facts import FreshFacts, fresh_facts
from whyheap.errors import FormatError
from whyheap.host.go import GoTool
from whyheap.parse.compiler_text import Block, split_blocks
from whyheap.parse.source_path import SourceNames

pytestmark = pytest.mark.live

SHOP = {
    "go.mod": "module example.com/my-shop\n\ngo 1.22\n",
    "lib/lib.go": "package lib\n\ntype T struct{ N int }\n\n"
    "func New(n int) *T { return &T{n} }\n\nfunc Box[V any](v V) *V { return &v }\n",
    "cmd/one/main.go": 'package main\n\nimport "example.com/my-shop/lib"\n\nvar kept any\n\n'
    "func main() { kept = lib.New(1) }\n",
    "cmd/two/main.go": 'package main\n\nimport "example.com/my-shop/lib"\n\nvar kept any\n\n\n\n'
    "func main() { kept = lib.Box(lib.New(2)) }\n",
}
Fact = dict[str, Any]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))


def tool(version: str | None = None, **env: str) -> GoTool:
    return GoTool(str(go(version)), environment(version, GOWORK="", GOFLAGS="") | env)


def facts(folder: Path, *patterns: str, by: GoTool | None = None, tests: bool = False) -> list[Fact]:
    """Return all facts of a scan in which every package compiles and every line is understood."""
    compiled = compile_packages(by or tool(), ScanOptions(folder, patterns or ("./...",), tests=tests))
    assert compiled.failure is None
    rows = [msgspec.json.decode(line) for lines in compiled.fact_lines() for line in lines.splitlines()]
    assert not [row for row in rows if row["kind"] == "unknown"]
    return rows


def heap(rows: list[Fact]) -> list[tuple[str, int, str, str, int]]:
    """What is on the heap: where it is printed, the message, and where the code stands."""
    return sorted(
        (row["file"], row["line"], row["message"], row["site"]["file"], row["site"]["line"])
        for row in rows
        if row["kind"] == "heap"
    )


def printed(folder: Path, by: GoTool, package: str) -> Counter[str]:
    """Return the verdicts that -m=1 prints in the block of a package, without places."""
    command = [by.command, "list", "-export", "-gcflags=-m=1", package]
    done = subprocess.run(command, cwd=folder, env=dict(by.env), capture_output=True, text=True, check=True)
    lines = [
        line for block in split_blocks(done.stderr.split("\n")) if block.package == package for line in block.lines
    ]
    return Counter(line.split(": ", 1)[1] for line in lines if line)


ONE = ("cmd/one/main.go", 7, "&lib.T{...} escapes to heap", "lib/lib.go", 5)
TWO = ("cmd/two/main.go", 9, "&lib.T{...} escapes to heap", "lib/lib.go", 5)
TWO_BOX = ("cmd/two/main.go", 9, "moved to heap: lib.v", "lib/lib.go", 7)
LIB = ("lib/lib.go", 5, "&T{...} escapes to heap", "lib/lib.go", 5)


def test_programs_do_not_overwrite_each_others_json(tmp_path: Path) -> None:
    found = heap(facts(write_files(tmp_path / "m", SHOP)))
    assert {ONE, TWO, TWO_BOX, LIB} <= set(found)


def test_a_program_that_was_unknown_before(tmp_path: Path) -> None:
    root = write_files(tmp_path / "m", {name: text for name, text in SHOP.items() if "two" not in name})
    facts(root)
    write_files(root, SHOP)
    assert {ONE, TWO, TWO_BOX, LIB} <= set(heap(facts(root)))


def test_paths_are_those_of_the_root_wherever_it_was_compiled_first(tmp_path: Path) -> None:
    root = write_files(tmp_path / "a folder-x", SHOP)
    by = tool()
    for folder, pattern in ((root / "cmd/one", "../../lib"), (root / "lib", "."), (root, "./lib")):
        subprocess.run(
            [by.command, "build", "-gcflags=-m=2", pattern],
            cwd=folder,
            env=dict(by.env),
            check=True,
            capture_output=True,
        )
    inside = facts(root / "cmd/one", "../../...")
    assert heap(inside) == heap(facts(root))
    assert {ONE, TWO, TWO_BOX, LIB} <= set(heap(inside))
    assert heap(facts(root / "cmd", "./one")) == [ONE]


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_trimpath_changes_no_name(version: str, tmp_path: Path) -> None:
    root = write_files(tmp_path / "m", SHOP)
    trimmed = facts(root, by=tool(version, GOFLAGS="-trimpath"))
    assert heap(trimmed) == heap(facts(root, by=tool(version)))


def test_vendored_modules(tmp_path: Path) -> None:
    root = write_files(
        tmp_path / "m",
        {
            "go.mod": "module example.com/shop\n\ngo 1.22\n\nrequire example.com/dep v1.0.0\n\n"
            "replace example.com/dep => ../dep\n",
            "main.go": 'package main\n\nimport "example.com/dep"\n\nvar kept any\n\n'
            "func main() { kept = dep.Box(dep.New(1)) }\n",
        },
    )
    write_files(
        tmp_path / "dep",
        {
            "go.mod": "module example.com/dep\n\ngo 1.22\n",
            "dep.go": "package dep\n\nfunc New(n int) *int { return &n }\n\nfunc Box[V any](v V) *V { return &v }\n",
        },
    )
    by = tool()
    replaced = [row for row in heap(facts(root)) if row[0] == "main.go"]
    subprocess.run([by.command, "mod", "vendor"], cwd=root, env=dict(by.env), check=True, capture_output=True)
    vendored = heap(facts(root))
    assert [row[:3] for row in vendored if row[0] == "main.go"] == [row[:3] for row in replaced]
    assert {row[3] for row in vendored} == {"main.go", "vendor/example.com/dep/dep.go"} - {"main.go"}


def test_a_workspace_has_one_root(tmp_path: Path) -> None:
    write_files(tmp_path / "w", {f"shop/{name}": text for name, text in SHOP.items()})
    write_files(
        tmp_path / "w",
        {
            "go.work": "go 1.22\n\nuse (\n\t./shop\n\t./dep\n)\n",
            "dep/go.mod": "module example.com/dep\n\ngo 1.22\n",
            "dep/dep.go": "package dep\n\nfunc New(n int) *int { return &n }\n",
        },
    )
    by = GoTool(str(go()), {name: value for name, value in environment(GOFLAGS="").items() if name != "GOWORK"})
    found = heap(facts(tmp_path / "w/shop", "./...", "../dep", by=by))
    assert ("dep/dep.go", 3, "moved to heap: n", "dep/dep.go", 3) in found
    assert ("shop/cmd/one/main.go", 7, "&lib.T{...} escapes to heap", "shop/lib/lib.go", 5) in found


@pytest.mark.skipif(shutil.which("gcc") is None, reason="cgo needs a C compiler")
def test_cgo(tmp_path: Path) -> None:
    source = (
        'package c\n\n// static int twice(int n) { return 2 * n; }\nimport "C"\n\n'
        "type T struct{ n int }\n\nfunc Twice(n int) *T {\n\treturn &T{int(C.twice(C.int(n)))}\n}\n"
    )
    root = write_files(tmp_path / "m", {"go.mod": "module example.com/c\n\ngo 1.22\n", "c.go": source})
    by = tool(CGO_ENABLED="1")
    rows = facts(root, by=by)
    (found,) = [row for row in rows if row["kind"] == "heap" and row["file"] == "c.go"]
    assert (found["line"], found["message"], found["function"]) == (9, "&T{...} escapes to heap", "Twice")
    assert Counter(row["message"] for row in rows if row["kind"] == "heap") == Counter(
        {message: count for message, count in printed(root, by, "example.com/c").items() if "heap" in message}
    )


def test_test_packages_are_scanned_once(tmp_path: Path) -> None:
    tests = {
        "lib/in_test.go": 'package lib\n\nimport "testing"\n\nvar kept any\n\n'
        "func TestIn(t *testing.T) { kept = New(1) }\n",
        "lib/out_test.go": 'package lib_test\n\nimport (\n\t"testing"\n\n\t"example.com/my-shop/lib"\n)\n\n'
        "var kept any\n\nfunc TestOut(t *testing.T) { kept = lib.New(2) }\n",
    }
    root = write_files(tmp_path / "m", {**SHOP, **tests})
    without = facts(root)
    assert not [row for row in without if row["file"].endswith("_test.go")]
    found = facts(root, tests=True)
    assert [row for row in heap(found) if not row[0].endswith("_test.go")] == heap(without), "no file twice"
    assert ("lib/in_test.go", 7, "&T{...} escapes to heap", "lib/lib.go", 5) in heap(found)
    assert ("lib/out_test.go", 11, "&lib.T{...} escapes to heap", "lib/lib.go", 5) in heap(found)
    assert not [row for row in found if row["file"].endswith("_testmain.go")]


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_a_pgo_profile_repeats_no_package(version: str, tmp_path: Path) -> None:
    root = write_files(tmp_path / "m", SHOP)
    plain = heap(facts(root, by=tool(version)))
    (root / "cmd/one/default.pgo").write_bytes(CPU)
    by = tool(version)
    rows = facts(root, by=by)
    assert heap(rows) == plain
    wanted = {
        message: count
        for message, count in printed(root, by, "example.com/my-shop/cmd/one").items()
        if "heap" in message
    }
    ones = Counter(row["message"] for row in rows if row["kind"] == "heap" and row["package"].endswith("cmd/one"))
    assert ones == wanted


def test_packages_with_one_file_name_and_no_code(tmp_path: Path) -> None:
    root = write_files(
        tmp_path / "m",
        {
            "go.mod": "module example.com/a\n\ngo 1.22\n",
            "type.go": 'package a\n\nimport "sync/atomic"\n\ntype T struct{ N int }\n\nvar p atomic.Pointer[T]\n\n'
            "func Set(n int) { p.Store(&T{n}) }\n",
            "empty/doc.go": "// Package empty has no code.\npackage empty\n",
            "size/größe.go": "package size\n\nfunc Größe(n int) *int { return &n }\n",
        },
    )
    found = [row for row in heap(facts(root)) if not row[0].startswith("sync/")]
    assert found == [
        ("size/größe.go", 3, "moved to heap: n", "size/größe.go", 3),
        ("type.go", 9, "&T{...} escapes to heap", "type.go", 9),
    ]


def test_what_another_build_writes_just_now_is_read_again_when_go_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = write_files(tmp_path / "shop", SHOP)
    seen: list[str] = []

    def torn_once(block: Block, log_folder: Path, names: SourceNames, goroot: str) -> FreshFacts:
        seen.append(block.package)
        if seen.count(block.package) == 1:
            raise FormatError("the compiler's JSON is damaged: Input data was truncated")
        return fresh_facts(block, log_folder, names, goroot)

    monkeypatch.setattr("whyheap.collect.compiler.fresh_facts", torn_once)
    assert heap(facts(module))
    assert Counter(seen) == dict.fromkeys(seen, 2)
