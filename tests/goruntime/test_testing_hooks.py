"""Package testing is hooked at known lines, or not at all; and the tables about goroutines name real functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchains import go, versions
from whyheap.errors import ToolError
from whyheap.goruntime.harmless_goroutines import HARMLESS
from whyheap.goruntime.testing_hooks import FILES, HOOKS, hooked


def test_a_hook_stays_on_its_line() -> None:
    source = "package testing\n\nfunc (s *benchState) processBench(b *B) {\n\t\t\tr := b.doBench()\n}\n"
    lines = hooked("benchmark.go", source, "go1.27.3").splitlines()
    assert lines[3] == "\t\t\twhyheapBefore(); r := b.doBench(); whyheapBenchmark(b, r)"
    assert len(lines) == 5


@pytest.mark.parametrize("source", ["package testing\n", "\tr := b.doBench()\n\tr := b.doBench()\n"])
def test_an_unknown_package_testing_is_refused(source: str) -> None:
    with pytest.raises(ToolError, match=r"of go1\.99 is unknown: 'r := b\.doBench\(\)' stands [02] times"):
        hooked("benchmark.go", source, "go1.99")


def test_no_harmless_goroutine_without_its_reason() -> None:
    assert all(rule.reason and rule.functions for rule in HARMLESS)
    assert len({rule.name for rule in HARMLESS}) == len(HARMLESS)


@pytest.mark.live
@pytest.mark.parametrize("version", versions())
def test_every_supported_go_has_the_lines(version: str) -> None:
    package = go(version).parents[1] / "src" / "testing"
    for file in FILES:
        source = (package / file).read_text(encoding="utf-8")
        changed = hooked(file, source, version).splitlines()
        own = source.splitlines()
        differing = [number for number, line in enumerate(own) if line != changed[number]]
        wanted = sum(hook.file == file for hook in HOOKS) + (file == "example.go")  # and its imports
        assert len(differing) == wanted, (file, differing)


@pytest.mark.live
def test_what_is_harmless_is_in_some_go() -> None:
    places = {
        "net/http.(*http2clientConnReadLoop).run": ("net/http/h2_bundle.go", "func (rl *http2clientConnReadLoop) run("),
        "net/http/internal/http2.(*clientConnReadLoop).run": (
            "net/http/internal/http2/transport.go",
            "func (rl *clientConnReadLoop) run(",
        ),
        "net/http.(*persistConn).readLoop": ("net/http/transport.go", "func (pc *persistConn) readLoop("),
        "net/http.(*persistConn).writeLoop": ("net/http/transport.go", "func (pc *persistConn) writeLoop("),
        "bufio.(*Reader).Peek": ("bufio/bufio.go", "func (b *Reader) Peek("),
        "os/signal.loop": ("os/signal/signal_unix.go", "func loop("),
        "runtime.createfing": ("runtime/mfinal.go", "func createfing("),
        "runtime.(*cleanupQueue).createGs": ("runtime/mcleanup.go", "func (q *cleanupQueue) createGs("),
        "net.doBlockingWithCtx[...].func1": ("net/cgo_unix.go", "func doBlockingWithCtx["),
    }
    roots = [go(version).parents[1] / "src" for version in versions()]
    for rule in HARMLESS:
        for function in rule.functions:
            if not function.startswith("golang.org/"):
                file, line = places[function]
                assert any(_has(root / file, line) for root in roots), function


def _has(file: Path, text: str) -> bool:
    return file.is_file() and text in file.read_text(encoding="utf-8")
