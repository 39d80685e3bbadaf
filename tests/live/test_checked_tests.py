"""`whyheap test` against real go test: leaks are caught in every kind of package, and clean ones stay clean."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchains import environment, newest, oldest

pytestmark = pytest.mark.live

WHYHEAP = Path(sys.executable).with_name("whyheap")
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
_LEAK = "\tc := make(chan int)\n\tgo func() { <-c }()\n"
_TEST = """\
package {package}

import "testing"

func TestClean(t *testing.T) {{}}

func TestLeak(t *testing.T) {{
{body}}}
"""
_MAIN = "package {package}\n\nimport (\n{imports})\n\nfunc TestMain(m *testing.M) {{ {body} }}\n"
MODULE = GOLEAK | {
    "go.mod": """\
module example.test/m

go 1.22

require go.uber.org/goleak v1.3.0

replace go.uber.org/goleak => ./goleak
""",
    "plain/x_test.go": _TEST.format(package="plain", body=_LEAK),
    "withmain/x_test.go": _TEST.format(package="withmain", body=_LEAK),
    "withmain/main_test.go": _MAIN.format(package="withmain", imports='\t"os"\n\t"testing"\n', body="os.Exit(m.Run())"),
    "goleakmain/x_test.go": _TEST.format(package="goleakmain", body=_LEAK),
    "goleakmain/main_test.go": _MAIN.format(
        package="goleakmain", imports='\t"testing"\n\n\t"go.uber.org/goleak"\n', body="goleak.VerifyTestMain(m)"
    ),
    "goleaktest/x_test.go": _TEST.format(package="goleaktest", body="\tdefer goleak.VerifyNone(t)\n" + _LEAK).replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"go.uber.org/goleak"\n)'
    ),
    "parallel/x_test.go": _TEST.format(package="parallel", body="\tt.Parallel()\n" + _LEAK),
    "outside/x.go": """\
package outside

// Start forgets a goroutine.
func Start() {
	go run(make(chan int))
}

func run(c chan int) { <-c }
""",
    "outside/x_test.go": _TEST.format(package="outside_test", body="\toutside.Start()\n").replace(
        'import "testing"', 'import (\n\t"testing"\n\n\t"example.test/m/outside"\n)'
    ),
    "command/main.go": "package main\n\nfunc main() {}\n",
    "command/x_test.go": _TEST.format(package="main", body=_LEAK),
    "clean/x_test.go": _TEST.format(package="clean", body="\tdone := make(chan int)\n\tgo close(done)\n\t<-done\n"),
    "accepted/x_test.go": _TEST.format(package="accepted", body="\tgo daemon(make(chan int))\n")
    + "\nfunc daemon(c chan int) { <-c }\n",
    "accepted/main_test.go": _MAIN.format(
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


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def run(folder: Path, *arguments: str, version: str | None = None, **env: str) -> tuple[int, list[str], str]:
    """Run `whyheap test`: status, lines of standard output, standard error."""
    done = subprocess.run(
        [WHYHEAP, "test", *arguments],
        cwd=folder,
        env=environment(version, **env),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def rows(lines: list[str], rule: str) -> list[str]:
    return [line for line in lines if f": {rule}: " in line]


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

//whyheap:limit allocs=many
func TestWrong(t *testing.T) {}
""",
}


@pytest.mark.parametrize("version", [oldest(), newest()])
def test_limits_hold_or_are_told(tmp_path: Path, version: str) -> None:
    write(tmp_path, LIMITS)
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
        "x_test.go:33:1: directive: //whyheap:limit allocs=many: allocs=many is no count: write allocs=0",
    ]
    status, lines, _ = run(tmp_path, "--", "-run", "TestNothing", version=version)
    assert any(line.startswith("note: 4 limits were not judged, their functions did not run: ") for line in lines)


BROKEN = {
    "go.mod": "module example.test/b\n\ngo 1.22\n",
    "failing/x_test.go": _TEST.format(package="failing", body='\tt.Error("no")\n' + _LEAK),
    "hang/x_test.go": _TEST.format(package="hang", body="\tselect {}\n"),
    "nobuild/x_test.go": _TEST.format(package="nobuild", body="\tmissing()\n"),
    "nomrun/x_test.go": _MAIN.format(package="nomrun", imports='\t"os"\n\t"testing"\n', body="os.Exit(0)"),
    "empty/x.go": "package empty\n",
}


def test_tests_that_fail_are_told_apart_from_leaks(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    status, lines, said = run(tmp_path, "--timeout", "2s")
    assert status == 3, said
    text = "\n".join(lines)
    assert [line.split("/")[0] for line in rows(lines, "leak")] == ["failing"]
    assert "note: example.test/b/hang: a test hung; go test ended it after 2s and printed all stacks" in text
    assert "note: example.test/b/nobuild: not checked, its tests do not build" in text
    assert "note: example.test/b/nomrun: not checked, its test binary ended before its tests were over" in text
    assert "note: 1 package has no tests" in text
    assert "; ordinary tests failed; " in lines[-1]
    assert "undefined: missing" in said
    assert "goroutine " in said


def test_an_overlay_of_the_users_is_merged(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": "module example.test/o\n\ngo 1.22\n", "p/x.go": "package p\n"})
    write(tmp_path, {"other.go": _TEST.format(package="p", body=_LEAK)})
    (tmp_path / "overlay.json").write_text('{"Replace": {"p/added_test.go": "other.go"}}')
    status, lines, said = run(tmp_path, "./p", "--", "-overlay", "overlay.json")
    assert status == 1, said
    assert rows(lines, "leak")[0].startswith("p/added_test.go:9:2: leak: ")


def test_pointer_checks_point_at_the_line(tmp_path: Path) -> None:
    body = "\tkeep = (*int64)(unsafe.Pointer(uintptr(unsafe.Pointer(&space[0])) + 64))\n"
    source = _TEST.format(package="p", body=body).replace('import "testing"', 'import (\n\t"testing"\n\t"unsafe"\n)')
    source += "\nvar keep *int64\nvar space = make([]byte, 8)\n"
    write(tmp_path, {"go.mod": "module example.test/p\n\ngo 1.22\n", "x_test.go": source})
    # Of this package alone: with --checkptr all of std is compiled, which takes a minute in an empty build cache.
    status, lines, said = run(tmp_path, "--", "-gcflags=-d=checkptr")
    assert status == 1, said
    assert lines[0].startswith(
        "x_test.go:11:1: checkptr: pointer arithmetic result points to invalid allocation; it ended"
    )


def test_interrupted_it_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"go.mod": "module example.test/i\n\ngo 1.22\n"})
    body = "\tsignal.Ignore(syscall.SIGTERM)\n"
    body += '\tos.WriteFile("pid", []byte(strconv.Itoa(os.Getpid())), 0o600)\n\tselect {}\n'
    imports = 'import (\n\t"os"\n\t"os/signal"\n\t"strconv"\n\t"syscall"\n\t"testing"\n)'
    write(tmp_path, {"x_test.go": _TEST.format(package="i", body=body).replace('import "testing"', imports)})
    rest = tmp_path / "tmp"
    rest.mkdir()
    process = subprocess.Popen(
        [WHYHEAP, "test"],
        cwd=tmp_path,
        env=environment(TMPDIR=str(rest)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    )
    pid = next(text for text in appearing(tmp_path / "pid") if text)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert list(rest.iterdir()) == []
    assert any(has_ended(int(pid)) for _ in waiting())


def appearing(file: Path) -> Iterator[str]:
    for _ in waiting():
        yield file.read_text() if file.is_file() else ""


def waiting() -> Iterator[None]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


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
    assert re.match(r"net/http/transport\.go:\d+:2: leak: 1 goroutine started here ", leak)
    assert leak.endswith("first seen after TestGet (forgotten/x_test.go:20)")
    idle = [line for line in lines if "idle connections of an HTTP client" in line]
    assert [line.split()[1] for line in idle] == ["example.test/c/first:", "example.test/c/idle:"]
    assert sum("started by what ran before the tests (TestMain, init) not judged" in line for line in lines) == 3
