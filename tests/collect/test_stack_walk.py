"""Walking stacks from frame to frame, on stacks that a test laid out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from host.sparse_process import SparseProcess
from whyheap.collect.census_states import GoroutineTable
from whyheap.collect.stack_walk import MOST_FRAMES, StackWalker
from whyheap.parse.machine_code.pc_values import Numbers
from whyheap.parse.machine_code.traceback_frames import Steps

LOW, HIGH = 0x10000, 0x18000
# By hundreds of addresses: bytes of frame (-1 = the top one), whether a signal called it.
FUNCTIONS = {1: (0x20, False), 2: (0x0, False), 3: (0x2000, False), 4: (0x30, True), 9: (-1, False)}


@dataclass
class Frames:
    """Functions that begin at each hundred; all others are not Go's."""

    functions: Mapping[int, tuple[int, bool]]
    base: int = 0

    @property
    def table(self) -> Frames:
        return self

    def steps(self, distances: Numbers) -> Steps:
        found = [(pc // 0x100, self.functions.get(pc // 0x100)) for pc in distances.tolist()]
        return Steps(
            np.array([-1 if known is None else known[0] for _, known in found], np.int64),
            np.array([-1 if known is None else number * 0x100 for number, known in found], np.int64),
            np.array([known is not None and known[1] for _, known in found]),
        )


def walk(process: SparseProcess, pc: int, pointer: int, *, link: int | None = None, high: int = HIGH) -> list[int]:
    columns = (0x5000, 1, 0, 4 << 8, 0, pc, pointer, link or 0, LOW, high)
    table = GoroutineTable(*(np.array([value], np.int64) for value in columns))
    frames = cast("Any", Frames(FUNCTIONS))
    walker = StackWalker(process.memory(), frames, has_link_register=link is not None)
    found = walker.walk(table, walker.snapshot(table))
    return [value for value in found[0].tolist() if value]


def test_each_frame_ends_at_its_return_address(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(LOW + 0x20, 0x250)  # of the first frame
    process.put(LOW + 0x28, 0x150)  # of a function without a frame of its own
    process.put(LOW + 0x30 + 0x20, 0x910)
    assert walk(process, 0x110, LOW) == [0x110, 0x250, 0x150, 0x910]


def test_frames_larger_than_what_is_read_at_once_are_crossed(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(LOW + 0x2000, 0x310)
    process.put(LOW + 0x2008 + 0x2000, 0x910)
    assert walk(process, 0x350, LOW) == [0x350, 0x310, 0x910]


def test_the_last_word_of_a_stack_is_read(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(HIGH - 8, 0x910)
    assert walk(process, 0x110, HIGH - 0x28) == [0x110, 0x910]


def test_a_goroutine_that_has_not_begun_is_told_at_its_entry(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(LOW, 0x910)
    assert walk(process, 0x200, LOW) == [0x201, 0x910]


def test_what_a_signal_interrupted_is_told_at_its_own_instruction(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(LOW + 0x30, 0x150)
    process.put(LOW + 0x38 + 0x20, 0x910)
    assert walk(process, 0x410, LOW) == [0x410, 0x151, 0x910]


def test_arm64_finds_return_addresses_at_the_stack_pointer_or_in_the_link_register(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(LOW, 0x350)
    process.put(LOW + 0x2000, 0x910)
    assert walk(process, 0x210, LOW, link=0x350) == [0x210, 0x350, 0x350, 0x910]
    assert walk(process, 0x350, LOW, link=0) == [0x350, 0x350, 0x910]


def test_arm64_restores_the_link_register_that_a_signal_saved(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(LOW, 0x250)  # what was interrupted, without a frame yet
    process.put(LOW + 0x30, 0x150)  # its link register, saved by the handler
    process.put(LOW + 0x40, 0x910)
    assert walk(process, 0x410, LOW, link=0) == [0x410, 0x251, 0x150, 0x910]


def test_a_stack_without_an_end_is_cut(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    for at in range(0x200):
        process.put(LOW + 8 * at, 0x250)
    assert walk(process, 0x250, LOW) == [0x250] * MOST_FRAMES


def test_what_lies_outside_of_the_stack_is_not_followed(tmp_path: Path) -> None:
    process = SparseProcess(tmp_path)
    process.put(HIGH, 0x910)
    assert walk(process, 0x110, HIGH - 0x20) == [0x110]
    assert walk(process, 0x110, 0x9000) == []
    assert walk(process, 0x110, LOW, high=LOW + 8) == []
    assert walk(process, 0x777, LOW) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from((0, 0x150, 0x250, 0x350, 0x450, 0x777, 1 << 62, (1 << 64) - 1)), max_size=64),
    st.sampled_from((0, LOW, HIGH - 8, 1 << 62, -8)),
    st.sampled_from((0x150, 0x250, 0x450, -1)),
    st.sampled_from((None, 0, 0x250, -1)),
)
def test_garbage_ends_a_walk(words: list[int], pointer: int, pc: int, link: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = SparseProcess(Path(folder))
        process.put(LOW, *words)
        assert len(walk(process, pc, pointer, link=link)) <= MOST_FRAMES
