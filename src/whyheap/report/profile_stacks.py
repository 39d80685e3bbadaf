"""Walks the stacks of a heap profile from the root to the leaf, for writers of other formats."""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.errors import UsageError
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof_writer import integers

PREFERRED = ("inuse_space", "alloc_space", "inuse_objects", "alloc_objects")


def value_column(profile: HeapProfile, value_name: str) -> str:
    """Return the asked column's name, or the one that matters most of those the profile has.

    Raises:
        UsageError: the profile has no such column.
    """
    if value_name in profile.values:
        return value_name
    if value_name:
        raise UsageError(f"The profile has no column {value_name}.", f"It has {', '.join(profile.values)}.")
    return next(name for name in PREFERRED if name in profile.values)


def location_frames(profile: HeapProfile) -> list[list[tuple[int, int]]]:
    """Return for each location its frames (function index, line), outermost first.

    A location without symbols is one frame (-1, address).
    """
    functions, numbers = integers(profile.line_functions), integers(profile.line_numbers)
    offsets = integers(profile.line_offsets)
    frames = []
    for index, address in enumerate(integers(profile.addresses)):
        lines = list(
            zip(
                functions[offsets[index] : offsets[index + 1]],
                numbers[offsets[index] : offsets[index + 1]],
                strict=True,
            )
        )
        frames.append(lines[::-1] or [(-1, address)])
    return frames


def walk_stacks(profile: HeapProfile, value_name: str) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield each sample's value and frames, root first; samples without value are left out."""
    frames = location_frames(profile)
    offsets, locations = integers(profile.stack_offsets), integers(profile.stack_locations)
    for index, value in enumerate(integers(profile.values[value_name])):
        if value:
            stack = locations[offsets[index] : offsets[index + 1]]
            yield value, [frame for location in reversed(stack) for frame in frames[location]]
