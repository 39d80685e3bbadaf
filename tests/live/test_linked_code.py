"""With the deployed program at hand, a line's bytes belong to the calls that made them, wherever it was built."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from toolchains import environment, go, newest, oldest
from whyheap.app.analyse import Analysis, View, analyse
from whyheap.app.gather import WhyRequest, gather
from whyheap.errors import UsageError
from whyheap.model.evidence import Agreement

pytestmark = pytest.mark.live

SOURCE = """package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

type big struct{ a [64]int }

var (
	kept  []*big
	bytes [][]byte
)

//go:noinline
func both(n int) {
	kept, bytes = append(kept[:0], &big{}), append(bytes[:0], make([]byte, n))
}

//go:noinline
func never() { panic("never called") }

func init() { runtime.MemProfileRate = 1 }

func main() {
	kept, bytes = make([]*big, 0, 4), make([][]byte, 0, 4)
	for i := 0; i < 1000; i++ {
		both(4096)
	}
	if len(os.Args) > 2 {
		never()
	}
	out, _ := os.Create(os.Args[1])
	runtime.GC()
	pprof.Lookup("allocs").WriteTo(out, 0)
	out.Close()
}
"""
LINE = 18


def built(folder: Path, version: str, flags: Sequence[str] = (), source: str = SOURCE) -> Path:
    """Build the program in `folder`/src and return it."""
    source_folder = folder / "src"
    source_folder.mkdir(exist_ok=True)
    (source_folder / "go.mod").write_text("module example.com/both\n\ngo 1.21\n")
    (source_folder / "main.go").write_text(source)
    program = folder / "both"
    subprocess.run(
        [go(version), "build", *flags, "-o", program, "."], cwd=source_folder, env=environment(version), check=True
    )
    return program


def answered(folder: Path, version: str, program: Path) -> Analysis:
    """Run the program, and join its own profile with the source and the program."""
    profile = folder / "allocs.pb.gz"
    subprocess.run([program, profile], check=True, timeout=60)
    request = WhyRequest((".", str(profile)), folder / "src", 0.0, str(go(version)), binary=program)
    gathered = gather(request)
    return analyse(gathered.capture, View(), gathered.files)


@pytest.mark.parametrize("version", [oldest(), newest()])
@pytest.mark.parametrize(
    "flags", [(), ("-ldflags=-s -w", "-trimpath"), ("-buildmode=pie",)], ids=["plain", "stripped", "pie"]
)
def test_bytes_of_one_line_are_told_apart(tmp_path: Path, version: str, flags: Sequence[str]) -> None:
    analysis = answered(tmp_path, version, built(tmp_path, version, flags))
    here = [one for one in analysis.report.findings if one.site.line == LINE and one.measure]
    bytes_by_subject = {one.subject: one.measure.alloc_bytes for one in here if one.measure}
    assert not any(one.shared_with for one in here)
    assert 1000 * 512 <= bytes_by_subject["&big{}"] < 1001 * 512  # with the runtime's own work during a call
    assert 1000 * 4096 <= bytes_by_subject["make([]byte, n)"] < 1001 * 4096
    assert not [gap for gap in analysis.report.gaps if gap.witness == "machine code"]


def test_a_profile_of_another_build_is_said_and_shared(tmp_path: Path) -> None:
    version = newest()
    program = built(tmp_path, version)
    profile = tmp_path / "allocs.pb.gz"
    subprocess.run([program, profile], check=True, timeout=60)
    other = built(tmp_path, version, ("-gcflags=-N",))
    request = WhyRequest((".", str(profile)), tmp_path / "src", 0.0, str(go(version)), binary=other)
    gathered = gather(request)
    report = analyse(gathered.capture, View(), gathered.files).report
    assert [gap.reason for gap in report.gaps if gap.witness == "machine code" and "not of both" in gap.reason]
    assert [one for one in report.findings if one.site.line == LINE and one.shared_with]


def test_a_program_of_other_source_is_said(tmp_path: Path) -> None:
    version = newest()
    program = built(tmp_path, version, source=SOURCE.replace("type big", "// moved\n\n\ntype big"))
    (tmp_path / "src" / "main.go").write_text(SOURCE)
    request = WhyRequest((".",), tmp_path / "src", 0.0, str(go(version)), binary=program)
    (gap,) = [gap for gap in gather(request).capture.scan.gaps if gap.witness == "machine code"]  # type: ignore[union-attr]
    assert "was not built from this source" in gap.reason


def test_what_was_not_linked_is_unknown(tmp_path: Path) -> None:
    version = newest()
    source = SOURCE + "\nfunc dead(n int) *int { return &n }\n"
    program = built(tmp_path, version, source=source)
    gathered = gather(WhyRequest((".",), tmp_path / "src", 0.0, str(go(version)), binary=program))
    findings = analyse(gathered.capture, View(), gathered.files).report.findings
    assert {one.agreement for one in findings if one.site.function == "dead"} == {Agreement.UNKNOWN}


def test_a_program_for_another_machine_is_refused(tmp_path: Path) -> None:
    version = newest()
    program = built(tmp_path, version)
    request = WhyRequest((".",), tmp_path / "src", 0.0, str(go(version)), {"GOARCH": "arm64"}, binary=program)
    with pytest.raises(UsageError, match="program for amd64"):
        gather(request)
