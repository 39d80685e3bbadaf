"""Goroutines of a process by equal stack and state, from their saved registers and stack memory.

Where a goroutine parked stands in g.sched (runtime2.go gobuf), in a system call in g.syscallpc and syscallsp; what runs
has no saved registers. Stacks are told as /debug/pprof/goroutine?debug=1 tells them (runtime/pprof/pprof.go
printStackRecord): without the runtime's frames at the leaf, and without wrappers that the compiler wrote.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from whyheap.collect.call_frames import CallFrames
from whyheap.collect.census_states import Goroutines, GoroutineTable, state_name
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.collect.stack_walk import StackWalker
from whyheap.goruntime.runtime_layout import LEAKED
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site, Stack
from whyheap.parse.goroutine_text import state_of_frames
from whyheap.parse.machine_code.pc_values import Numbers

MOST_STACKS = 1 << 17
MOST_GROUPS = 20_000
READ_AGAIN_SECONDS = 1.0
_ATTEMPTS = 3
_AGAIN_AT_ONCE = 1 << 7
_RUNNING = 2 << 8
_PREFIXES = ("runtime.", "internal/runtime/")
_NOT_SHOWN = "runtime.goexit"
_LOCKS = ("sync.", "semacquire")

_Key = tuple[tuple[int, ...], int, int]
"""Return addresses, state, and the return address behind the go statement."""


class GoroutineCensus:
    """Groups of one process's goroutines; what addresses mean is kept from one read to the next."""

    def __init__(self, image: RuntimeImage, frames: CallFrames | None = None) -> None:
        """Nothing is read yet; `frames` may be shared."""
        self._reasons = image.layout.wait_reasons
        self._goroutines = Goroutines(image)
        self._read_again_until = 0.0
        self._frames = frames or CallFrames.of_program(image)
        has_link = image.program.image.arch == "arm64"
        self._walker = StackWalker(image.memory, self._frames, has_link_register=has_link)

    def read(self) -> tuple[int, tuple[GoroutineGroup, ...], int]:
        """Return how many goroutines the program has, groups of them (largest first), and how many are in groups.

        Raises `TargetError` when the process has ended, `LayoutError` as `Goroutines` does.
        """
        self._read_again_until = time.monotonic() + READ_AGAIN_SECONDS
        unwalked = 0
        counts: Counter[_Key] = Counter()
        for table in self._goroutines.batches():
            room = max(MOST_STACKS - counts.total(), 0)
            unwalked += max(len(table) - room, 0)
            for key, count in self._walked(table.rows(np.arange(min(len(table), room)))):
                counts[key] += count
        walked = counts.total()
        return walked + unwalked, self._grouped(counts), walked

    def _walked(self, table: GoroutineTable, attempts: int = _ATTEMPTS) -> Iterator[tuple[_Key, int]]:
        """Walk goroutines; those that ran meanwhile again, and what always runs counts as running."""
        if not attempts or (attempts < _ATTEMPTS and time.monotonic() > self._read_again_until):
            running = replace(table, states=np.full(len(table), _RUNNING))
            yield from _counted(running, np.zeros((len(table), 0), np.int64))
            return
        stacks = self._walker.snapshot(table)
        now = self._goroutines.read(table.addresses)
        is_same = table.is_same(now)
        again = now.rows(~np.isin(now.addresses, table.addresses[is_same]))
        table, stacks = table.rows(is_same), stacks.rows(is_same)
        walked = self._walker.walk(table, stacks)
        if stacks.read_late.any():
            now = self._goroutines.read(table.addresses[stacks.read_late])
            has_run = stacks.read_late & ~table.is_same(now)
            again = again.joined(now.rows(np.isin(now.addresses, table.addresses[has_run])))
            table, walked = table.rows(~has_run), walked[~has_run]
        yield from _counted(table, walked)
        for first in range(0, len(again), _AGAIN_AT_ONCE):  # few at once, so that fewer run meanwhile
            part = again.addresses[first : first + _AGAIN_AT_ONCE]
            yield from self._walked(self._goroutines.read(part), attempts - 1)

    def _grouped(self, counts: Mapping[_Key, int]) -> tuple[GoroutineGroup, ...]:
        """Merge what looks the same by frames."""
        largest = sorted(counts, key=lambda key: -counts[key])[:MOST_GROUPS]
        self._frames.learn({pc for stack, _, created in largest for pc in (*stack, created) if pc})
        merged: dict[tuple[Stack, str, Site | None], int] = {}
        for pcs, state, created in largest:
            stack = _shown(self._frames.stack(pcs))
            name = state_name(state, self._reasons)
            if name.startswith(_LOCKS):  # the word for one lock is also that of those built from it
                told = state_of_frames([site.symbol for site in stack])
                name = f"{told}{LEAKED if name.endswith(LEAKED) else ''}" if told else name
            key = (stack, name, self._frames.site(created) if created else None)
            merged[key] = merged.get(key, 0) + counts[pcs, state, created]
        groups = [GoroutineGroup(count, state, stack, created) for (stack, state, created), count in merged.items()]
        return tuple(sorted(groups, key=lambda group: (-group.count, group.state, group.stack)))


def _counted(table: GoroutineTable, stacks: Numbers) -> Iterator[tuple[_Key, int]]:
    """Yield each combination of stack, state and origin with how often it is there."""
    if not len(table):
        return
    rows = np.column_stack((table.states, table.created_at, stacks))
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    for (state, created, *pcs), count in zip(distinct.tolist(), counts.tolist(), strict=True):
        while pcs and not pcs[-1]:
            pcs.pop()
        yield (tuple(pcs), state, created), count


def _shown(stack: Stack) -> Stack:
    """Leave out the runtime's frames at the leaf, unless there are no others, and where every goroutine begins."""
    stack = tuple(site for site in stack if site.symbol != _NOT_SHOWN)
    leaf = next((index for index, site in enumerate(stack) if not site.symbol.startswith(_PREFIXES)), 0)
    return stack[leaf:]
