"""Two test programs are run in turns and compared; one that misbehaves is named, with its last words."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from whyheap.errors import TargetError, UsageError
from whyheap.model.benchmark import BenchmarkChange, Comparison
from whyheap.proof.benchmarks import check_options, compare


def program(folder: Path, name: str, *lines: str, rest: str = "") -> Path:
    """A stand-in for a test program: prints result lines and notes that it ran."""
    said = "\n".join(f"printf '{line}\\n'" for line in ("pkg: example.com/p", *lines))
    path = folder / name
    path.write_text(f'#!/bin/sh\necho {name} >> {folder}/order\necho "$@" >> {folder}/flags\n{said}\n{rest}\n')
    path.chmod(0o755)
    return path


def result(name: str, nanoseconds: str, size: int, count: int) -> str:
    return f"{name}\\t100\\t{nanoseconds} ns/op\\t{size} B/op\\t{count} allocs/op"


def by_unit(found: tuple[Comparison, ...], name: str) -> dict[str, Comparison]:
    return {one.unit: one for one in found if one.benchmark == name}


def test_allocations_come_first_and_time_is_information(tmp_path: Path) -> None:
    before = program(tmp_path, "a", result("BenchmarkX-2", "7", 64, 2), result("BenchmarkY-2", "7", 16, 1))
    after = program(tmp_path, "b", result("BenchmarkX-2", "7", 48, 2), result("BenchmarkZ-2", "7", 16, 1))
    found = compare(before, after, ".", 6, folder=tmp_path)
    assert [one.unit for one in found if one.benchmark == "BenchmarkX-2"] == ["allocs/op", "B/op", "ns/op"]
    assert {one.package for one in found} == {"example.com/p"}
    numbers = by_unit(found, "BenchmarkX-2")
    assert numbers["allocs/op"].change is numbers["ns/op"].change is BenchmarkChange.EQUAL
    size = numbers["B/op"]
    assert (size.change, size.ratio, size.is_information) == (BenchmarkChange.LESS, -0.25, False)
    assert size.p == pytest.approx(2 / 924)  # two of the ways to choose 6 of 12
    assert numbers["ns/op"].is_information
    assert by_unit(found, "BenchmarkY-2")["B/op"].change is BenchmarkChange.REMOVED
    assert by_unit(found, "BenchmarkZ-2")["B/op"].change is BenchmarkChange.ADDED


def test_rounds_are_in_turns_in_an_order_by_lot(tmp_path: Path) -> None:
    before, after = (program(tmp_path, name, result("BenchmarkX", "7", 1, 1)) for name in "ab")
    compare(before, after, "X/y z", 12, folder=tmp_path, benchtime="10x", lot=random.Random(3))  # noqa: S311
    order = (tmp_path / "order").read_text().split()
    rounds = ["".join(order[at : at + 2]) for at in range(0, 24, 2)]
    assert set(rounds) == {"ab", "ba"}
    flags = set((tmp_path / "flags").read_text().splitlines())
    assert flags == {"-test.run=^$ -test.bench=X/y z -test.benchmem -test.count=1 -test.benchtime=10x -test.timeout=0"}


def test_what_varies_by_chance_is_not_told_as_a_change(tmp_path: Path) -> None:
    varying = f'echo "BenchmarkX 100 7 ns/op $(($(wc -l < {tmp_path}/order) * 37 % 11)) B/op 1 allocs/op"'
    before, after = (program(tmp_path, name, rest=varying) for name in "ab")
    found = by_unit(compare(before, after, ".", 8, folder=tmp_path, lot=random.Random(1)), "BenchmarkX")  # noqa: S311
    assert found["B/op"].change is BenchmarkChange.UNSURE
    assert found["allocs/op"].change is BenchmarkChange.EQUAL


def test_nothing_matches(tmp_path: Path) -> None:
    before, after = (program(tmp_path, name) for name in "ab")
    assert compare(before, after, "None", 9, folder=tmp_path) == ()
    assert len((tmp_path / "order").read_text().split()) == 2  # one round says so


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (
            "echo '--- FAIL: BenchmarkBad-2'; echo '  x_test.go:3: no luck'; exit 1",
            r"BenchmarkBad-2 \(after\) failed.*no luck",
        ),
        ("printf 'BenchmarkDead-2 \\t'; kill -9 $$", r"BenchmarkDead-2 \(after\) was killed by signal 9"),
        (
            "echo 'panic: oh' >&2; echo 'example.com/p.BenchmarkQuick.func1(0x1)' >&2; exit 2",
            r"BenchmarkQuick \(after\) ended with status 2; its last lines: panic: oh \|",
        ),
        ("exit 4", r"a benchmark \(after\) ended with status 4"),
    ],
)
def test_one_that_fails_is_named_with_its_last_words(tmp_path: Path, rest: str, words: str) -> None:
    before, after = program(tmp_path, "a"), program(tmp_path, "b", rest=rest)
    with pytest.raises(TargetError, match=words):
        compare(before, after, folder=tmp_path)


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    stuck = program(tmp_path, "a", rest="printf 'BenchmarkStuck-2 \\t'; exec sleep 60")
    with pytest.raises(TargetError, match=r"BenchmarkStuck-2 \((before|after)\) did not end within 0.5 s"):
        compare(stuck, stuck, folder=tmp_path, seconds=0.5)


def test_what_was_not_understood_is_told(tmp_path: Path) -> None:
    before, after = (program(tmp_path, name, "BenchmarkX-2 100 NaN ns/op") for name in "ab")
    notes: list[str] = []
    compare(before, after, folder=tmp_path, rounds=2, note=notes.append)
    assert len(notes) == 1
    assert "2 lines" in notes[0] or "4 lines" in notes[0]


def test_a_bad_regex_is_a_usage_error(tmp_path: Path) -> None:
    bad = program(tmp_path, "a", rest="echo 'testing: invalid regexp for element 0 of -test.bench' >&2; exit 1")
    with pytest.raises(UsageError, match="no regular expression"):
        compare(bad, bad, "a(", folder=tmp_path)


@pytest.mark.parametrize(("rounds", "benchtime"), [(0, "1s"), (1001, "1s"), (5, "1"), (5, "0x"), (5, "-1s"), (5, "")])
def test_options_that_make_no_sense(rounds: int, benchtime: str) -> None:
    with pytest.raises(UsageError):
        check_options(rounds, benchtime)
