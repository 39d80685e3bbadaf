"""Goroutines as the runtime keeps them, in memory that a test laid out: which count, in which state, and in groups."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.runtime_sample_layout import ALLGS, GOROUTINE, NoFunctions, image
from collect.test_stack_walk import FUNCTIONS, Frames
from host.sparse_process import SparseProcess
from whyheap.collect import census_goroutines
from whyheap.collect.census_goroutines import GoroutineCensus
from whyheap.collect.census_states import Goroutines, GoroutineTable, state_name
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.collect.stack_walk import StackBytes, StackWalker
from whyheap.model.site import Site
from whyheap.parse.machine_code.pc_values import Numbers

REASONS = ("", "GC assist marking", "chan receive (nil chan)", "semacquire")
RUNNABLE, RUNNING, SYSCALL, WAITING, DEAD, LEAKED, SCANNED = 1, 2, 3, 4, 6, 10, 0x1004
RECORD_BYTES = 104
TABLE, RECORDS, STACKS = 0x100000, 0x200000, 0x400000


class Spelled(Frames):
    """Frames whose names are their return addresses."""

    def learn(self, pcs: Iterable[int]) -> None:
        """Know all of them."""

    def stack(self, pcs: tuple[int, ...]) -> tuple[Site, ...]:
        return tuple(self.site(pc) for pc in pcs)

    def site(self, pc: int) -> Site:
        names = {0x150: ("runtime", "gopark"), 0x250: ("sync", "(*WaitGroup).Wait"), 0x910: ("runtime", "goexit")}
        package, function = names.get(pc, ("main", f"f{pc:x}"))
        return Site("main.go", pc, 0, function, package)


def put(process: SparseProcess, *goroutines: dict[str, int]) -> None:
    """Write goroutines; one that has a stack has it for itself."""
    process.put(TABLE, *(RECORDS + RECORD_BYTES * at for at in range(len(goroutines))))
    process.put(ALLGS, TABLE, len(goroutines), len(goroutines))
    for at, given_ in enumerate(goroutines):
        low = STACKS + 0x1000 * at
        values = {"goid": at + 10, "gopc": 0x510, "startpc": 0x500, **given_}
        fields = [values.get(name, 0) for name in GOROUTINE]
        process.put(RECORDS + RECORD_BYTES * at, low, low + 0x1000, low, values.get("pc", 0), *fields)


def census(runtime: RuntimeImage) -> GoroutineCensus:
    return GoroutineCensus(runtime, cast("Any", Spelled(FUNCTIONS)))


def test_dead_goroutines_and_those_of_the_runtime_do_not_count(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    runtime.__dict__["functions"] = NoFunctions({0x600: "runtime.bgsweep", 0x700: "runtime.main"})
    put(
        process,
        {"atomicstatus": WAITING, "startpc": 0x600},
        {"atomicstatus": WAITING, "startpc": 0x700},
        {"atomicstatus": DEAD},
        {"atomicstatus": 0},
        {"atomicstatus": RUNNABLE},
    )
    found = list(Goroutines(runtime).batches())
    assert [table.ids.tolist() for table in found] == [[11, 14]]


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (RUNNING << 8, "running"),
        (SYSCALL << 8, "syscall"),
        (WAITING << 8 | 2, "chan receive"),
        (WAITING << 8 | 3, "semacquire"),
        (LEAKED << 8 | 2, "chan receive (leaked)"),
        (WAITING << 8 | 200, "waiting"),
        (99 << 8, "state 99"),
    ],
)
def test_states_are_named_as_go_names_them(state: int, name: str) -> None:
    assert state_name(state, REASONS) == name


def test_equal_stacks_in_equal_states_are_one_group(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    parked = {"atomicstatus": WAITING, "waitreason": 2, "pc": 0x150}
    put(process, parked, parked, {**parked, "gopc": 0x520}, {**parked, "atomicstatus": SCANNED})
    for at in range(4):
        process.put(STACKS + 0x1000 * at + 0x20, 0x310)
        process.put(STACKS + 0x1000 * at + 0x28 + 0x2000, 0x910)
    total, groups, walked = census(runtime).read()
    assert (total, walked) == (4, 4)
    assert [(one.count, one.state, [site.function for site in one.stack]) for one in groups] == [
        (3, "chan receive", ["f310"]),
        (1, "chan receive", ["f310"]),
    ]
    assert [one.created_by.line for one in groups if one.created_by] == [0x510, 0x520]


def test_a_wait_for_a_semaphore_is_named_by_the_lock_built_on_it(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    waits = {"atomicstatus": WAITING, "waitreason": 3, "pc": 0x150}
    put(process, waits, {**waits, "atomicstatus": LEAKED})
    for at in range(2):
        process.put(STACKS + 0x1000 * at + 0x20, 0x250, 0x910)
    _, groups, _ = census(runtime).read()
    assert [(one.state, one.stack[0].function) for one in groups] == [
        ("sync.WaitGroup.Wait", "(*WaitGroup).Wait"),
        ("sync.WaitGroup.Wait (leaked)", "(*WaitGroup).Wait"),
    ]


def test_what_runs_has_no_stack_but_an_origin(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    put(process, {"atomicstatus": RUNNING, "pc": 0x150})
    _, groups, _ = census(runtime).read()
    assert [(one.state, one.stack) for one in groups] == [("running", ())]
    assert groups[0].created_by == Site("main.go", 0x510, 0, "f510", "main")


def test_a_call_into_the_kernel_is_walked_from_where_it_left_go(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    call = {"atomicstatus": SYSCALL, "syscallpc": 0x310, "syscallsp": STACKS + 0x100, "pc": 0x777}
    put(process, call)
    _, groups, _ = census(runtime).read()
    assert [(one.state, [site.function for site in one.stack]) for one in groups] == [("syscall", ["f310"])]


def test_main_was_begun_by_nobody(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    put(process, {"atomicstatus": WAITING, "goid": 1, "pc": 0x310})
    _, groups, _ = census(runtime).read()
    assert groups[0].created_by is None


def test_goroutines_that_move_while_they_are_read_count_as_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, runtime = image(tmp_path)
    put(process, {"atomicstatus": WAITING, "pc": 0x310})
    read, calls = Goroutines.read, iter(range(1, 100))

    def moving(self: Goroutines, addresses: Numbers) -> GoroutineTable:
        put(process, {"atomicstatus": WAITING, "pc": 0x300 + next(calls)})
        return read(self, addresses)

    monkeypatch.setattr(Goroutines, "read", moving)
    total, groups, walked = census(runtime).read()
    assert (total, walked, [(one.state, one.stack) for one in groups]) == (1, 1, [("running", ())])


def test_a_goroutine_that_ran_and_parked_in_the_same_place_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, runtime = image(tmp_path)
    put(process, {"atomicstatus": WAITING, "pc": 0x150})
    process.put(STACKS + 0x20, 0x777)  # what stands there while it runs
    snapshot, turns = StackWalker.snapshot, iter((1, 1, 1, 1))

    def parking(self: StackWalker, table: GoroutineTable) -> StackBytes:
        found = snapshot(self, table)
        put(process, {"atomicstatus": WAITING, "pc": 0x150, "trackingSeq": next(turns)})
        process.put(STACKS + 0x20, 0x250, 0x910)
        return found

    monkeypatch.setattr(StackWalker, "snapshot", parking)
    _, groups, _ = census(runtime).read()
    assert [[site.function for site in one.stack] for one in groups] == [["(*WaitGroup).Wait"]]


def test_only_so_many_stacks_are_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census_goroutines, "MOST_STACKS", 3)
    process, runtime = image(tmp_path)
    put(process, *[{"atomicstatus": WAITING, "pc": 0x310}] * 5)
    total, _, walked = census(runtime).read()
    assert (total, walked) == (5, 3)


def test_changes_are_told_goroutine_by_goroutine(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    goroutines = [{"atomicstatus": WAITING, "pc": 0x310 + at} for at in range(4)]
    put(process, *goroutines)
    before = next(Goroutines(runtime).batches())
    put(process, goroutines[0], {**goroutines[1], "pc": 0x399}, {**goroutines[2], "atomicstatus": DEAD}, goroutines[3])
    now = next(Goroutines(runtime).batches())
    assert before.is_same(now).tolist() == [True, False, False, True]
    assert before.is_same(before.rows(np.array([], np.int64))).tolist() == [False] * 4


WORDS = st.lists(st.sampled_from((0, 1, 4, 0x150, RECORDS, STACKS, 1 << 32, 1 << 63, (1 << 64) - 1)), max_size=60)


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
def test_garbage_is_read_without_a_crash(records: list[int], table: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        process, runtime = image(Path(folder))
        put(process, *[{}] * 5)
        process.put(RECORDS, *records)
        process.put(TABLE, *table)
        total, groups, _ = census(runtime).read()
        assert sum(one.count for one in groups) <= total <= 5
