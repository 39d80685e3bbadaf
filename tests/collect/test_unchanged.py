"""A scan is remembered only when everything that decides it is watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from whyheap.collect.compiler import ScanOptions
from whyheap.collect.unchanged import Memory
from whyheap.host.go import GoEnvironment, GoTool
from whyheap.parse.go_list import ListedPackage, Module

TICK_SECONDS = 0.05


class Program:
    """A workspace of two modules, one outside its folder, and a toolchain that is never run."""

    def __init__(self, base: Path) -> None:
        self.base = base
        for name in ("goroot/bin/go", "goroot/VERSION", "work/a.go", "work/go.mod", "other/go.mod", "dep/go.mod"):
            self.write(name, "")
        self.write("work/go.work", "go 1.22\n\nuse (\n\t.\n\t../other\n)\n")
        (base / "far").mkdir()
        self.command = base / "goroot/bin/go"
        self.command.write_bytes(b"\x7fELF and more")
        self.environment = GoEnvironment(
            GOROOT=str(base / "goroot"), GOWORK=str(base / "work/go.work"), GOMODCACHE=str(base / "cached")
        )
        dep = Module("example.com/dep", Dir=str(base / "dep"), GoMod=str(base / "dep/go.mod"))
        self.packages = [
            ListedPackage("example.com/work", str(base / "work"), "work", "id", GoFiles=("a.go",)),
            ListedPackage("example.com/dep", str(base / "dep"), "dep", "id", DepOnly=True, Module=dep),
        ]

    def write(self, name: str, text: str) -> None:
        path = self.base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def memory(self, gcflags: str = "") -> Memory:
        return Memory(GoTool(str(self.command)), "question", self.base / "work", ("./...", "../far/..."), gcflags)

    def is_remembered(self, gcflags: str = "") -> bool:
        memory = self.memory(gcflags)
        memory.remember(self.environment, self.packages, time.time() + 60)  # as if all files were old
        return memory.recall() is not None


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    return Program(tmp_path)


def test_what_go_said_is_recalled(program: Program) -> None:
    assert program.is_remembered()
    found = program.memory().recall()
    assert found is not None
    assert [(one.ImportPath, one.DepOnly) for one in found.packages] == [
        ("example.com/work", False),
        ("example.com/dep", True),
    ]


def test_what_changed_while_go_ran_is_not_remembered(program: Program) -> None:
    memory = program.memory()
    memory.remember(program.environment, program.packages, time.time())
    assert memory.recall() is None


@pytest.mark.parametrize("name", ["work/new", "other/new", "far/new", "dep/new"])
def test_a_new_folder_is_seen_wherever_packages_come_from(program: Program, name: str) -> None:
    assert program.is_remembered()
    time.sleep(TICK_SECONDS)
    (program.base / name).mkdir()
    assert program.memory().recall() is None


@pytest.mark.parametrize("name", ["work/a.go", "other/go.mod", "dep/go.mod", "work/go.work", "goroot/go.env"])
def test_a_changed_file_is_seen(program: Program, name: str) -> None:
    assert program.is_remembered()
    time.sleep(TICK_SECONDS)
    program.write(name, "// changed\n")
    assert program.memory().recall() is None


@pytest.mark.parametrize(
    ("flags", "remembered"),
    [
        ("-overlay=o.json", False),
        ("-trimpath --overlay=/tmp/o.json", False),
        ("-modfile=alt.mod", False),
        ("-toolexec=/bin/wrap", False),
        ("'-pgo=my profile.pprof'", False),
        ("-pgo=auto.pprof", False),
        ("-pgo=auto", True),
        ("'-pgo=off' -tags=a,b", True),
        ("-tags=overlay -mod=mod", True),
    ],
)
def test_files_that_flags_name_are_not_watched(program: Program, flags: str, *, remembered: bool) -> None:
    program.environment = msgspec.structs.replace(program.environment, GOFLAGS=flags)
    assert program.is_remembered() is remembered


@pytest.mark.parametrize(
    ("gcflags", "remembered"), [("-l -N", True), ("-d=ssa/check_bce/debug=1", True), ("-pgoprofile=cpu.pprof", False)]
)
def test_files_that_compiler_flags_name_are_not_watched(program: Program, gcflags: str, *, remembered: bool) -> None:
    assert program.is_remembered(gcflags) is remembered


def script(program: Program) -> None:
    program.command.write_text('#!/bin/sh\nexec /usr/bin/go "$@"\n')


def binary_elsewhere(program: Program) -> None:
    program.command = program.command.rename(program.base / "go")


def manager_behind_a_link(program: Program) -> None:
    program.command.rename(program.base / "goroot/bin/mise")
    program.command.symlink_to(program.base / "goroot/bin/mise")


@pytest.mark.parametrize("change", [script, binary_elsewhere, manager_behind_a_link])
def test_a_shim_in_place_of_go_is_always_asked(program: Program, change: Callable[[Program], None]) -> None:
    change(program)
    assert not program.is_remembered()


def test_a_link_to_the_toolchain_is_the_toolchain(program: Program) -> None:
    link = program.base / "go"
    link.symlink_to(program.command)
    program.command = link
    assert program.is_remembered()


def test_a_cache_that_cannot_be_written_is_no_error(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(program.command / "cache"))
    assert not program.is_remembered()


def test_the_same_relative_folder_elsewhere_is_another_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = ScanOptions(Path())
    monkeypatch.chdir("/")
    assert here.folder == tmp_path
    assert ScanOptions(Path()) != here
