"""Rates of allocation of a real leak are those that the process counts itself, though a profile lags behind."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from go_module import GO_MOD, write_files
from toolchains import environment, go, newest
from whyheap.app.analyse import View, analyse
from whyheap.app.gather import WhyRequest, gather

pytestmark = pytest.mark.live

SOURCE = """package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"time"
)

var kept [][]byte

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	for len(kept) < 160 { // never written: takes no memory
		kept = append(kept, make([]byte, 256<<10))
	}
	fmt.Println(listener.Addr())
	for ended := time.Now().Add(time.Minute); time.Now().Before(ended); time.Sleep(10 * time.Millisecond) {
		kept = append(kept, make([]byte, 256<<10))
	}
}
"""
SECONDS = 8.0
BEFORE_SECONDS = 4.2
"""Under GOGC=50 a heap of 40 MiB that grows 25 MiB/s is collected after 0.8, 2.0, 3.8, 6.5, 10.6 and 16.7 seconds."""


def test_the_rate_is_that_of_the_time_which_the_profiles_show(tmp_path: Path) -> None:
    version = newest()
    write_files(tmp_path, {"go.mod": GO_MOD, "main.go": SOURCE})
    env = environment(version)
    subprocess.run([go(version), "build", "-o", "leak", "."], cwd=tmp_path, env=env, check=True, timeout=300)
    leak = subprocess.Popen([tmp_path / "leak"], stdout=subprocess.PIPE, text=True, env=env | {"GOGC": "50"})
    try:
        assert leak.stdout is not None
        url = f"http://{leak.stdout.readline().strip()}"
        time.sleep(BEFORE_SECONDS)
        report = analyse(gather(WhyRequest((url,), tmp_path, SECONDS)).capture, View()).report
    finally:
        leak.kill()
        leak.communicate()
    counted = [gauge.value for gauge in report.gauges if gauge.name == "total_alloc"]
    moments = [gauge.value for gauge in report.gauges if gauge.name == "seconds"]
    rate = (counted[-1] - counted[0]) / (moments[-1] - moments[0])
    totals = report.totals
    assert totals.profile is not None
    assert totals.window_seconds == pytest.approx(SECONDS, abs=2)
    assert totals.alloc_window_seconds
    assert totals.alloc_window_seconds != totals.window_seconds
    assert totals.profile.alloc_bytes / totals.alloc_window_seconds == pytest.approx(rate, rel=0.2)
    assert not totals.is_rate_least
