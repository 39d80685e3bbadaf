"""A census of live Go programs against what they say of themselves, stripped and not; and of what is none."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

import toolchains
from collect.census_target import Target, build, running
from whyheap.collect.census import Census
from whyheap.collect.process_image import open_image
from whyheap.errors import TargetError
from whyheap.host.process_memory import UnreadableAddressError
from whyheap.model.gauge_units import RUNTIME

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc"),
]
LARGEST_SHARE = 0.005
STRIPPED = ("-trimpath", "-ldflags=-s -w")
NOBODY = 65534


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of our own, and the tests' Go where a stripped program's layout is learnt."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHYHEAP_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("newest"), toolchains.newest())


@pytest.fixture
def census(program: Path, cache: Path) -> Iterator[tuple[Target, Census]]:
    assert cache.is_dir()
    with running(program, "-heap", "8") as target:
        opened = Census.open(target.pid)
        yield target, opened
        opened.close()


def differences(target: Target, census: Census) -> dict[str, float]:
    """Return by what share the numbers differ, where they do; again when the program collected between the two."""
    found: dict[str, float] = {}
    for _ in range(4):
        ours, theirs = census.read(), target.told()
        assert set(theirs) <= set(ours) <= set(RUNTIME)
        shares = {name: abs(ours[name] - value) / max(abs(value), 1e-9) for name, value in theirs.items()}
        found = {name: share for name, share in shares.items() if share > LARGEST_SHARE}
        if not found:
            return found
    return found


@pytest.mark.parametrize(
    ("version", "flags", "arguments"),
    [
        (toolchains.newest(), (), ("-limit", "60000000")),
        (toolchains.newest(), (*STRIPPED, "-buildmode=pie"), ()),
        (toolchains.oldest(), (), ()),
        (toolchains.oldest(), STRIPPED, ("-limit", "60000000")),
    ],
    ids=["newest", "newest, PIE without symbols", "oldest", "oldest without symbols"],
)
def test_all_numbers_are_those_that_the_program_tells(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    flags: tuple[str, ...],
    arguments: tuple[str, ...],
) -> None:
    assert cache.is_dir()
    monkeypatch.setenv("PATH", toolchains.environment(version)["PATH"])
    with running(build(tmp_path, version, *flags), *arguments) as target:
        census = Census.open(target.pid)
        assert differences(target, census) == {}
        assert census.gaps == ()
        assert census.go == f"go{version}"
        spans, values = census.spans(), census.read()
        assert abs(spans.heap_alloc - values["heap_alloc"]) <= LARGEST_SHARE * values["heap_alloc"]
        assert abs(spans.heap_inuse - values["heap_inuse"]) <= LARGEST_SHARE * values["heap_inuse"]
        assert abs(spans.stack_bytes - values["stack_inuse"]) <= 0.1 * values["stack_inuse"]
        assert values["timers"] >= 90
        told, values = target.told(), census.read()
        for name in (
            "last_gc",
            "previous_gc",
            "earlier_gc",
        ):  # a share of 1970 until now hides much
            assert values.get(name) == pytest.approx(told[name], abs=1e-5) if name in told else name not in values
        assert ("memory_limit" in values) == bool(arguments)


def test_what_was_learnt_once_is_kept(program: Path, cache: Path) -> None:
    with running(program, "-heap", "1") as target:
        Census.open(target.pid).close()
        (kept,) = [file for file in (cache / "layouts").glob("program-*") if time.time() - file.stat().st_mtime < 60][
            -1:
        ]
        kept.write_bytes(b"damaged")
        census = Census.open(target.pid)
        assert census.read()["goroutines"] > 90


def test_arenas_hold_the_heap(census: tuple[Target, Census]) -> None:
    target, opened = census
    arenas = opened.arenas()
    assert sum(end - start for start, end in arenas) >= opened.read()["heap_sys"] // 2
    maps = Path(f"/proc/{target.pid}/maps").read_text()
    assert all(f"{start:x}-" in maps for start, _ in arenas)


def test_a_newer_go_is_told_and_what_it_has_no_more_is_counted_otherwise(census: tuple[Target, Census]) -> None:
    _, opened = census
    layout = opened.image.layout
    types = dict(layout.types)
    fields = {name: field for name, field in types["runtime.gcControllerState"].fields.items() if name != "totalFree"}
    types["runtime.gcControllerState"] = dataclasses.replace(types["runtime.gcControllerState"], fields=fields)
    newer = dataclasses.replace(opened.image, go="go1.99.1", layout=dataclasses.replace(layout, types=types), gaps=())
    known = opened.read()
    census_of_newer = Census(newer)
    values = census_of_newer.read()
    assert values["heap_alloc"] == pytest.approx(known["heap_alloc"], rel=LARGEST_SHARE)
    assert values["goroutines"] == known["goroutines"]
    reasons = " ".join(gap.reason for gap in census_of_newer.gaps)
    assert "go1.99.1 is newer" in reasons
    assert "totalFree" in reasons


def test_a_stripped_program_of_a_go_that_cannot_be_had_names_the_way_out(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.is_dir()
    built = build(tmp_path, toolchains.newest(), *STRIPPED)
    unknown = built.read_bytes().replace(f"go{toolchains.newest()}".encode(), b"go9.99.9")
    built.write_bytes(unknown)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("whyheap.host.toolchains._installers", lambda: iter(()))
    monkeypatch.setattr("whyheap.host.go.wheel_command", lambda: None)
    with running(built, "-heap", "1") as target, pytest.raises(TargetError, match="cannot be had") as caught:
        Census.open(target.pid)
    assert "-ldflags=-s -w" in caught.value.hint


def test_other_programs_are_no_go_programs() -> None:
    with pytest.raises(TargetError, match="cannot be read as a Go program"):
        open_image(os.getpid())


def test_32_bit_programs_are_named(tmp_path: Path) -> None:
    built = build(tmp_path, toolchains.newest(), GOARCH="386", CGO_ENABLED="0")
    try:
        with running(built, "-heap", "1") as target, pytest.raises(TargetError, match="32-bit"):
            Census.open(target.pid)
    except OSError:
        pytest.skip("this kernel runs no 32-bit programs")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_users_process_names_the_capability(program: Path) -> None:
    code = (
        "import os, sys\n"
        "from whyheap.collect.census import Census\n"
        "from whyheap.errors import TargetError\n"
        "os.setuid(int(sys.argv[2]))\n"  # last: our own files may be root's
        "try: Census.open(int(sys.argv[1]))\n"
        "except TargetError as error: print(error.message, error.hint)\n"
    )
    with running(program, "-heap", "1") as target:
        command = [sys.executable, "-c", code, str(target.pid), str(NOBODY)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "CAP_SYS_PTRACE" in done.stdout
    assert "belongs to user 0" in done.stdout


def test_a_process_that_ends_is_an_error_and_no_crash(program: Path, cache: Path) -> None:
    assert cache.is_dir()
    with running(program, "-heap", "1") as target:
        census = Census.open(target.pid)
    for read in (census.read, census.spans, census.arenas):
        with pytest.raises(TargetError, match="has ended"):
            read()


class Garbage:
    """Memory that answers anything: what is read of a process whose structures are damaged or hostile."""

    def __init__(self, pid: int, seed: int) -> None:
        self.pid = pid
        self._random = np.random.default_rng(seed)

    def read(self, _address: int, size: int) -> bytes:
        if size > 1 << 20 or self._random.random() < 0.1:
            raise UnreadableAddressError("nothing is there")
        if self._random.random() < 0.5:
            return bytes(size)
        return self._random.bytes(min(size, 1 << 16)).ljust(size, b"\xff")

    def read_many(self, ranges: Iterator[tuple[int, int]]) -> list[bytes | None]:
        return [self._random.bytes(size) if self._random.random() < 0.5 else bytes(size) for _, size in ranges]

    def read_words(
        self, addresses: NDArray[np.int64], offsets: list[int], _size: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        words = np.frombuffer(self._random.bytes(8 * len(offsets) * len(addresses)), np.uint64)
        return words.reshape(len(offsets), len(addresses)), np.ones(len(addresses), np.bool_)


def test_damaged_structures_give_numbers_or_an_error_in_bounded_time(census: tuple[Target, Census]) -> None:
    _, opened = census
    began = time.monotonic()
    for seed in range(6):
        image = dataclasses.replace(opened.image, memory=cast("Any", Garbage(opened.image.memory.pid, seed)))
        for read in (Census(image).read, Census(image).arenas):
            try:
                found = read()
            except TargetError:
                continue
            if isinstance(found, dict):
                assert all(-1 <= value < 2.0**63 for value in found.values())
    assert time.monotonic() - began < 60  # some 5 s on an idle machine


def test_a_busy_program_is_read_all_the_same(program: Path, cache: Path) -> None:
    assert cache.is_dir()
    with running(program, "-heap", "4", "-busy") as target:
        census = Census.open(target.pid)
        for _ in range(20):
            values = census.read()
            assert 0 < values["heap_alloc"] <= values["heap_inuse"] * 1.5
            assert values["num_gc"] >= 1
        assert values["heap_goal"] >= 3 << 20  # GOGC=80
