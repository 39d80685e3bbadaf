"""Archives of real compilers: `go tool objdump` and the linked program must tell the same calls."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from toolchains import environment, go, newest, oldest, versions
from whyheap.collect.binary_file import open_binary
from whyheap.collect.code_store import CodeStore
from whyheap.collect.machine_code import CodeLibrary
from whyheap.goruntime import allocators
from whyheap.model.facts import AllocatorCall
from whyheap.model.machine_code import Allocates
from whyheap.model.site import Site
from whyheap.parse.go_list import FIELDS, ListedPackage, parse_go_list
from whyheap.parse.machine_code.archive import Archive
from whyheap.parse.machine_code.goobj_builtins import BUILTIN_LIST, builtins_of, parse_builtins
from whyheap.parse.source_path import SourceNames

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).resolve().parents[1] / "recorded" / "archives" / "program"
MODULE = "example.com/archive.v3"
BUILDS = [(version, arch) for version in versions() for arch in ("amd64", "arm64")]
_TEXT = re.compile(r"TEXT (.*)\(SB\)")
_INSTRUCTION = re.compile(r"  (\S+):(\d+)\t+0x([0-9a-f]+)\t")
_CALL = re.compile(r"\bR_CALL(?:ARM64)?:(\S[^\t]*?)(?:<\d+>)?\s*$")


class Build(NamedTuple):
    """A module that one toolchain compiles for one processor."""

    root: Path
    env: dict[str, str]
    command: Path

    def run(self, *arguments: str) -> bytes:
        done = subprocess.run([self.command, *arguments], cwd=self.root, env=self.env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def packages(self, *patterns: str, flags: tuple[str, ...] = ()) -> list[ListedPackage]:
        return parse_go_list(self.run("list", "-e", "-export", "-deps", f"-json={FIELDS}", *flags, *patterns))

    def names(self) -> SourceNames:
        goroot = self.run("env", "GOROOT").decode().strip()
        return SourceNames(str(self.root), ((MODULE, str(self.root)),), goroot, "/modcache")


def build(base: Path, version: str, arch: str = "amd64", **changes: str) -> Build:
    root = base / "module"
    shutil.copytree(PROGRAM, root)
    settings = {"GOFLAGS": "", "GOWORK": "off", "GOARCH": arch, "GOOS": "linux", "CGO_ENABLED": "0"}
    return Build(root, environment(version, **(settings | changes)), go(version))


def printed_calls(text: str) -> Iterator[tuple[str, int, str, str]]:
    """Yield function, offset, callee, and file:line of the allocator calls that objdump prints."""
    symbol, start = "", 0
    for line in text.splitlines():
        header = _TEXT.match(line)
        if header:
            symbol, start = header[1], -1
            continue
        instruction, call = _INSTRUCTION.match(line), _CALL.search(line)
        if instruction is None:
            continue
        place = int(instruction[3], 16)
        start = place if start < 0 else start
        if call and allocators.is_allocator(call[1]):
            yield symbol, place - start, call[1], f"{instruction[1]}:{instruction[2]}"


@pytest.mark.parametrize(("version", "arch"), BUILDS)
def test_the_calls_are_those_that_objdump_prints(tmp_path: Path, version: str, arch: str) -> None:
    module = build(tmp_path, version, arch)
    of_text = {package.ImportPath: package for package in module.packages("./...", "strings", "net/url")}
    wanted = [*(f"{MODULE}/{name}" for name in ("shop", "user", "cmd")), "strings", "net/url"]
    for name in wanted:
        file = of_text[name].Export
        archive = Archive(Path(file).read_bytes(), name, str, allocators.type_argument)
        assert (archive.arch, archive.go_version) == (arch, f"go{version}")
        found = [
            (function.symbol, call.offset, call.callee, f"{Path(frame.file).name}:{frame.line}")
            for function in archive.functions()
            for call in function.calls
            if allocators.is_allocator(call.callee)
            for frame in function.frames(call.offset)[:1]
        ]
        printed = list(printed_calls(module.run("tool", "objdump", file).decode()))
        assert sorted(found) == sorted(printed)
        assert found


@pytest.mark.parametrize(("version", "arch"), BUILDS)
def test_callee_type_and_inline_stack_are_those_of_the_linked_program(tmp_path: Path, version: str, arch: str) -> None:
    module = build(tmp_path, version, arch)
    names = module.names()
    code = CodeLibrary(module.packages("./..."), names, CodeStore(tmp_path / "code"))
    module.run("build", "-o", str(tmp_path / "program"), "./cmd")
    linked: dict[str, list[AllocatorCall]] = {}
    for call in open_binary(tmp_path / "program", names.spell).allocator_calls():
        linked.setdefault(call.symbol, []).append(call)
    compared = 0
    for package in (f"{MODULE}/cmd", f"{MODULE}/shop", f"{MODULE}/user", "fmt", "os", "reflect", "internal/poll"):
        for function in code.functions_of(package) or ():
            if function.symbol in linked:
                there = linked[function.symbol]
                assert [told(call, package) for call in function.calls] == [told(call, package) for call in there]
                compared += len(there)
    assert compared >= 100
    assert not list(code.gaps())


def told(call: AllocatorCall, package: str) -> tuple[object, ...]:
    """Return what a call says; a linked program calls every program's package "main"."""
    stack = [replace(site, package=package if site.package == "main" else site.package) for site in call_stack(call)]
    return stack, call.callee, call.type


def call_stack(call: AllocatorCall) -> tuple[Site, ...]:
    return (call.site, *call.inlined_at)


@pytest.mark.parametrize("version", versions())
def test_the_kept_names_are_those_of_the_toolchains_own_list(version: str) -> None:
    source = (go(version).parents[1] / BUILTIN_LIST).read_text(encoding="utf-8")
    assert parse_builtins(source) == builtins_of(f"go{version}")


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_programs_test_builds_and_the_compilers_flags_make_no_difference(tmp_path: Path, version: str) -> None:
    module = build(tmp_path, version)
    (module.root / "shop/shop_test.go").write_text(
        "package shop\n\nvar kept []*int\n\nfunc keep(n int) { kept = append(kept, &n) }\n"
    )
    (module.root / "shop/other_test.go").write_text(
        "package shop_test\n\nvar kept *int\n\nfunc keep(n int) { kept = &n }\n"
    )
    listed = module.packages("./...", flags=("-test", "-gcflags=-m=2"))
    code = CodeLibrary(listed, module.names(), CodeStore(tmp_path / "code"))

    def functions(package: str) -> set[str]:
        return {one.site.function for one in code.functions_of(package) or () if one.calls}

    assert functions(f"{MODULE}/shop") >= {"New", "Fill", "Counter", "Start"}
    assert functions(f"{MODULE}/shop [{MODULE}/shop.test]") == {"keep"}
    assert functions(f"{MODULE}/shop_test [{MODULE}/shop.test]") == {"keep"}
    main = code.function("main.main", near=f"{MODULE}/cmd")
    assert main is not None
    assert (main.site.package, main.site.file, main.alone) == (f"{MODULE}/cmd", "cmd/main.go", Allocates.ALWAYS)
    runtime = code.function("runtime.newobject", near=f"{MODULE}/cmd")
    assert runtime is not None
    assert runtime.site.file == "runtime/malloc.go"
    assert code.function("sync.runtime_Semacquire") is not None  # in the runtime's archive
    assert not list(code.gaps())


def test_cgo_and_trimpath(tmp_path: Path) -> None:
    module = build(tmp_path, newest(), CGO_ENABLED="1", GOFLAGS="-trimpath")
    (module.root / "c").mkdir()
    (module.root / "c/c.go").write_text(
        'package c\n\n// static int one(void) { return 1; }\nimport "C"\n\n'
        "func One() *int { n := int(C.one()); return &n }\n"
    )
    code = CodeLibrary(module.packages("./..."), module.names(), CodeStore(tmp_path / "code"))
    found = code.function(f"{MODULE}/c.One")
    assert found is not None
    assert [(call.site.file, call.site.line) for call in found.calls] == [("c/c.go", 6)]
    assert not list(code.gaps())
