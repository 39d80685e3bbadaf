"""Some scenario programs and each healthy one, run for real and side by side: the verdict is demanded.

The lab runs all of them (`whyheap lab causes`); here are as many as a test run has time for. Only the service is asked:
no source is scanned.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from toolchains import environment, go, newest, oldest
from whyheap.app.analyse import View, analyse
from whyheap.app.gather import WhyRequest, gather
from whyheap.model.report import Report

SCRIPT = Path(__file__).parents[2] / "scripts" / "record_runtime.py"
SECONDS = 12.0


def load_recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_runtime", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECORDER = load_recorder()
PROGRAMS: dict[str, Path] = RECORDER.programs()
HEALTHY = ("cache_eviction", "flat", "keeps_up", "sawtooth", "warm_up")
CHOSEN = {
    oldest(): ("gc_headroom.search_index", "goroutine_leak.late_answers", *HEALTHY),
    newest(): (
        "finalizer_backlog.stuck_finalizer",
        "gc_headroom.search_index",
        "goroutine_leak.late_answers",
        "inflight_pileup.semaphore",
        "timer_leak.lost_cancel",
        "unbounded_cache.page_sync_map",
        *HEALTHY,
    ),
}


def run(program: str, version: str, folder: Path) -> Report:
    """Build a program, observe it in its memory group, and judge."""
    binary = folder / program
    RECORDER.build(str(go(version)), PROGRAMS[program], binary)
    with contextlib.ExitStack() as stack:
        limit, group = RECORDER.limit_bytes(PROGRAMS[program]), None
        if limit:
            group = stack.enter_context(RECORDER.memory_group(limit))
        url = stack.enter_context(RECORDER.running(binary, RECORDER.arguments(PROGRAMS[program]), group))
        gathered = gather(WhyRequest((url,), folder, SECONDS))
        return analyse(gathered.capture, View(with_flame=False)).report


@pytest.mark.live
@pytest.mark.parametrize("version", [oldest(), newest()])
def test_the_right_cause_comes_first(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.access(RECORDER.MEMORY_GROUPS, os.W_OK):
        pytest.skip("no memory group may be made here")
    for name, value in environment(version).items():
        monkeypatch.setenv(name, value)
    with ThreadPoolExecutor(len(CHOSEN[version])) as pool:
        running = {program: pool.submit(run, program, version, tmp_path) for program in CHOSEN[version]}
        reports = {program: future.result() for program, future in running.items()}
    for program, report in reports.items():
        if report.verdict is None:  # it says that the machine was too busy to tell: alone, it has to
            reports[program] = run(program, version, tmp_path)
    found = {
        program: [cause.cause for cause in report.verdict.causes] if report.verdict else report.gaps
        for program, report in reports.items()
    }
    wrong = {program: causes for program, causes in found.items() if list(causes[:1]) not in accepted(program)}
    assert not wrong


def accepted(program: str) -> list[list[str]]:
    """Return what may be found first: a healthy program's nothing, or its cause and what its `//lab:or` lines allow."""
    if program in HEALTHY:
        return [[]]
    others = RECORDER.directives(PROGRAMS[program]).get("or", [])
    return [[cause] for cause in (program.partition(".")[0].replace("_", "-"), *others)]
