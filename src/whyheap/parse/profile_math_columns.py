"""Sums over a big heap profile with numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyheap.model.profile import HeapProfile

Numbers = NDArray[np.int64]

# Samples are taken in groups, so that a table of group x function stays within the processor's cache.
_TABLE_CELLS = 1 << 20
_GROUP_FRAMES = 1 << 18


def flat_and_cumulative_columns(profile: HeapProfile, value_name: str) -> dict[str, tuple[int, int]]:
    """Return flat and cumulative sums per function name: see profile_math.flat_and_cumulative."""
    identities: dict[str, int] = {}
    by_function = np.fromiter(
        (identities.setdefault(name, len(identities)) for name in profile.function_names),
        np.int64,
        len(profile.function_names),
    )
    line_names = by_function[np.asarray(profile.line_functions)]
    line_offsets = np.asarray(profile.line_offsets)
    values = np.asarray(profile.values[value_name])
    offsets = np.asarray(profile.stack_offsets)
    locations = np.asarray(profile.stack_locations)
    flat = np.zeros(len(identities), np.int64)
    cumulative = np.zeros(len(identities), np.int64)
    with_stack = np.flatnonzero(offsets[1:] > offsets[:-1])
    leaves = locations[offsets[with_stack]]
    named = np.flatnonzero(line_offsets[leaves + 1] > line_offsets[leaves])
    np.add.at(flat, line_names[line_offsets[leaves[named]]], values[with_stack[named]])
    for first, last in _groups(offsets, len(identities)):
        stack = locations[offsets[first] : offsets[last]]
        owners = np.repeat(np.arange(last - first), np.diff(offsets[first : last + 1]))
        line_counts = line_offsets[stack + 1] - line_offsets[stack]
        names = line_names[_expand(line_offsets[stack], line_counts)]
        owners = np.repeat(owners, line_counts)
        once = _first_of_each(owners * len(identities) + names, (last - first) * len(identities))
        np.add.at(cumulative, names[once], values[first:last][owners[once]])
    return dict(zip(identities, zip(flat.tolist(), cumulative.tolist(), strict=True), strict=True))


def _groups(offsets: Numbers, names: int) -> list[tuple[int, int]]:
    """Split the samples into runs that are small in frames and in table cells."""
    most_samples = max(1, _TABLE_CELLS // max(1, names))
    groups = []
    first, count = 0, len(offsets) - 1
    while first < count:
        by_frames = int(np.searchsorted(offsets, offsets[first] + _GROUP_FRAMES, side="right")) - 1
        last = min(count, first + most_samples, max(first + 1, by_frames))
        groups.append((first, last))
        first = last
    return groups


def _expand(starts: Numbers, counts: Numbers) -> Numbers:
    """Return starts[0], starts[0]+1, ... (counts[0] of them), then those of starts[1], ..."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))


def _first_of_each(cells: Numbers, cell_count: int) -> Numbers:
    """Return the positions of distinct values: one each. The last write to a cell wins, so one writer finds itself."""
    winner = np.empty(cell_count, np.int32)
    positions = np.arange(len(cells), dtype=np.int32)
    winner[cells] = positions
    return np.flatnonzero(winner[cells] == positions)
