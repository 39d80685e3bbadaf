"""A heap profile as columns: bulk data, never one object a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapped binary: address range, file and build ID."""

    start: int
    limit: int
    offset: int
    file: str
    build_id: str


@dataclass(frozen=True, slots=True)
class HeapProfile:
    """Samples, locations and functions as parallel columns (array.array for small profiles, numpy for big ones).

    Sample i has value `values[name][i]` for each name in "inuse_objects", "inuse_space", "alloc_objects",
    "alloc_space" that the profile has, object size `object_bytes[i]` (0 = unknown) and the locations
    `stack_locations[stack_offsets[i]:stack_offsets[i + 1]]`, leaf first. Location j has the lines
    `line_offsets[j]:line_offsets[j + 1]` in `line_functions` and `line_numbers`, innermost (inlined callee) first.
    Function k has `function_names[k]` (linker symbol), `function_files[k]`, `function_start_lines[k]`.
    All indexes are dense, from 0. Values are scaled to the whole heap already.
    """

    values: dict[str, Sequence[int]]
    object_bytes: Sequence[int]
    stack_offsets: Sequence[int]
    stack_locations: Sequence[int]
    addresses: Sequence[int]
    line_offsets: Sequence[int]
    line_functions: Sequence[int]
    line_numbers: Sequence[int]
    function_names: Sequence[str]
    function_files: Sequence[str]
    function_start_lines: Sequence[int]
    mappings: tuple[Mapping, ...] = ()
    period: int = 0
    time_nanos: int = 0
    duration_nanos: int = 0
    comments: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.object_bytes)
