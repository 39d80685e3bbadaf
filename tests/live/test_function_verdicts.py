"""`scan --functions` tells of the user's functions: neither of wrappers nor of other packages' generics."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchains import go, newest, oldest
from whyheap.app.function_verdicts import function_verdicts
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.host.go import find_go
from whyheap.model.machine_code import Allocates

pytestmark = pytest.mark.live

SOURCE = """package lib

import "sync/atomic"

type Reader interface{ Read(p []byte) int }

type Zero struct{}

func (Zero) Read(p []byte) int { return len(p) }

var Pipe = make(chan int, 2)

var kept atomic.Pointer[Zero]

//go:noinline
func Keep() { kept.Store(new(Zero)) }

//go:noinline
func New() *[4]int { return new([4]int) }

//go:noinline
func Bound(z *[4]int) func() { return func() { z[0]++ } }
"""


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_only_functions_of_the_scanned_packages(version: str, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/lib\n\ngo 1.22\n")
    (tmp_path / "lib.go").write_text(SOURCE)
    compiled = compile_packages(find_go(str(go(version)), {"GOTOOLCHAIN": "local"}), ScanOptions(tmp_path, (".",)))
    found = {one.site.function: one for one in function_verdicts(compiled, compiled.load())}
    assert found.keys() == {"init", "Keep", "New", "Bound", "Bound.func1", "Zero.Read"}
    always = {name for name, one in found.items() if one.allocates is Allocates.ALWAYS}
    assert always == {"init", "New", "Bound"}
