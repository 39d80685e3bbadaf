"""Small directed graphs, nodes numbered from 0: which nodes all paths from the entry to an exit have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

Edges = list[list[int]]
"""Successors of each node."""


def reachable(edges: Sequence[Sequence[int]], sources: Iterable[int]) -> set[int]:
    """Return the nodes that can be reached from the sources, themselves included."""
    found = set(sources)
    stack = list(found)
    while stack:
        for target in edges[stack.pop()]:
            if target not in found:
                found.add(target)
                stack.append(target)
    return found


def reversed_edges(edges: Sequence[Sequence[int]]) -> Edges:
    """Return the predecessors of each node."""
    before: Edges = [[] for _ in edges]
    for source, targets in enumerate(edges):
        for target in targets:
            before[target].append(source)
    return before


def back_edges(edges: Sequence[Sequence[int]]) -> tuple[list[int], list[tuple[int, int]]]:
    """Walk depth first from node 0; return the nodes reached and the edges that lead back to a node under way."""
    order, back = [0], []
    state = {0: 1}  # 1 under way, 2 done
    stack = [(0, iter(edges[0]))] if edges else []
    while stack:
        node, targets = stack[-1]
        for target in targets:
            known = state.get(target)
            if known is None:
                state[target] = 1
                order.append(target)
                stack.append((target, iter(edges[target])))
                break
            if known == 1:
                back.append((node, target))
        else:
            state[node] = 2
            stack.pop()
    return order, back


def cut_nodes(edges: Sequence[Sequence[int]], exits: Collection[int], entry: int) -> list[int]:
    """Return the nodes that lie on every path from the entry to some exit, in order from the entry.

    One path is taken; a node of it is a cut when no walk from the nodes before it gets past it. Linear in the edges.
    """
    path = _some_path(edges, exits, entry)
    position = {node: index for index, node in enumerate(path)}
    end = len(path)
    furthest, cuts, seen = 0, [], set(path)
    for index, node in enumerate(path):
        if index >= furthest:
            cuts.append(node)
        stack = [node]
        while stack:
            here = stack.pop()
            if here in exits:
                furthest = end
            for target in edges[here]:
                on_path = position.get(target)
                if on_path is not None:
                    furthest = max(furthest, on_path)
                elif target not in seen:
                    seen.add(target)
                    stack.append(target)
        if furthest >= end:
            break
    return cuts


def _some_path(edges: Sequence[Sequence[int]], exits: Collection[int], entry: int) -> list[int]:
    """Return a shortest path from the entry to an exit, empty when there is none."""
    came_from = {entry: -1}
    queue = [entry]
    for node in queue:
        if node in exits:
            path = [node]
            while path[-1] != entry:
                path.append(came_from[path[-1]])
            return path[::-1]
        for target in edges[node]:
            if target not in came_from:
                came_from[target] = node
                queue.append(target)
    return []


def peeled(edges: Sequence[Sequence[int]], back: Sequence[tuple[int, int]]) -> Edges:
    """Return the graph in which a loop's head, when first reached, leads only into the loop.

    Each head has a second node, numbered behind all others, that back edges lead to and that has all its edges.
    """
    sources: dict[int, list[int]] = {}
    for source, head in back:
        sources.setdefault(head, []).append(source)
    second = {head: len(edges) + index for index, head in enumerate(sources)}
    before = reversed_edges(edges)
    new = [list(targets) for targets in edges] + [list(edges[head]) for head in sources]
    for head, ends in sources.items():
        body = _body(before, head, ends)
        new[head] = [target for target in edges[head] if target in body] or new[head]
    for head, ends in sources.items():
        for source in ends:
            for node in (source, second[source]) if source in second else (source,):
                new[node] = [second[head] if target == head else target for target in new[node]]
    return new


def _body(before: Sequence[Sequence[int]], head: int, ends: Iterable[int]) -> set[int]:
    """Return the natural loop: what leads to the back edges without passing the head."""
    body = {head, *ends}
    stack = [node for node in body if node != head]
    while stack:
        for source in before[stack.pop()]:
            if source not in body:
                body.add(source)
                stack.append(source)
    return body
