"""What `whyheap diff --go A --go B` says of each line is what testing.AllocsPerRun measures under both versions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolchains import environment, go, newest
from whyheap.app.version_diff import diff_versions
from whyheap.collect.compiler import ScanOptions
from whyheap.host.go import find_go
from whyheap.model.version_diff import Change, VersionDiff

pytestmark = pytest.mark.live

OLD, NEW = "1.24.11", newest()
SOURCE = """package main

import (
	"fmt"
	"os"
	"testing"
)

var kept any

//go:noinline
func keep(v any) { kept = v }

//go:noinline
func boxed() {
	x := 123456
	keep(any(x)) // line of boxed
}

//go:noinline
func fixed() int {
	n := 100
	s := make([]int, n) // line of fixed
	for i := range s {
		s[i] = i
	}
	return s[3]
}

//go:noinline
func sized(n int) int {
	s := make([]int, n) // line of sized
	return len(s)
}

//go:noinline
func grown() int {
	var s []int
	for i := 0; i < 3; i++ {
		s = append(s, i) // line of grown
	}
	return len(s)
}

//go:noinline
func merged() (*int, *int) {
	a, b := 1, 2 // line of merged
	return &a, &b
}

func up(p *int)   { *p++ }
func down(p *int) { *p-- }

//go:noinline
func chosen(c bool) int {
	f := up
	if c {
		f = down
	}
	x := 3 // line of chosen
	f(&x)
	return x
}

//go:noinline
func inlined() error {
	return fmt.Errorf("const") // line of inlined
}

//go:noinline
func same() *[4]int {
	return &[4]int{} // line of same
}

//go:noinline
func none(a, b int) int {
	return a + b // line of none
}

func main() {
	for name, run := range map[string]func(){
		"boxed": boxed, "fixed": func() { fixed() }, "sized": func() { sized(3) }, "grown": func() { grown() },
		"merged": func() { merged() }, "chosen": func() { chosen(len(os.Args) > 9) },
		"inlined": func() { kept = inlined() }, "same": func() { same() }, "none": func() { none(1, 2) },
	} {
		fmt.Println(name, testing.AllocsPerRun(100, run))
	}
}
"""


def measured(version: str, folder: Path) -> dict[str, float]:
    """Allocations per run of each function, as that Go builds it."""
    ran = subprocess.run(
        [str(go(version)), "run", "."], cwd=folder, env=environment(version), capture_output=True, text=True, check=True
    )
    return {name: float(count) for name, count in (row.split() for row in ran.stdout.splitlines())}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("upgrade")
    (folder / "go.mod").write_text("module example.com/upgrade\n\ngo 1.22\n")
    (folder / "main.go").write_text(SOURCE)
    return folder


@pytest.fixture(scope="module")
def compared(module: Path) -> VersionDiff:
    tools = [find_go(str(go(version)), {"GOTOOLCHAIN": "local"}) for version in (OLD, NEW)]
    found, failure = diff_versions(tools, ScanOptions(module, (".",)))
    assert failure is None
    return found


def test_the_lines_that_change_are_those_that_measure_otherwise(module: Path, compared: VersionDiff) -> None:
    before, after = measured(OLD, module), measured(NEW, module)
    lines = {
        number: row.rpartition(" ")[2] for number, row in enumerate(SOURCE.splitlines(), 1) if "// line of " in row
    }
    told = {lines[one.site.line]: one.change for one in compared.changes if one.site.line in lines}
    for name, change in told.items():
        if change in {Change.STOPS, Change.LESS}:
            assert after[name] < before[name], name
        else:
            assert after[name] > before[name], name
        assert (change is Change.STOPS) <= (after[name] == 0), name
    silent = {name for name in before if name not in told and before[name] != after[name]}
    assert silent <= {"inlined"}  # allocates in callees under both, which --functions tells


def test_what_the_upgrade_brings(compared: VersionDiff) -> None:
    rows = SOURCE.splitlines()
    told = {rows[one.site.line - 1].rpartition(" // line of ")[2]: one.change for one in compared.changes}
    assert told["boxed"] is told["fixed"] is told["chosen"] is Change.STOPS
    assert told["sized"] is told["grown"] is told["merged"] is Change.LESS
    assert not told.keys() & {"inlined", "same", "none"}
