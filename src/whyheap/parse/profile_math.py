"""Sums over a heap profile: per function, between two profiles, over several."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from whyheap.model.profile import HeapProfile, Mapping

_ALLOC = ("alloc_objects", "alloc_space")


class FlatCumulative(NamedTuple):
    """What a function allocates itself (`flat`), and with all that it calls (`cumulative`)."""

    flat: int
    cumulative: int


def flat_and_cumulative(profile: HeapProfile, value_name: str) -> dict[str, FlatCumulative]:
    """Return flat and cumulative sums of a column per function name, as `go tool pprof -top` counts them.

    Inlined calls count as frames; a function that is on a stack several times is counted once. Functions of one name
    are one. Functions without any value are left out. Frames without symbols are left out.
    """
    if is_columnar(profile):
        from whyheap.parse.profile_math_columns import flat_and_cumulative_columns  # noqa: PLC0415 -- imports numpy

        sums = flat_and_cumulative_columns(profile, value_name)
    else:
        sums = _flat_and_cumulative_rows(profile, value_name)
    return {name: FlatCumulative(flat, cumulative) for name, (flat, cumulative) in sums.items() if flat or cumulative}


def is_columnar(profile: HeapProfile) -> bool:
    """Whether the columns are numpy's: a big profile."""
    return not isinstance(profile.stack_locations, (array, list, tuple))


def subtract(new: HeapProfile, old: HeapProfile) -> HeapProfile:
    """Return `new` with alloc_* of what was allocated since `old`; inuse_* stay those of `new`.

    Samples match when symbols, lines and object size of their stacks are equal (and addresses, when both come from the
    same binary at the same place). Nothing becomes negative: a sample that lost allocations has 0.
    """
    by_address = bool(new.mappings) and new.mappings == old.mappings
    identities: dict[Hashable, int] = {}
    new_keys = _sample_keys(new, identities, by_address=by_address)
    old_keys = _sample_keys(old, identities, by_address=by_address)
    values = dict(new.values)
    for name in _ALLOC:
        if name not in new.values or name not in old.values:
            continue
        before: dict[tuple[bytes, int], int] = {}
        for key, value in zip(old_keys, _integers(old.values[name]), strict=True):
            before[key] = before.get(key, 0) + value
        since: list[int] = []
        for key, value in zip(new_keys, _integers(new.values[name]), strict=True):
            taken = max(0, min(value, before.get(key, 0)))
            if taken:
                before[key] -= taken
            since.append(value - taken)
        values[name] = _like(new.values[name], since)
    duration = max(0, new.time_nanos - old.time_nanos) if old.time_nanos else 0
    return replace(new, values=values, duration_nanos=duration)


def merge(profiles: Sequence[HeapProfile]) -> HeapProfile:
    """Return one profile with the samples of all; equal stacks of equal object size become one sample.

    Columns that not all profiles have are left out. Time and period are those of the first; durations add up.
    """
    if not profiles:
        msg = "merge needs at least one profile"
        raise ValueError(msg)
    names = [name for name in profiles[0].values if all(name in profile.values for profile in profiles)]
    merger = _Merger(names)
    for profile in profiles:
        merger.add(profile)
    first = profiles[0]
    mappings = tuple(dict.fromkeys(mapping for profile in profiles for mapping in profile.mappings))
    return merger.profile(first, mappings, sum(profile.duration_nanos for profile in profiles))


class _Merger:
    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._functions: dict[tuple[str, str, int], int] = {}
        self._locations: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
        self._samples: dict[tuple[tuple[int, ...], int], list[int]] = {}

    def add(self, profile: HeapProfile) -> None:
        functions = [
            self._functions.setdefault(key, len(self._functions))
            for key in zip(
                profile.function_names, profile.function_files, _integers(profile.function_start_lines), strict=True
            )
        ]
        line_offsets = _integers(profile.line_offsets)
        lines = [
            (functions[function], line)
            for function, line in zip(_integers(profile.line_functions), _integers(profile.line_numbers), strict=True)
        ]
        locations = []
        for index, address in enumerate(_integers(profile.addresses)):
            key = (address, tuple(lines[line_offsets[index] : line_offsets[index + 1]]))
            locations.append(self._locations.setdefault(key, len(self._locations)))
        offsets = _integers(profile.stack_offsets)
        stack_locations = _integers(profile.stack_locations)
        columns = [_integers(profile.values[name]) for name in self._names]
        for index, size in enumerate(_integers(profile.object_bytes)):
            stack = tuple(locations[each] for each in stack_locations[offsets[index] : offsets[index + 1]])
            sums = self._samples.setdefault((stack, size), [0] * len(columns))
            for position, column in enumerate(columns):
                sums[position] += column[index]

    def profile(self, first: HeapProfile, mappings: tuple[Mapping, ...], duration_nanos: int) -> HeapProfile:
        offsets, stack_locations, object_bytes = array("q", (0,)), array("q"), array("q")
        for stack, size in self._samples:
            stack_locations.extend(stack)
            offsets.append(len(stack_locations))
            object_bytes.append(size)
        line_offsets, line_functions, line_numbers = array("q", (0,)), array("q"), array("q")
        for _, lines in self._locations:
            for function, line in lines:
                line_functions.append(function)
                line_numbers.append(line)
            line_offsets.append(len(line_functions))
        return replace(
            first,
            values={
                name: array("q", (_int64(sums[position]) for sums in self._samples.values()))
                for position, name in enumerate(self._names)
            },
            object_bytes=object_bytes,
            stack_offsets=offsets,
            stack_locations=stack_locations,
            addresses=array("Q", (address for address, _ in self._locations)),
            line_offsets=line_offsets,
            line_functions=line_functions,
            line_numbers=line_numbers,
            function_names=[name for name, _, _ in self._functions],
            function_files=[file for _, file, _ in self._functions],
            function_start_lines=array("q", (line for _, _, line in self._functions)),
            mappings=mappings,
            duration_nanos=duration_nanos,
        )


def _flat_and_cumulative_rows(profile: HeapProfile, value_name: str) -> dict[str, tuple[int, int]]:
    names = [profile.function_names[function] for function in profile.line_functions]
    line_offsets = profile.line_offsets
    frames = [names[line_offsets[index] : line_offsets[index + 1]] for index in range(len(profile.addresses))]
    offsets, locations = profile.stack_offsets, profile.stack_locations
    flat: dict[str, int] = {}
    cumulative: dict[str, int] = {}
    for index, value in enumerate(profile.values[value_name]):
        if not value:
            continue
        stack = locations[offsets[index] : offsets[index + 1]]
        on_stack: set[str] = set()
        for location in stack:
            on_stack.update(frames[location])
        for name in on_stack:
            cumulative[name] = cumulative.get(name, 0) + value
        if stack and frames[stack[0]]:
            leaf = frames[stack[0]][0]
            flat[leaf] = flat.get(leaf, 0) + value
    return {name: (flat.get(name, 0), value) for name, value in cumulative.items()}


def _sample_keys(profile: HeapProfile, identities: dict[Hashable, int], *, by_address: bool) -> list[tuple[bytes, int]]:
    """Return a key for each sample; locations get numbers that are the same for all profiles sharing `identities`."""
    names, files = profile.function_names, profile.function_files
    functions, numbers = _integers(profile.line_functions), _integers(profile.line_numbers)
    line_offsets = _integers(profile.line_offsets)
    numbered = array("q")
    for index, address in enumerate(_integers(profile.addresses)):
        lines: tuple[Hashable, ...] = tuple(
            (names[functions[at]], files[functions[at]], numbers[at])
            for at in range(line_offsets[index], line_offsets[index + 1])
        )
        key: Hashable = (address, lines) if by_address or not lines else lines
        numbered.append(identities.setdefault(key, len(identities)))
    offsets = _integers(profile.stack_offsets)
    stacks = array("q", [numbered[location] for location in _integers(profile.stack_locations)])
    width = stacks.itemsize
    packed = stacks.tobytes()
    return [
        (packed[width * offsets[index] : width * offsets[index + 1]], size)
        for index, size in enumerate(_integers(profile.object_bytes))
    ]


def _int64(value: int) -> int:
    """Keep a sum of hostile values within its column."""
    return max(-(1 << 63), min(value, (1 << 63) - 1))


def _integers(column: Sequence[int]) -> list[int]:
    """Return a column as plain integers."""
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _like(column: Sequence[int], values: Iterable[int]) -> Sequence[int]:
    """Return values in a column of the same type."""
    if isinstance(column, (array, list, tuple)):
        return array("q", values)
    import numpy as np  # noqa: PLC0415 -- only big profiles have it

    return np.fromiter(values, np.int64)  # type: ignore[return-value] # an array is a column, too
