"""The runtime's own leak detection, asked of a real service: what it proves is the verdict, what it lacks a Gap."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolchains import environment, go, newest, oldest
from whyheap.app.analyse import View, analyse
from whyheap.app.gather import WhyRequest, gather
from whyheap.collect.census import Census
from whyheap.errors import TargetError
from whyheap.host.limited_process import limited_process
from whyheap.model.report import Report

pytestmark = pytest.mark.live

PROGRAM = """\
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"sync"
	"time"
)

var kept = make(chan int)

func forgotten() {
	var lock sync.Mutex
	lock.Lock()
	go func() { lock.Lock() }()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	for range 40 {
		forgotten()
		go func() { <-kept }()
	}
	time.AfterFunc(time.Minute, func() { os.Exit(0) })
	time.Sleep(100 * time.Millisecond)
	fmt.Printf("http://%s\\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
"""


def judged(version: str, folder: Path, *, goroutineleak: bool) -> Report:
    (folder / "main.go").write_text(PROGRAM)
    (folder / "go.mod").write_text("module leaky\n\ngo 1.22\n")
    subprocess.run([go(version), "build", "-o", "leaky", "."], cwd=folder, env=environment(version), check=True)
    with limited_process([str(folder / "leaky")]) as service:
        gathered = gather(WhyRequest((service.line,), folder, 1.0, goroutineleak=goroutineleak))
    return analyse(gathered.capture, View(with_flame=False)).report


@pytest.mark.parametrize("by_census", [True, False])
def test_what_can_never_go_on_is_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_census: bool
) -> None:
    if not by_census:

        def refuse(_: int) -> Census:
            raise TargetError("no rights", "")

        monkeypatch.setattr(Census, "open", refuse)
    report = judged(newest(), tmp_path, goroutineleak=True)
    assert report.verdict is not None
    (cause,) = report.verdict.causes
    assert cause.cause == "goroutine-leak"
    assert "main.go:19 (sync.Mutex.Lock) for ever" in cause.summary
    found = next(one.text for one in cause.evidence if "can never go on" in one.text)
    assert int(found.partition("; ")[2].split()[0]) >= 30  # it is careful: not each is found each time
    assert any("made to collect" in event.text for event in report.events)


def test_unasked_it_is_not_looked_for(tmp_path: Path) -> None:
    report = judged(newest(), tmp_path, goroutineleak=False)
    assert report.verdict is None or report.verdict.causes == ()  # a second may be too short for one
    assert not any("made to collect" in event.text for event in report.events)


def test_a_go_without_it_leaves_a_gap(tmp_path: Path) -> None:
    report = judged(oldest(), tmp_path, goroutineleak=True)
    (gap,) = [gap for gap in report.gaps if "can never go on" in gap.reason]
    assert "404" in gap.reason
    assert "1.27" in gap.hint
