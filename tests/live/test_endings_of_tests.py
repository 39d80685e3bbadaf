"""`whyheap test` when tests fail, hang, break a pointer rule or are interrupted: told apart, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checked_tests import LEAK, MAIN, TEST, WHYHEAP, rows, run, write
from toolchains import environment

pytestmark = pytest.mark.live

BROKEN = {
    "go.mod": "module example.test/b\n\ngo 1.22\n",
    "failing/x_test.go": TEST.format(package="failing", body='\tt.Error("no")\n' + LEAK),
    "hang/x_test.go": TEST.format(package="hang", body="\tselect {}\n"),
    "nobuild/x_test.go": TEST.format(package="nobuild", body="\tmissing()\n"),
    "nomrun/x_test.go": MAIN.format(package="nomrun", imports='\t"os"\n\t"testing"\n', body="os.Exit(0)"),
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


def test_pointer_checks_point_at_the_line(tmp_path: Path) -> None:
    body = "\tkeep = (*int64)(unsafe.Pointer(uintptr(unsafe.Pointer(&space[0])) + 64))\n"
    source = TEST.format(package="p", body=body).replace('import "testing"', 'import (\n\t"testing"\n\t"unsafe"\n)')
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
    write(tmp_path, {"x_test.go": TEST.format(package="i", body=body).replace('import "testing"', imports)})
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
