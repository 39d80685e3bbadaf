"""Goroutines of a process by equal stack and state, from their saved registers and stack memory.

A parked goroutine's program counter, stack and frame pointer stand in g.sched (runtime2.go gobuf); in a system call
g.syscallpc, syscallsp and, since Go 1.23, syscallbp. From there the chain of frame pointers leads to the callers:
amd64 and arm64 keep one in every frame that is not a leaf (runtime/stack.go, "frame layout"; fpTracebackPCs). A frame
without one hides one caller at most. What runs now has no saved registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyheap.collect.census_states import RawGoroutine, read_goroutines
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.model.facts import GoroutineGroup
from whyheap.model.site import Site, Stack

MOST_STACKS = 100_000
MOST_FRAMES = 100
_WORD = 8
_RUNNING = frozenset({"running", "runnable"})
_PREFIXES = ("runtime.", "internal/runtime/")
_NOT_SHOWN = "runtime.goexit"


@dataclass(slots=True)
class _Walk:
    """One goroutine whose stack is being walked: return addresses so far, and where the next frame pointer stands."""

    goroutine: RawGoroutine
    pcs: list[int]
    frame: int
    low: int
    high: int


def read_groups(image: RuntimeImage) -> tuple[int, tuple[GoroutineGroup, ...], int]:
    """Return how many goroutines the program has, groups of them (largest first), and how many of them were walked.

    Raises `TargetError` when the process has ended.
    """
    total, found = read_goroutines(image)
    users = [goroutine for goroutine in found if not goroutine.is_system][:MOST_STACKS]
    walks = [_begin(goroutine) for goroutine in users]
    _follow(image, walks)
    counts: dict[tuple[tuple[int, ...], str, int], int] = {}
    for walk in walks:
        key = (tuple(walk.pcs), walk.goroutine.state, walk.goroutine.created_at_pc)
        counts[key] = counts.get(key, 0) + 1
    pcs = sorted({pc for stack, _, created in counts for pc in (*stack, created) if pc})
    frames = dict(zip(pcs, image.functions.stacks([pc - 1 for pc in pcs]), strict=True))
    groups = _grouped(counts, frames)
    return total, groups, len(users)


def _begin(goroutine: RawGoroutine) -> _Walk:
    view = goroutine.view
    low, high = view.number("stack.lo"), view.number("stack.hi")
    pcs: list[int] = []
    frame = 0
    if goroutine.state == "syscall" and view.number("syscallsp"):
        pcs = [view.number("syscallpc")]
        frame = view.number("syscallbp") if view.has("syscallbp") else 0
    elif goroutine.state not in _RUNNING or goroutine.state == "runnable":
        pcs = [view.number("sched.pc") + 1]  # not a return address: the frames are looked up one byte before
        frame = view.number("sched.bp")
    return _Walk(goroutine, [pc for pc in pcs if pc > 1], frame, low, high)


def _follow(image: RuntimeImage, walks: Sequence[_Walk]) -> None:
    """Walk all stacks at once, a frame each round, so that thousands of them cost a few reads a round."""
    waiting = [walk for walk in walks if walk.pcs and walk.low < walk.frame < walk.high]
    for _ in range(MOST_FRAMES):
        if not waiting:
            return
        pairs = image.memory.read_many([(walk.frame, 2 * _WORD) for walk in waiting])
        going = []
        for walk, pair in zip(waiting, pairs, strict=True):
            if pair is None:
                continue
            above, back = int.from_bytes(pair[:_WORD], "little"), int.from_bytes(pair[_WORD:], "little")
            if not back:
                continue
            walk.pcs.append(back)
            if walk.frame < above < walk.high:
                walk.frame = above
                going.append(walk)
        waiting = going


def _grouped(
    counts: dict[tuple[tuple[int, ...], str, int], int], frames: dict[int, Stack]
) -> tuple[GoroutineGroup, ...]:
    """Merge what looks the same by frames; the runtime's frames at the leaf say what the state says already."""
    merged: dict[tuple[Stack, str, Site | None], int] = {}
    for (pcs, state, created), count in counts.items():
        stack = tuple(site for pc in pcs for site in frames.get(pc, ()) if site.symbol != _NOT_SHOWN)
        leaf = next((index for index, site in enumerate(stack) if not site.symbol.startswith(_PREFIXES)), 0)
        above = frames.get(created, ())
        key = (stack[leaf:], state, above[0] if above else None)
        merged[key] = merged.get(key, 0) + count
    groups = [GoroutineGroup(count, state, stack, created) for (stack, state, created), count in merged.items()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.state, group.stack)))
