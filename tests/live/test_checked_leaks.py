"""`whyheap test` and leaks: caught in every kind of package, and clean ones stay clean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checked_packages import LEAK, MAIN, TEST, rows, run, write
from toolchains import newest, oldest

pytestmark = pytest.mark.live

GOLEAK = {
    # The two functions that tests call, with the words that go.uber.org/goleak prints.
    "goleak/go.mod": "module go.uber.org/goleak\n\ngo 1.22\n",
    "goleak/goleak.go": """\
package goleak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

type Option interface{}

func IgnoreTopFunction(f string) Option { return f }

type TestingT interface{ Error(...any) }

func find(options []Option) string {
	time.Sleep(20 * time.Millisecond)
	space := make([]byte, 1<<20)
	for _, one := range strings.Split(string(space[:runtime.Stack(space, true)]), "\\n\\n")[1:] {
		ignored := strings.Contains(one, "testing.(*T).Run(")
		for _, option := range options {
			ignored = ignored || strings.Contains(one, "\\n"+option.(string)+"(")
		}
		if !ignored {
			return one
		}
	}
	return ""
}

func VerifyNone(t TestingT, options ...Option) {
	if found := find(options); found != "" {
		t.Error("found unexpected goroutines:\\n[" + found + "]")
	}
}

func VerifyTestMain(m interface{ Run() int }, options ...Option) {
	code := m.Run()
	if found := find(options); code == 0 && found != "" {
		fmt.Fprintf(os.Stderr, "goleak: Errors on successful test run: found unexpected goroutines:\\n[%s]\\n", found)
		code = 1
	}
	os.Exit(code)
}
""",
}
MODULE = GOLEAK | {
    "go.mod": """\
module example.test/m

go 1.22

require go.uber.org/goleak v1.3.0

replace go.uber.org/goleak => ./goleak
""",
    "plain/x_test.go": TEST.format(package="plain", body=LEAK),
    "withmain/x_test.go": TEST.format(package="withmain", body=LEAK),
    "withmain/main_test.go": MAIN.format(package="withmain", imports='\t"os"\n\t"testing"\n', body="os.Exit(m.Run())"),
    "goleakmain/x_test.go": TEST.format(package="goleakmain", body=LEAK),
    "goleakmain/main_test.go": MAIN.format(
        package="goleakmain", imports='\t"testing"\n\n\t"go.uber.org/goleak"\n', body="goleak.VerifyTestMain(m)"
    ),
    "goleaktest/x_test.go": TEST.format(package="goleaktest", body="\tdefer goleak.VerifyNone(t)\n" + LEAK).replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"go.uber.org/goleak"\n)'
    ),
    "parallel/x_test.go": TEST.format(package="parallel", body="\tt.Parallel()\n" + LEAK),
    "outside/x.go": """\
package outside

// Start forgets a goroutine.
func Start() {
	go run(make(chan int))
}

func run(c chan int) { <-c }
""",
    "outside/x_test.go": TEST.format(package="outside_test", body="\toutside.Start()\n").replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"example.test/m/outside"\n)'
    ),
    "command/main.go": "package main\n\nfunc main() {}\n",
    "command/x_test.go": TEST.format(package="main", body=LEAK),
    "clean/x_test.go": TEST.format(package="clean", body="\tdone := make(chan int)\n\tgo close(done)\n\t<-done\n"),
    "accepted/x_test.go": TEST.format(package="accepted", body="\tgo daemon(make(chan int))\n")
    + "\nfunc daemon(c chan int) { <-c }\n",
    "accepted/main_test.go": MAIN.format(
        package="accepted",
        imports='\t"testing"\n\n\t"go.uber.org/goleak"\n',
        body='goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("example.test/m/accepted.daemon"))',
    ),
}
LEAKY = ("command", "goleakmain", "goleaktest", "outside", "parallel", "plain", "withmain")
"""The packages of MODULE in which TestLeak leaves one goroutine."""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a module that whoever tests may not write to."""
    folder = tmp_path_factory.mktemp("module")
    write(folder, MODULE)
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


@pytest.mark.parametrize("version", [oldest(), "1.25.5", newest()])
def test_a_leak_is_caught_in_every_kind_of_package(module: Path, version: str) -> None:
    status, lines, said = run(module, "--wait", "200ms", version=version)
    assert status == 1, said
    found = rows(lines, "leak")
    assert [line.split("/")[0] for line in found] == list(LEAKY)
    for line in found:
        assert re.match(r"\w+/x(_test)?\.go:\d+:\d+: leak: 1 goroutine started here ", line), line
        assert re.search(r"; left by TestLeak \(\w+/x_test\.go:\d+\)$", line), line
    can_never = [line for line in found if "can never go on: chan receive" in line]
    assert len(can_never) == (len(LEAKY) if version == newest() else 0)
    assert 'accepted by goleak.IgnoreTopFunction("example.test/m/accepted.daemon")' in "\n".join(lines)
    assert sum("goleak failed it, too: counted once" in line for line in lines) == 2
    assert f"9 packages, 18 tests; go{version}" in lines[-1]
    assert "example.test/m/clean" in said  # what go test prints is passed on


def test_the_race_detector_changes_nothing(module: Path) -> None:
    status, lines, said = run(module, "./plain", "./withmain", "./parallel", "./clean", "--", "-race")
    assert status == 1, said
    assert [line.split("/")[0] for line in rows(lines, "leak")] == ["parallel", "plain", "withmain"]


def test_a_leak_shows_its_stack_its_creator_and_its_state(module: Path) -> None:
    _, lines, _ = run(module, "./outside")
    at = lines.index(rows(lines, "leak")[0])
    assert lines[at].startswith(
        "outside/x.go:5:2: leak: 1 goroutine started here can never go on: chan receive; left by"
    )
    assert re.fullmatch(r" +example\.test/m/outside\.run +outside/x\.go:8", lines[at + 1])
    assert re.fullmatch(r" +created by example\.test/m/outside\.Start +outside/x\.go:5:2", lines[at + 2])


def test_what_the_user_allows_is_no_leak(module: Path) -> None:
    status, lines, _ = run(module, "--allow", r"outside\.run$", "./outside", "./clean")
    assert status == 0
    assert rows(lines, "leak") == []
    assert any("1 left goroutine is accepted by --allow" in line for line in lines)


def test_the_standard_library_is_clean(tmp_path: Path) -> None:
    status, lines, said = run(tmp_path, "context", "net/http/httptest")
    assert (status, rows(lines, "leak")) == (0, []), said
    assert "no violations; 2 packages, " in lines[-1]


CONNECTIONS = {
    "go.mod": "module example.test/c\n\ngo 1.22\n",
    "idle/x_test.go": """\
package idle

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

var server *httptest.Server

func TestMain(m *testing.M) {
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 1<<20))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	os.Exit(m.Run())
}

func TestGet(t *testing.T) {
	got, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, got.Body)
	got.Body.Close()
}
""",
}
CONNECTIONS["first/x_test.go"] = (
    CONNECTIONS["idle/x_test.go"]
    .replace("package idle", "package first")
    .replace("\tserver.EnableHTTP2 = true\n\tserver.StartTLS()", "\tserver.Start()")
)
CONNECTIONS["forgotten/x_test.go"] = (
    CONNECTIONS["first/x_test.go"]
    .replace("package first", "package forgotten")
    .replace('\t"io"\n', "")
    .replace("\tio.Copy(io.Discard, got.Body)\n\tgot.Body.Close()\n", "\t_ = got\n")
)


def test_an_idle_connection_is_no_leak_and_a_forgotten_body_is(tmp_path: Path) -> None:
    write(tmp_path, CONNECTIONS)
    status, lines, said = run(tmp_path, "--wait", "200ms")
    assert status == 1, said
    (leak,) = rows(lines, "leak")
    assert leak.startswith("forgotten/x_test.go:20:1: leak: 1 goroutine started by net/http.(*Transport).dialConn ")
    assert any(re.match(r" +created by \S+dialConn +net/http/transport\.go:\d+:2$", line) for line in lines)
    assert leak.endswith("first seen after TestGet (forgotten/x_test.go:20)")
    idle = [line for line in lines if "idle connections of an HTTP client" in line]
    assert [line.split()[1] for line in idle] == ["example.test/c/first:", "example.test/c/idle:"]
    assert sum("started by what ran before the tests (TestMain, init) not judged" in line for line in lines) == 3
