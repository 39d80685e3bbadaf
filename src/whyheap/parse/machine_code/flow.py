"""Control flow of one compiled function: its blocks, and on which of its paths each block lies.

Paths run from the entry to a normal exit: a return, a jump to another function, the end of a round of an endless loop.
What Go's compiler adds is no path: growing the stack (cmd/internal/obj/x86/obj6.go stacksplit, which calls
runtime.morestack and starts anew) and the return after a recovered panic (cmd/compile/internal/ssagen/ssa.go: a block
with runtime.deferreturn that nothing jumps to; up to 1.24 it follows a test of deferproc's result).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from whyheap.model.facts import CallPath
from whyheap.parse.machine_code.path_cuts import Edges, back_edges, cut_nodes, peeled, reachable, reversed_edges
from whyheap.parse.machine_code.transfer import Kind, Transfer

_RECOVERY: Final = "runtime.deferreturn"
DEFER_CALLS: Final = frozenset(
    {"runtime.deferproc", "runtime.deferprocStack", "runtime.deferprocat", "runtime.deferrangefunc"}
)
_NEAR_BYTES: Final = 12  # a test of deferproc's result follows the call at once
_MOST_GUESSED: Final = 1 << 20  # edges; a thousand switches of a thousand cases
_MOST_PEELED: Final = 1 << 26  # loops times blocks; beyond, no loop is looked into
_ENDS_BLOCK: Final = frozenset({Kind.BRANCH, Kind.JUMP, Kind.JUMP_TABLE, Kind.JUMP_INDIRECT, Kind.RETURN, Kind.TRAP})

JumpTargets = Callable[[Transfer], Sequence[int]]
"""Offsets that a jump table leads to, empty where the table cannot be read."""


@dataclass(slots=True)
class Graph:
    """Basic blocks in order of address. `exits` are blocks that end in a normal exit.

    `is_guessed` tells that a jump table was not readable and its targets were taken to be the blocks that nothing else
    leads to, `is_understood` that even such blocks were missing for none of its jumps.
    """

    starts: list[int]
    successors: Edges
    exits: set[int]
    tail_calls: list[Transfer] = field(default_factory=list)
    is_guessed: bool = False
    is_understood: bool = True

    def block_at(self, offset: int) -> int:
        """Return the index of the block that holds an instruction."""
        return bisect_right(self.starts, offset) - 1


def build(
    size: int,
    transfers: Sequence[Transfer],
    callees: Mapping[int, str],
    never_returns: Callable[[str], bool],
    jump_targets: JumpTargets = lambda _: (),
) -> Graph:
    """Cut a function of `size` bytes into blocks. `callees` names the targets of calls and tail jumps by offset."""
    dead = {one.end for one in transfers if one.kind == Kind.CALL and _is_dead_end(callees.get(one.at), never_returns)}
    tables = {one.at: jump_targets(one) for one in transfers if one.kind == Kind.JUMP_TABLE}
    starts = _starts(size, transfers, callees, dead, tables)
    graph = Graph(starts, [[] for _ in starts], set())
    index_of = {start: index for index, start in enumerate(starts)}
    pending, skipped = list[int](), _tests_of_defer(transfers, callees)
    ending: dict[int, Transfer] = {}
    for one in transfers:
        if one.kind in _ENDS_BLOCK or one.end in dead:
            ending[graph.block_at(one.at)] = one
    for index in range(len(starts)):
        end = ending.get(index)
        if end is None:
            if index + 1 < len(starts):
                graph.successors[index].append(index + 1)
            continue
        _connect(graph, index, end, index_of, callees, never_returns, skipped)
        if end.kind == Kind.JUMP_TABLE:
            targets = [index_of[offset] for offset in tables[end.at] if offset in index_of]
            graph.successors[index] = list(dict.fromkeys(targets))
            if not targets:
                pending.append(index)
    if pending:
        _guess(graph, pending, transfers, callees)
    return graph


def _is_dead_end(callee: str | None, never_returns: Callable[[str], bool]) -> bool:
    """Whether nothing runs behind such a call; growing the stack starts the function anew."""
    return callee is not None and (callee.startswith("runtime.morestack") or never_returns(callee))


def _starts(
    size: int,
    transfers: Sequence[Transfer],
    callees: Mapping[int, str],
    dead: Iterable[int],
    tables: Mapping[int, Sequence[int]],
) -> list[int]:
    found = {0, *dead}
    for one in transfers:
        if one.kind in _ENDS_BLOCK:
            found.add(one.end)
            if one.target >= 0 and one.at not in callees:
                found.add(one.target)
    for targets in tables.values():
        found.update(targets)
    return sorted(offset for offset in found if 0 <= offset < size)


def _tests_of_defer(transfers: Sequence[Transfer], callees: Mapping[int, str]) -> set[int]:
    """Branches right behind runtime.deferproc: taken only after a recovered panic."""
    found = set()
    for call, branch in pairwise(transfers):
        if branch.kind == Kind.BRANCH and branch.at - call.end < _NEAR_BYTES and callees.get(call.at) in DEFER_CALLS:
            found.add(branch.at)
    return found


def _connect(
    graph: Graph,
    index: int,
    end: Transfer,
    index_of: Mapping[int, int],
    callees: Mapping[int, str],
    never_returns: Callable[[str], bool],
    skipped: set[int],
) -> None:
    successors = graph.successors[index]
    if end.kind == Kind.BRANCH and index + 1 < len(graph.starts):
        successors.append(index + 1)
    if end.kind in {Kind.BRANCH, Kind.JUMP} and end.at not in skipped:
        inside = index_of.get(end.target) if end.at not in callees else None
        if inside is not None:
            successors.append(inside)
        elif not _is_dead_end(callees.get(end.at), never_returns):
            graph.exits.add(index)
            graph.tail_calls.append(end)
    elif end.kind == Kind.RETURN:
        graph.exits.add(index)
    elif end.kind == Kind.JUMP_INDIRECT:
        graph.exits.add(index)
        graph.tail_calls.append(end)


def _guess(graph: Graph, pending: Sequence[int], transfers: Sequence[Transfer], callees: Mapping[int, str]) -> None:
    """Let unreadable jump tables lead to all blocks that nothing else leads to, the recovery's block left out."""
    known = {0} | {target for targets in graph.successors for target in targets}
    recovery = {graph.block_at(one.at) for one in transfers if callees.get(one.at) == _RECOVERY}
    orphans = [index for index in range(len(graph.starts)) if index not in known | recovery]
    graph.is_guessed = True
    graph.is_understood = bool(orphans) and len(orphans) * len(pending) <= _MOST_GUESSED
    if not graph.is_understood:
        return
    for index in pending:
        graph.successors[index] = list(orphans)


@dataclass(slots=True)
class Paths:
    """When each block runs, and the blocks at which paths end: `exits`, rounds of endless loops included."""

    of_block: list[CallPath]
    exits: set[int]


def paths(graph: Graph) -> Paths:
    """Tell for each block when it runs, each time that the function does."""
    edges, count = graph.successors, len(graph.starts)
    if not graph.is_understood:
        return Paths([CallPath.UNKNOWN] * count, set(graph.exits))
    order, back = back_edges(edges)
    before = reversed_edges(edges)
    finishing = reachable(before, graph.exits)
    endless = {source for source, _ in back if source not in finishing}
    exits = graph.exits | endless
    live = set(order) & (reachable(before, exits) if endless else finishing)
    found = [CallPath.BRANCH if index in live else CallPath.COLD for index in range(count)]
    if 0 in live:
        inside = [[to for to in edges[index] if to in live] if index in live else [] for index in range(count)]
        loops = [edge for edge in back if edge[0] in live and edge[1] in live and edge[0] not in endless]
        if loops and len(loops) * count <= _MOST_PEELED:
            for index in cut_nodes(peeled(inside, loops), exits & live, 0):
                if index < count:
                    found[index] = CallPath.LOOP
        for index in cut_nodes(inside, exits & live, 0):
            found[index] = CallPath.ALWAYS
    return Paths(found, exits & live)


def all_pass(graph: Graph, known: Paths, blocks: set[int]) -> bool:
    """Whether there is a path from the entry to an exit, and every one goes through some of the blocks."""
    if not known.exits or not blocks:
        return False
    if 0 in blocks:
        return True
    edges = [[] if index in blocks else targets for index, targets in enumerate(graph.successors)]
    return not (reachable(edges, {0}) - blocks) & known.exits
