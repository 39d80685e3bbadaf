"""`whyheap test` and //whyheap:limit comments: limits hold or are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from checked_packages import run, write
from toolchains import newest, oldest

pytestmark = pytest.mark.live

LIMITS = {
    "go.mod": "module example.test/l\n\ngo 1.22\n",
    "x_test.go": """\
package l

import "testing"

var sink any

//whyheap:limit allocs=0
func TestNothing(t *testing.T) {}

//whyheap:limit allocs=1 bytes=1KiB
func TestBig(t *testing.T) { sink = make([]byte, 4096) }

//whyheap:limit bytes=1KiB
func TestParallel(t *testing.T) { t.Parallel() }

//whyheap:limit allocs=1 bytes=64
func BenchmarkOne(b *testing.B) {
	for i := 0; i < b.N; i++ {
		sink = new([8]int64)
	}
}

//whyheap:limit allocs=0
func BenchmarkParts(b *testing.B) {
	b.Run("none", func(b *testing.B) {})
	b.Run("one", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sink = new(int64)
		}
	})
}

//whyheap:limit allocs=0
func TestSkipped(t *testing.T) { t.Skip("which allocates") }

//whyheap:limit allocs=many
func TestWrong(t *testing.T) {}
""",
}

OTHER = """\
package other

import "testing"

func BenchmarkOne(b *testing.B) { b.Fatal("nobody has asked for this one") }
"""


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_limits_hold_or_are_told(tmp_path: Path, version: str) -> None:
    write(tmp_path, {**LIMITS, "other/x_test.go": OTHER})
    status, lines, said = run(tmp_path, "--", "-benchtime=100x", version=version)
    assert status == 1, said
    found = [line for line in lines if line.startswith("x_test.go:")]
    parallel = "TestParallel runs in parallel, so what it allocates cannot be told from what others do"
    big = "2 objects where at most 1 are allowed, and 4.0 KiB where at most 1 KiB are allowed"
    part = "1 object where at most 0 are allowed (a mean of 100 operations)"
    assert found == [
        f"x_test.go:11:6: limit: TestBig allocates {big}",
        f"x_test.go:14:6: directive: //whyheap:limit bytes=1KiB: {parallel}",
        f"x_test.go:24:6: limit: BenchmarkParts/one allocates {part}",
        "x_test.go:36:1: directive: //whyheap:limit allocs=many: allocs=many is no count: write allocs=0",
    ]
    status, lines, _ = run(tmp_path, "--", "-run", "TestNothing", version=version)
    assert any(
        line.startswith("note: 5 limits were not judged, their functions did not run, or failed: ") for line in lines
    )
