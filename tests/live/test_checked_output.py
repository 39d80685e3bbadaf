"""`whyheap test` is true to go test: the same output, outcomes and environment, whatever tests print or call."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from checked_packages import LEAK, TEST, WHYHEAP, rows, run, write
from toolchains import environment, go, newest, oldest

pytestmark = pytest.mark.live

FAITHFUL = {
    "go.mod": "module example.test/f\n\ngo 1.22\n",
    "prints/x_test.go": """\
package prints

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestPrint(t *testing.T) {
	fmt.Print("no text: \\xff\\xfe \\x00 \\r\\n")
	fmt.Println("FAIL\\texample.test/printed\\t0.1s")
	fmt.Println("FAIL\\texample.test/f/prints\\t0.1s")
	for _, one := range os.Environ() {
		if strings.HasPrefix(one, "GOTMPDIR=") || strings.HasPrefix(one, "WHYHEAP") {
			fmt.Println(one)
		}
	}
}
""",
    # Tests that run tests side by side: what whyheap keeps must not be torn, nor seen by the race detector.
    "nests/x_test.go": """\
package nests

import (
	"sync"
	"testing"
)

func TestA(t *testing.T) { t.Parallel(); many() }
func TestB(t *testing.T) { t.Parallel(); many() }

func many() {
	all := func(pat, str string) (bool, error) { return true, nil }
	var running sync.WaitGroup
	for i := 0; i < 20; i++ {
		running.Add(1)
		go func() {
			defer running.Done()
			testing.RunTests(all, []testing.InternalTest{{"Inner", func(t *testing.T) {}}})
		}()
	}
	running.Wait()
}
""",
}


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_what_go_test_prints_is_passed_on_byte_by_byte(tmp_path: Path, version: str) -> None:
    write(tmp_path, FAITHFUL)
    env = environment(version, GOFLAGS="-count=2 -v")
    words = ["./prints", "./nests"]
    plain = subprocess.run([go(version), "test", *words], cwd=tmp_path, env=env, capture_output=True, check=True)
    ours = subprocess.run([WHYHEAP, "test", "-q", *words], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert ours.returncode == 0, ours.stdout
    assert lines_of(ours.stderr) == lines_of(plain.stdout)
    assert b"\xff\xfe \x00 \r\n" in ours.stderr
    assert b": no violations; 2 packages, 166 tests; " in ours.stdout


def lines_of(output: bytes) -> list[bytes]:
    """Return the lines without what times and the order of parallel tests change."""
    return sorted(re.sub(rb"\d+\.\d+s", b"", line) for line in output.splitlines())


def test_no_race_is_told_that_is_ours(tmp_path: Path) -> None:
    write(tmp_path, FAITHFUL)
    status, lines, said = run(tmp_path, "./nests", "--", "-race")
    assert status == 0, (lines, said)


def test_files_may_be_named_in_place_of_a_package(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": "module example.test/f\n\ngo 1.22\n"})
    limited = TEST.format(package="p", body=LEAK).replace("func TestLeak", "//whyheap:limit allocs=0\nfunc TestLeak")
    write(tmp_path, {"p/x_test.go": limited})
    status, lines, said = run(tmp_path, "p/x_test.go")
    assert status == 1, said
    assert len(rows(lines, "leak")) == len(rows(lines, "limit")) == 1
    assert not [line for line in lines if "not checked" in line]
