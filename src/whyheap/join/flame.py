"""The merged call tree of a profile, root downwards, with the pattern of each of the user's lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from whyheap.join.evidence import profile_frames
from whyheap.model.measure import Measure
from whyheap.model.profile import HeapProfile
from whyheap.model.report import FlameNode
from whyheap.model.scan import Scan
from whyheap.model.site import Site

_COLUMNS = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")
_SMALLEST_SHARE = 0.0001


@dataclass(slots=True)
class _Node:
    site: Site | None
    sums: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    children: dict[tuple[str, int], _Node] = field(default_factory=dict)


def flame(
    scan: Scan | None,
    profile: HeapProfile,
    pattern_of: Mapping[tuple[str, int], str],
    focus: re.Pattern[str] | None = None,
) -> FlameNode:
    """Merge all stacks. `pattern_of` gives a pattern by (file, line); frames below 0.01 % of all bytes are left out."""
    root = _Node(None)
    frames = profile_frames(scan, profile)
    columns = [profile.values.get(name) or [0] * len(profile) for name in _COLUMNS]
    for sample in range(len(profile)):
        stack = [frame.site for frame in frames.stack(sample)]
        if focus and not any(_in_focus(site, focus, pattern_of) for site in stack):
            continue
        values = [int(column[sample]) for column in columns]
        node = root
        _grow(node, values)
        for site in reversed(stack):
            key = (site.symbol, site.line)
            below = node.children.get(key)
            if below is None:
                below = node.children[key] = _Node(site)
            _grow(below, values)
            node = below
    smallest = (root.sums[0] * _SMALLEST_SHARE, root.sums[2] * _SMALLEST_SHARE)
    return _frozen(root, pattern_of, smallest)


def _in_focus(site: Site, focus: re.Pattern[str], pattern_of: Mapping[tuple[str, int], str]) -> bool:
    names = (site.symbol, str(site.position), pattern_of.get((site.file, site.line)))
    return any(focus.search(name) for name in names if name)


def _grow(node: _Node, values: list[int]) -> None:
    for column, value in enumerate(values):
        node.sums[column] += value


def _frozen(root: _Node, pattern_of: Mapping[tuple[str, int], str], smallest: tuple[float, float]) -> FlameNode:
    """Freeze from the leaves upwards, without recursion: a hostile profile may nest as deep as it likes."""
    order = [root]
    kept: dict[int, list[_Node]] = {}
    for node in order:
        kept[id(node)] = [
            child
            for _, child in sorted(node.children.items(), key=lambda item: item[0])
            if child.sums[0] > smallest[0] or child.sums[2] > smallest[1]
        ]
        order.extend(kept[id(node)])
    frozen: dict[int, FlameNode] = {}
    for node in reversed(order):
        site = node.site or Site("", 0, 0, "root")
        children = tuple(frozen.pop(id(child)) for child in kept[id(node)])
        pattern = pattern_of.get((site.file, site.line), "")
        frozen[id(node)] = FlameNode(site.symbol, site.file, site.line, pattern, Measure(*node.sums), children)
    return frozen[id(root)]
