"""`whyheap test` names the test that left a goroutine, and the user's own line, whatever ran in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from checked_packages import rows, run, write
from toolchains import newest, oldest

pytestmark = pytest.mark.live

MODULE = {
    "go.mod": "module example.test/a\n\ngo 1.22\n",
    "order/x_test.go": """\
package order

import (
	"fmt"
	"testing"
)

func TestEarly(t *testing.T) {
	indirectly(early)
	t.Parallel()
}

func TestAlone(t *testing.T) {}

func TestLate(t *testing.T) {
	t.Parallel()
	indirectly(late)
}

func FuzzTarget(f *testing.F) {
	f.Add(1)
	go wait()
	f.Fuzz(func(t *testing.T, n int) {})
}

func Example_other() {
	fmt.Println("x")
	// Output: x
}

func BenchmarkOther(b *testing.B) {}

func indirectly(start func()) {
	done := make(chan int)
	go func() {
		start()
		close(done)
	}()
	<-done
}

func early() { go wait() }
func late()  { go wait() }
func wait()  { <-make(chan int) }
""",
    "library/x_test.go": """\
package library

import (
	"net/http/httptest"
	"testing"
	"time"
)

func TestTimer(t *testing.T) {
	began := make(chan int)
	time.AfterFunc(time.Millisecond, func() {
		close(began)
		<-make(chan int)
	})
	<-began
}

func TestServer(t *testing.T) {
	httptest.NewServer(nil)
}
""",
}


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_each_leak_is_told_of_whom_it_is(tmp_path: Path, version: str) -> None:
    write(tmp_path, MODULE)
    status, lines, said = run(tmp_path, "--wait", "200ms", "--", "-bench=.", "-count=2", version=version)
    assert status == 1, said
    found = rows(lines, "leak")
    told = {line.partition(": leak: ")[0]: line.rpartition("; ")[2] for line in found}
    parallel = told.pop("order/x_test.go:43:16")
    assert parallel.startswith("left by one of the parallel tests ")
    assert sorted(parallel.removeprefix("left by one of the parallel tests ").split(", ")) == ["TestEarly", "TestLate"]
    assert told == {
        "library/x_test.go:13:1": "first seen after TestTimer (library/x_test.go:9)",
        "library/x_test.go:18:1": "left by TestServer (library/x_test.go:18)",
        "order/x_test.go:22:2": "left by FuzzTarget (order/x_test.go:20)",
        "order/x_test.go:42:16": "first seen after TestEarly (order/x_test.go:8)",
    }
    assert "2 goroutines started by time.goFunc for this function " in "\n".join(found)
    assert "    created by time.goFunc " in "\n".join(lines)
