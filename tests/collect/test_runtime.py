from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from whyheap.collect.local_process import find_local_process
from whyheap.collect.runtime import collect_runtime, sample_runtime
from whyheap.collect.runtime_sample import samples_from_gauges, values_from_memstats
from whyheap.collect.series import LEAST_SAMPLES
from whyheap.errors import TargetError
from whyheap.model.gauge_units import UNITS

MEMSTATS = """\
heap profile: 0: 0 [0: 0] @ heap/1048576

# runtime.MemStats
# Sys = 8345864
# HeapAlloc = {heap}
# Stack = 360448 / 360448
# MSpan = 34080 / 48960
# NextGC = 4194304
# LastGC = 1700000000000000000
# NumGC = 3
# GCCPUFraction = 0.01
"""
STACKS = "goroutine profile: total 12\n12 @ 0x11 0x21\n#\t0x20\tmain.f+0x1\t/src/main.go:4\n\n"
REMOTE = "http://192.0.2.1:6060"


class Service:
    """Answers as a Go service does, and notes what it was asked."""

    def __init__(self, **answers: str | None) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, str | None] = {
            "/debug/pprof/heap?debug=1": MEMSTATS,
            "/debug/pprof/goroutine?debug=1": STACKS,
        }
        self.answers |= answers
        self.dies_after = 10**9

    def fetch(self, path: str, timeout_seconds: float) -> bytes:
        assert timeout_seconds > 0
        self.asked.append(path)
        body = self.answers.get(path)
        if body is None or len(self.asked) > self.dies_after:
            raise TargetError(f"{path} answers with status 404.")
        return body.replace("{heap}", str(len(self.asked) << 20)).encode()


def test_one_moment() -> None:
    series = sample_runtime(REMOTE, Service().fetch)
    (sample,) = series.samples
    assert sample.values["heap_goal"] == 4194304
    assert sample.values["goroutines"] == 12
    assert sample.values["last_gc"] == 1.7e9
    assert sample.goroutines[0].count == 12
    assert {gauge.unit for gauge in sample.gauges} <= {"bytes", "count", "seconds", "share"}
    assert any("another machine" in gap.reason for gap in series.gaps)
    assert any("GOGC" in gap.reason for gap in series.gaps)


def test_a_window_has_enough_samples_and_never_disturbs() -> None:
    service = Service()
    series = collect_runtime(REMOTE, service.fetch, 0.2)
    assert len(series.samples) >= LEAST_SAMPLES
    assert series.samples[0].goroutines
    assert series.samples[-1].goroutines
    assert 0.1 < series.seconds < 1
    for path in service.asked:
        assert not any(word in path for word in ("gc=1", "debug=2", "goroutineleak"))


def test_stopping_keeps_what_was_gathered() -> None:
    stop = threading.Event()
    begun = time.monotonic()
    series = collect_runtime(REMOTE, Service().fetch, 60, stop=stop, on_sample=lambda _: stop.set())
    assert len(series.samples) == 1
    assert time.monotonic() - begun < 1


def test_a_service_that_dies_leaves_a_series_and_a_gap() -> None:
    service = Service()
    service.dies_after = 8
    series = collect_runtime(REMOTE, service.fetch, 0.2)
    assert series.samples
    assert any("stopped answering" in gap.reason for gap in series.gaps)


def test_a_service_without_pprof_is_an_error() -> None:
    with pytest.raises(TargetError):
        sample_runtime(
            REMOTE, Service(**{"/debug/pprof/heap?debug=1": None, "/debug/pprof/goroutine?debug=1": None}).fetch
        )


def test_a_page_in_place_of_the_profile_is_refused() -> None:
    pages = {"/debug/pprof/heap?debug=1": "<html>", "/debug/pprof/goroutine?debug=1": "<html>"}
    with pytest.raises(TargetError, match=r"no runtime\.MemStats"):
        sample_runtime(REMOTE, Service(**pages).fetch)


def test_goroutines_alone_are_still_a_sample() -> None:
    series = sample_runtime(REMOTE, Service(**{"/debug/pprof/heap?debug=1": None}).fetch)
    assert series.samples[0].values["goroutines"] == 12
    assert any("numbers could not be read" in gap.reason for gap in series.gaps)


def test_expvar_stands_in_for_the_heap_profile() -> None:
    answers: dict[str, str | None] = {
        "/debug/pprof/heap?debug=1": None,
        "/debug/vars": '{"memstats": {"HeapAlloc": 7, "NextGC": 9}}',
    }
    (sample,) = sample_runtime(REMOTE, Service(**answers).fetch).samples
    assert (sample.values["heap_alloc"], sample.values["heap_goal"]) == (7, 9)


def test_metrics_tell_the_tuning_but_no_changing_number() -> None:
    text = "go_gc_gogc_percent 50\ngo_gc_gomemlimit_bytes 1e9\ngo_goroutines 99999\n"
    series = sample_runtime(REMOTE, Service(**{"/metrics": text}).fetch)
    values = series.samples[0].values
    assert (values["gogc"], values["memory_limit"], values["goroutines"]) == (50, 1e9, 12)
    assert not any("GOGC" in gap.reason for gap in series.gaps)


def test_no_goal_is_left_out() -> None:
    assert "heap_goal" not in values_from_memstats({"HeapAlloc": 1.0, "NextGC": 2.0**64})


def test_samples_come_back_from_gauges() -> None:
    series = collect_runtime(REMOTE, Service().fetch, 0.1)
    stacks = {sample.at: sample.goroutines for sample in series.samples}
    assert samples_from_gauges(series.gauges, stacks) == series.samples
    assert {gauge.name for gauge in series.gauges} <= UNITS.keys()


def fail() -> bytes:
    raise TargetError("no command line")


@pytest.mark.parametrize(
    ("url", "command_line", "words"),
    [
        ("http://example.com:80", fail, "another machine"),
        ("http://127.0.0.1:1", fail, "no process"),
    ],
)
def test_a_process_that_cannot_be_told_is_a_gap(url: str, command_line: Callable[[], bytes], words: str) -> None:
    process, gaps = find_local_process(url, command_line)
    assert process is None
    assert words in gaps[0].reason


def test_a_system_without_proc_is_a_gap(tmp_path: Path) -> None:
    process, gaps = find_local_process("http://localhost:80", fail, tmp_path / "none")
    assert process is None
    assert "/proc" in gaps[0].reason
