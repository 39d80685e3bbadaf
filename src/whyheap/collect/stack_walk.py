"""Walks the stacks of many goroutines at once, from frame to frame, as src/runtime/traceback.go does (1.22 to 1.27).

amd64: a function's frame ends where its caller left the return address; the next one begins behind it. arm64: the
return address stands at the stack pointer, or in the link register of a function that made no frame yet; below a
function that a signal interrupted the handler saved that register (unwinder.next, "link register architectures").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyheap.collect.call_frames import CallFrames
from whyheap.collect.census_states import GoroutineTable
from whyheap.errors import FormatError
from whyheap.host.process_memory import ProcessMemory
from whyheap.parse.machine_code.pc_values import Numbers

MOST_FRAMES = 128  # runtime/extern.go, profstackdepth's default
WINDOW_BYTES = 1024
_WORD = 8
_LEAST_STACK_BYTES = 2048  # stack.go stackMin
_MOST_STACK_BYTES = 1 << 32
_SIGNAL_FRAME_BYTES = 16  # alignUp(MinFrameSize, StackAlign) on arm64
_MOST_KEPT = 1 << 17


class StackWalker:
    """Walks stacks of one process; how to leave a frame is looked up once for each program counter."""

    def __init__(self, memory: ProcessMemory, frames: CallFrames, *, has_link_register: bool) -> None:
        """Read with `memory`; `has_link_register` as arm64 has one."""
        self._memory = memory
        self._frames = frames
        self._has_link = has_link_register
        self._steps: dict[int, tuple[int, int, bool]] = {}

    def snapshot(self, table: GoroutineTable) -> StackBytes:
        """Read the leaf ends of stacks at once, to be walked later: the shorter this takes, the fewer have moved."""
        return StackBytes.read(self._memory, table)

    def walk(self, table: GoroutineTable, stacks: StackBytes) -> Numbers:
        """Return return addresses, leaf first, shape (goroutines, frames), 0 behind each stack's end.

        The place of a goroutine that has not called, but was interrupted or has not begun, is told as if it had: one
        byte more. What is no stack of Go's ends early.
        """
        count = len(table)
        pcs, pointers, links = table.pcs.copy(), table.stack_pointers.copy(), table.links.copy()
        active = np.flatnonzero(stacks.is_sound)
        was_interrupted = np.zeros(count, np.bool_)
        rounds: list[Numbers] = []
        while len(active) and len(rounds) < MOST_FRAMES:
            sizes, entries, injects = self._look_up(pcs[active])
            is_go = entries >= 0
            active, sizes, entries, injects = active[is_go], sizes[is_go], entries[is_go], injects[is_go]
            called = ~was_interrupted[active] & (pcs[active] > entries)
            column = np.zeros(count, np.int64)
            column[active] = pcs[active] + ~called
            rounds.append(column)
            active, sizes, injects = active[sizes >= 0], sizes[sizes >= 0], injects[sizes >= 0]
            back, above, is_read = self._leave(stacks, active, pointers[active], sizes, links)
            links[active] = 0
            pcs[active], was_interrupted[active], pointers[active] = back, injects, above
            active = active[is_read & (back != 0)]
            if self._has_link and injects.any():
                active = self._restore_links(stacks, active[was_interrupted[active]], active, pcs, pointers, links)
        return np.stack(rounds, axis=1) if rounds else np.zeros((count, 0), np.int64)

    def _leave(
        self, stacks: StackBytes, which: Numbers, pointers: Numbers, sizes: Numbers, links: Numbers
    ) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
        """Return return addresses, the callers' stack pointers, and which of both are known."""
        if not self._has_link:
            words, is_read = stacks.words(which, pointers + sizes)
            return words, pointers + sizes + _WORD, is_read
        linked = (sizes == 0) & (links[which] != 0)
        words, is_read = stacks.words(which, pointers)
        is_stuck = (sizes == 0) & ~linked
        return np.where(linked, links[which], words), pointers + sizes, (is_read | linked) & ~is_stuck

    def _restore_links(
        self,
        stacks: StackBytes,
        which: Numbers,
        active: Numbers,
        pcs: Numbers,
        pointers: Numbers,
        links: Numbers,
    ) -> Numbers:
        saved, is_read = stacks.words(which, pointers[which])
        pointers[which] += _SIGNAL_FRAME_BYTES
        sizes, entries, _ = self._look_up(pcs[which])
        pcs[which] = np.where(entries < 0, saved, pcs[which])
        links[which] = np.where(sizes == 0, saved, 0)
        return np.setdiff1d(active, which[~is_read])

    def _look_up(self, pcs: Numbers) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
        """Return bytes of frame (-1 = the last one), entry of the function (-1 = not Go's), whether a signal calls."""
        distinct, which = np.unique(pcs, return_inverse=True)
        if len(self._steps) + len(distinct) > _MOST_KEPT:
            self._steps.clear()
        missing = [pc for pc in distinct.tolist() if pc not in self._steps]
        if missing:
            self._learn(missing)
        rows = [self._steps[pc] for pc in distinct.tolist()]
        columns = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
        injects = np.array([row[2] for row in rows], np.bool_)
        return columns[which, 0], columns[which, 1], injects[which]

    def _learn(self, pcs: list[int]) -> None:
        base = self._frames.base
        try:
            steps = self._frames.table.steps(np.array(pcs, np.int64) - base)
        except FormatError:  # damaged tables: stacks of one frame are better than no states
            self._steps.update(dict.fromkeys(pcs, (-1, 0, False)))
            return
        entries = np.where(steps.entries < 0, -1, steps.entries + base).tolist()
        found = zip(steps.frame_bytes.tolist(), entries, steps.injects.tolist(), strict=True)
        self._steps.update(zip(pcs, found, strict=True))


@dataclass(slots=True)
class StackBytes:
    """Pieces of the stacks of goroutines, a row each: most are walked within the first, read at once for all.

    `is_sound` tells which have a stack that can be walked, `read_late` those that more was read of afterwards.
    `starts` are the addresses of the pieces, -1 where none could be read.
    """

    memory: ProcessMemory
    lows: Numbers
    highs: Numbers
    is_sound: NDArray[np.bool_]
    starts: Numbers
    pieces: NDArray[np.uint8]
    read_late: NDArray[np.bool_]

    @classmethod
    def read(cls, memory: ProcessMemory, table: GoroutineTable) -> StackBytes:
        """Read the first pieces, from the stack pointers on."""
        lows, highs, pointers = table.lows, table.highs, table.stack_pointers
        size = highs - lows
        is_sound = (size >= _LEAST_STACK_BYTES) & (size <= _MOST_STACK_BYTES) & (lows > 0) & (table.pcs != 0)
        is_sound &= (pointers >= lows) & (pointers < highs)
        count = len(table)
        starts, pieces = np.full(count, -1, np.int64), np.zeros((count, WINDOW_BYTES), np.uint8)
        found = cls(memory, lows, highs, is_sound, starts, pieces, np.zeros(count, np.bool_))
        found.refill(np.flatnonzero(is_sound), pointers[is_sound])
        return found

    def rows(self, which: NDArray[np.bool_]) -> StackBytes:
        """Return those of some goroutines."""
        return StackBytes(
            self.memory,
            self.lows[which],
            self.highs[which],
            self.is_sound[which],
            self.starts[which],
            self.pieces[which],
            self.read_late[which],
        )

    def words(self, which: Numbers, addresses: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return a word of each stack `which`, and whether it lies in that stack and could be read."""
        is_inside = (addresses >= self.lows[which]) & (addresses <= self.highs[which] - _WORD)
        starts = self.starts[which]
        is_missing = is_inside & ((starts < 0) | (addresses < starts) | (addresses > starts + WINDOW_BYTES - _WORD))
        self.read_late[which[is_missing]] = True
        self.refill(which[is_missing], addresses[is_missing])
        starts = self.starts[which]
        offsets = addresses - starts
        is_inside &= (starts >= 0) & (offsets >= 0) & (offsets <= WINDOW_BYTES - _WORD)
        offsets = np.where(is_inside, offsets, 0)
        octets = self.pieces[which[:, None], offsets[:, None] + np.arange(_WORD)]
        return np.where(is_inside, octets.copy().view(np.int64).reshape(-1), 0), is_inside

    def refill(self, which: Numbers, addresses: Numbers) -> None:
        """Read the pieces of some stacks from these addresses on."""
        if not len(which):
            return
        starts = np.minimum(addresses, self.highs[which] - WINDOW_BYTES)
        order = np.argsort(starts)
        records, is_known = self.memory.read_records(starts[order], WINDOW_BYTES)
        self.starts[which[order]] = np.where(is_known, starts[order], -1)
        self.pieces[which[order]] = records
