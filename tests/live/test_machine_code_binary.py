"""Allocator calls of executables equal those that `go tool objdump` prints, stripped or not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from objdump import Call, allocator_calls
from toolchains import ROOT, environment, go, newest, versions
from whyheap.collect.allocator_names import unknown_allocators
from whyheap.collect.binary_file import open_binary
from whyheap.goruntime.allocators import is_allocator
from whyheap.model.facts import AllocatorCall
from whyheap.parse.machine_code.binary import Binary

pytestmark = pytest.mark.live

OOMSHOP = ROOT / "examples" / "oomshop"
ARCHITECTURES = ("amd64", "arm64")
_STRIP = "-ldflags=-s -w"


def build(version: str, target: Path, *flags: str, arch: str = "amd64", cgo: bool = False) -> Path:
    env = environment(version, GOARCH=arch, CGO_ENABLED="01"[cgo], GOWORK="off")
    subprocess.run([go(version), "build", "-o", target, *flags, "."], cwd=OOMSHOP, env=env, check=True)
    return target


def as_objdump_prints(calls: list[AllocatorCall]) -> set[Call]:
    return {(call.address, call.callee, Path(call.site.file).name, call.site.line) for call in calls}


def of_functions(binary: Binary) -> set[tuple[int, str, str]]:
    return {
        (function.address + call.offset, call.callee, call.type)
        for function in binary.functions()
        for call in function.calls
        if is_allocator(call.callee)
    }


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("version", versions())
def test_calls_equal_those_of_objdump(version: str, arch: str, tmp_path: Path) -> None:
    whole = build(version, tmp_path / "whole", arch=arch)
    stripped = build(version, tmp_path / "stripped", _STRIP, arch=arch)
    expected = allocator_calls(go(version), whole, environment(version))
    binary = open_binary(whole)
    calls = list(binary.allocator_calls())
    assert len(calls) == len(expected) > 5000
    assert as_objdump_prints(calls) == expected
    assert list(open_binary(stripped).allocator_calls()) == calls
    assert of_functions(binary) == {(call.address, call.callee, call.type) for call in calls}
    assert (binary.arch, binary.go_version) == (arch, f"go{version}")
    assert binary.build_ids.go


@pytest.mark.parametrize(
    ("flags", "cgo"),
    [
        (("-buildmode=pie",), False),
        (("-trimpath",), False),
        (("-ldflags=-linkmode=external",), True),
        (("-race",), True),
    ],
)
def test_other_ways_to_link_change_nothing(flags: tuple[str, ...], tmp_path: Path, *, cgo: bool) -> None:
    whole = build(newest(), tmp_path / "whole", *flags, cgo=cgo)
    expected = allocator_calls(go(newest()), whole, environment(newest()))
    assert as_objdump_prints(list(open_binary(whole).allocator_calls())) == expected


def test_inlined_calls_tell_types_and_where_they_are_inlined(tmp_path: Path) -> None:
    binary = open_binary(build(newest(), tmp_path / "stripped", _STRIP, "-trimpath"))
    calls = [call for call in binary.allocator_calls() if call.symbol.startswith("main.")]
    assert {call.site.file for call in calls if call.site.package == "main"} > {"example.com/oomshop/cache.go"}
    assert any(call.inlined_at and call.inlined_at[-1].package == "main" for call in calls)
    assert {"main.Order", "uint8"} & {call.type for call in calls}


@pytest.mark.parametrize("version", versions())
def test_the_table_knows_every_allocator_of_the_toolchain(version: str) -> None:
    assert unknown_allocators(go(version).parent.parent) == ()
