"""What is read from a process's memory, held against what the process says itself at the same moment."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from urllib.request import urlopen

import pytest

from toolchains import environment, go, newest, oldest
from whyheap.collect.census import Census
from whyheap.model.facts import GoroutineGroup
from whyheap.model.profile import HeapProfile
from whyheap.parse.goroutine_names import parse_frame_names
from whyheap.parse.goroutine_text import parse_goroutines
from whyheap.parse.pprof import parse_profile
from whyheap.parse.source_path import spell_foreign

pytestmark = pytest.mark.live
PROGRAM = Path(__file__).resolve().parents[1] / "collect" / "profile_program"
VALUES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
PARKED = 7  # goroutines of each kind in the program

Line = tuple[str, str, int, int]
Row = tuple[tuple[tuple[int, tuple[Line, ...]], ...], int, tuple[int, ...]]


def build(version: str, folder: Path, *flags: str) -> Path:
    """Return the program, built with a Go."""
    binary = folder / "program"
    command = [str(go(version)), "build", *flags, "-o", str(binary), "."]
    subprocess.run(command, cwd=PROGRAM, env=environment(version), check=True, timeout=300)
    return binary


@contextmanager
def running(binary: Path, version: str, **changes: str) -> Iterator[tuple[int, str]]:
    """Run the program until the block ends; yield its process and its address."""
    env = environment(version, **changes)
    with subprocess.Popen([binary], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.pid, cast("IO[str]", process.stdout).readline().strip()
        finally:
            process.kill()


def fetch(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:  # noqa: S310 - our own program on loopback
        return cast("bytes", answer.read())


def rows(profile: HeapProfile) -> Counter[Row]:
    """Return each bucket with all that a profile says of it: addresses, lines, object size, values."""
    functions = list(zip(profile.function_names, profile.function_files, profile.function_start_lines, strict=True))
    locations = []
    for at, address in enumerate(profile.addresses):
        span = range(profile.line_offsets[at], profile.line_offsets[at + 1])
        lines = tuple((*functions[profile.line_functions[one]], profile.line_numbers[one]) for one in span)
        locations.append((address, lines))
    found: Counter[Row] = Counter()
    for at in range(len(profile)):
        stack = profile.stack_locations[profile.stack_offsets[at] : profile.stack_offsets[at + 1]]
        values = tuple(profile.values[name][at] for name in VALUES)
        found[tuple(locations[one] for one in stack), profile.object_bytes[at], values] += 1
    return found


def counted(groups: tuple[GoroutineGroup, ...]) -> Counter[tuple[str, tuple[object, ...]]]:
    found: Counter[tuple[str, tuple[object, ...]]] = Counter()
    for group in groups:
        if group.count >= PARKED:  # fewer are those that serve our own questions
            found[group.state, group.stack] += group.count
    return found


@pytest.mark.parametrize(("version", "flags"), [(newest(), ()), (oldest(), ("-trimpath", "-ldflags=-s -w"))])
def test_memory_tells_what_the_program_tells_itself(
    version: str, flags: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", environment(version)["PATH"])  # a stripped program needs the Go that built it
    with running(build(version, tmp_path, *flags), version) as (pid, url):
        census = Census.open(pid)
        before = census.heap_profile()
        total, groups = census.goroutines()
        told = parse_profile(fetch(f"{url}/debug/pprof/heap"))
        text = fetch(f"{url}/debug/pprof/goroutine?debug=1").decode()
        names = parse_frame_names(fetch(f"{url}/debug/pprof/goroutine"))
        census.close()
    assert before is not None
    read = parse_profile(before)
    here, there = rows(read), rows(told)
    assert len(read) > 150
    assert not here - there
    assert not [row for row in there - here if any(row[2])]  # what answering us allocated is not published yet
    assert (read.period, read.values.keys()) == (told.period, told.values.keys())
    assert [one.build_id for one in read.mappings][:1] == [one.build_id for one in told.mappings][:1]
    assert [(one.start, one.limit, one.file) for one in read.mappings] == [
        (one.start, one.limit, one.file) for one in told.mappings
    ]
    assert counted(groups) == counted(parse_goroutines(text, names, spell_foreign))
    assert total == sum(group.count for group in groups)
    started = {group.created_by.symbol for group in groups if group.created_by}
    assert {"main.park", "main.main"} <= started
    assert not census.gaps


def test_a_program_that_samples_nothing_has_no_profile_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    binary = build(newest(), tmp_path)
    with running(binary, newest(), GODEBUG="memprofilerate=0") as (pid, _):
        census = Census.open(pid)
        assert census.heap_profile() is None
        census.close()
    assert [gap.hint.split()[0] for gap in census.gaps] == ["Import"]
