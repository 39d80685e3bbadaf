"""Benchmarks of several packages, run by real go: the least of each counts, and one that fails is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchains import go, newest, oldest
from whyheap.collect.benchmarks import BenchmarkAllocations, run_benchmarks
from whyheap.errors import TargetError
from whyheap.host.go import find_go

pytestmark = pytest.mark.live

MODULE = {
    "go.mod": "module example.test/b\n\ngo 1.22\n",
    "one/x_test.go": """\
package one

import (
	"os"
	"testing"
)

var kept any

var runs int

func BenchmarkParts(b *testing.B) {
	b.Run("big", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			kept = new([8]int64)
		}
	})
}

// BenchmarkChance allocates in its first calls alone.
func BenchmarkChance(b *testing.B) {
	runs++
	for i := 0; i < b.N && runs < 3; i++ {
		kept = new(int64)
	}
}

func BenchmarkFile(b *testing.B) {
	if _, err := os.Stat("x_test.go"); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
}
""",
    "two/x_test.go": 'package two\n\nimport "testing"\n\nfunc BenchmarkNothing(b *testing.B) {}\n',
    "torn/x_test.go": """\
package torn

import (
	"fmt"
	"testing"
)

func BenchmarkPrints(b *testing.B) { fmt.Print("half a line") }

func BenchmarkQuiet(b *testing.B) {}
""",
    "untested/x.go": "package untested\n",
    "failing/x_test.go": 'package failing\n\nimport "testing"\n\nfunc BenchmarkNo(b *testing.B) { b.Fatal("oh") }\n',
    "broken/x_test.go": 'package broken\n\nimport "testing"\n\nfunc BenchmarkNo(b *testing.B) { missing() }\n',
}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("module")
    for name, text in MODULE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_the_least_of_three_runs_counts(module: Path, version: str) -> None:
    found = run_benchmarks(
        find_go(str(go(version))), module, ["./one", "./two", "./untested"], not_understood=pytest.fail
    )
    assert found == [
        BenchmarkAllocations("example.test/b/one", "BenchmarkParts/big", 64, 1),
        BenchmarkAllocations("example.test/b/one", "BenchmarkChance", 0, 0),
        BenchmarkAllocations("example.test/b/one", "BenchmarkFile", 0, 0),
        BenchmarkAllocations("example.test/b/two", "BenchmarkNothing", 0, 0),
    ]


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("./failing", r"the benchmarks failed: BenchmarkNo \(example.test/b/failing\) failed; .*oh"),
        ("./broken", r"the tests of example.test/b/broken could not be built: .*undefined: missing"),
        ("./nowhere", "go list failed: .*nowhere"),
    ],
)
def test_what_cannot_be_measured_is_named(module: Path, package: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        run_benchmarks(find_go(str(go(newest()))), module, ["./two", package], not_understood=pytest.fail)


def test_a_result_that_a_benchmark_tore_is_told(module: Path) -> None:
    told: list[str] = []
    found = run_benchmarks(find_go(str(go(newest()))), module, ["./torn"], not_understood=told.append)
    assert [one.name for one in found] == ["BenchmarkQuiet"]
    assert len(told) == 3
    assert all(one.startswith("a benchmark of example.test/b/torn printed: BenchmarkPrints") for one in told)
