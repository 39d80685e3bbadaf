"""Heap dumps of each supported Go are read, hostile ones refused, and what only some goroutines hold is counted."""

from __future__ import annotations

import gzip
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolchains import ROOT, versions
from whyheap.errors import FormatError
from whyheap.model.heap_dump import HeapDump
from whyheap.parse.heap_dump import parse_heap_dump
from whyheap.parse.heap_dump_records import HEADER
from whyheap.parse.heap_reach import Retained, retained_by

RECORDED = ROOT / "tests" / "recorded" / "heap_dumps"
BASE = 0xC000000000
SLOT = 64
G = 0x1000


@cache
def recorded(version: str) -> bytes:
    return gzip.decompress((RECORDED / f"{version}.gz").read_bytes())


def held_by(dump: HeapDump) -> dict[str, Retained]:
    groups: dict[str, list[int]] = {}
    for one in dump.goroutines:
        names = [frame.function for frame in one.frames if frame.function.startswith("main.hold")]
        if names:
            groups.setdefault(names[0].removeprefix("main."), []).append(one.number)
    return retained_by(dump, groups)


@pytest.mark.parametrize("version", versions())
def test_what_goroutines_hold_is_told_to_the_byte(version: str) -> None:
    dump = parse_heap_dump(recorded(version))
    assert (dump.go, dump.architecture) == (f"go{version}", "amd64")
    held = held_by(dump)
    waits = 96 + 128  # a channel, and what the runtime notes of one that waits
    assert 1 << 20 <= held["holdBuffer"].bytes <= (1 << 20) + waits
    assert held["holdBuffer"].largest_frame == "main.holdBuffer"
    assert held["holdList"].objects == 1000 + 4  # two channels
    assert 24_000 <= held["holdList"].bytes <= 24_000 + 2 * waits
    assert held["holdOnStack"].objects == 4 + 2  # found though their array is in no map of pointers
    assert 32 << 10 <= held["holdInner"].bytes <= (32 << 10) + waits
    for name in ("holdShared", "holdSharedToo"):
        assert 16 << 10 <= held[name].bytes <= (16 << 10) + waits
        assert (held[name].shared_objects, held[name].shared_bytes) == (1, 64 << 10)
    assert all(one.stack_bytes >= 2048 and one.missing == 0 for one in held.values())


def test_leaks_that_are_one_share_nothing() -> None:
    dump = parse_heap_dump(recorded(versions()[-1]))
    numbers = [
        one.number for one in dump.goroutines if any("main.holdShared" in frame.function for frame in one.frames)
    ]
    held = retained_by(dump, {"both": [*numbers, 10**9]})["both"]
    assert 96 << 10 <= held.bytes < 97 << 10
    assert (held.shared_bytes, held.missing) == (0, 1)


def test_places_that_allocated_are_kept() -> None:
    dump = parse_heap_dump(recorded(versions()[0]))
    held = held_by(dump)["holdBuffer"]
    assert (held.allocated[0].function, held.allocated[0].file) == ("main.start", "example.test/held/main.go")


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def ints(*values: int) -> bytes:
    return b"".join(map(varint, values))


def memory(pointers: list[int], size: int) -> bytes:
    """Return a length and memory of that size that begins with pointers."""
    return varint(size) + b"".join(one.to_bytes(8, "little") for one in pointers).ljust(size, b"\0")


def fields(count: int) -> bytes:
    return b"".join(ints(1, 8 * number) for number in range(count)) + b"\0"


def made(edges: list[list[int]], roots: list[int], stacks: list[list[int]]) -> bytes:
    """Write a dump: object i points into the objects `edges[i]`, a global to `roots`, goroutine n to `stacks[n]`."""
    at = [BASE + number * SLOT for number in range(len(edges))]
    parts = [HEADER, ints(6, 0, 8, BASE, BASE), varint(5) + b"amd64", varint(8) + b"go1.27.3", varint(2)]
    for number, targets in enumerate(edges):
        pointers = [at[target] + 7 for target in targets]  # not to their beginnings
        parts += [ints(1, at[number]), memory(pointers, SLOT), fields(len(pointers))]
    for number, targets in enumerate(stacks):
        parts += [ints(4, G + number, 0x7000, number + 1, 0, 4, 0, 0, 0), varint(6) + b"select", ints(0, 0, 0, 0)]
        parts += [ints(5, 0x7000, 0, 0), memory([at[one] for one in targets], 8 * len(targets)), ints(1, 1, 1)]
        parts += [varint(6) + b"main.f", fields(len(targets))]
    parts += [ints(12, 0x5000), memory([at[one] for one in roots], 8 * len(roots)), fields(len(roots)), b"\0"]
    return b"".join(parts)


def reach(edges: list[list[int]], roots: list[int], blocked: set[int]) -> set[int]:
    seen: set[int] = set()
    todo = [one for one in roots if one not in blocked]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [target for target in edges[one] if target not in blocked]
    return seen


COUNT = 12
INDEX = st.integers(0, COUNT - 1)
GRAPH = st.lists(st.lists(INDEX, max_size=8), min_size=COUNT, max_size=COUNT)
SOME = st.lists(INDEX, max_size=4)


@given(GRAPH, SOME, SOME, SOME, SOME)
def test_held_is_what_a_collector_would_free(
    edges: list[list[int]], roots: list[int], first: list[int], second: list[int], other: list[int]
) -> None:
    dump = parse_heap_dump(made(edges, roots, [first, second, other]))
    held = retained_by(dump, {"first": [1], "second": [2]})
    kept = reach(edges, roots + other, set())
    of_first, of_second = reach(edges, first, kept), reach(edges, second, kept)
    assert held["first"].objects == len(of_first - of_second)
    assert held["first"].shared_objects == held["second"].shared_objects == len(of_first & of_second)
    assert held["second"].bytes == SLOT * len(of_second - of_first)


def test_a_long_list_and_a_wide_object_are_walked() -> None:
    edges: list[list[int]] = [[number + 1] for number in range(5000)] + [[]]
    dump = parse_heap_dump(made(edges, [], [[0]]))
    assert retained_by(dump, {0: [1]})[0].objects == 5001


SMALL = made([[1, 2], [2], [], [0]], [1], [[0, 3], [2]])


@given(st.integers(0, len(SMALL) - 1))
def test_a_dump_that_is_cut_is_refused(length: int) -> None:
    with pytest.raises(FormatError):
        parse_heap_dump(SMALL[:length])


def held_or_refused(data: bytes) -> None:
    try:
        dump = parse_heap_dump(data)
    except FormatError:
        return
    retained_by(dump, {one.number: [one.number] for one in dump.goroutines})


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=500)
def test_a_damaged_dump_is_refused_or_read(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, value in changes:
        data[place] = value
    held_or_refused(bytes(data))


@given(st.binary(max_size=300))
@example(ints(1, BASE, 1 << 63))
@example(ints(1, BASE, 8) + bytes(8) + ints(1, (1 << 64) - 4, 0, 0))
@example(ints(5, 0, 0, 0, 0))
@example(ints(12, 0, 1 << 40))
@example(ints(99))
def test_nothing_else_than_our_error(data: bytes) -> None:
    held_or_refused(HEADER + data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_real_dump_that_is_cut_is_refused(share: float) -> None:
    data = recorded(versions()[-1])
    with pytest.raises(FormatError, match="cut or damaged at byte"):
        parse_heap_dump(data[: int(len(data) * share)])


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_a_real_dump_that_is_damaged_is_refused_or_read(changes: list[tuple[float, int]]) -> None:
    data = bytearray(recorded(versions()[-1]))
    for place, value in changes:
        data[int(place * len(data))] = value
    held_or_refused(bytes(data))


def test_what_is_no_dump_is_named() -> None:
    with pytest.raises(FormatError, match="no heap dump of Go"):
        parse_heap_dump(b"go1.6 heap dump\n")
