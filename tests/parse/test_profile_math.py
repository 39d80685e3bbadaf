from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from parse.profile_proto import PackedProfile
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof_columns import decode_columns
from whyheap.parse.pprof_rows import decode_rows
from whyheap.parse.profile_math import flat_and_cumulative, merge, subtract

RECORDED = Path(__file__).parents[1] / "recorded" / "profiles"
RAW = gzip.decompress(max(RECORDED.glob("go*/heap.pb.gz")).read_bytes())


def build(samples: dict[tuple[str, ...], tuple[int, int]], address: int = 0, *, columns: bool = False) -> HeapProfile:
    """Return a profile with (alloc_space, inuse_space) per stack of "function" or "inlined/caller", leaf first."""
    message: Any = PackedProfile(string_table=["", "alloc_space", "inuse_space", "bytes"])
    message.sample_type.add(type=1, unit=3)
    message.sample_type.add(type=2, unit=3)
    functions: dict[str, int] = {}
    locations: dict[str, int] = {}
    for stack, values in samples.items():
        sample = message.sample.add(value=values)
        for frame in stack:
            if frame not in locations:
                locations[frame] = len(locations) + 1
                location = message.location.add(id=locations[frame], address=address + len(locations))
                for name in frame.split("/"):
                    if name not in functions:
                        functions[name] = len(functions) + 1
                        message.string_table.append(name)
                        message.function.add(id=functions[name], name=len(message.string_table) - 1)
                    location.line.add(function_id=functions[name], line=1)
            sample.location_id.append(locations[frame])
    raw = message.SerializeToString()
    return decode_columns([raw]) if columns else decode_rows(raw)


@pytest.mark.parametrize("columns", [False, True])
def test_recursion_counts_once_and_inlined_frames_count(columns: bool) -> None:  # noqa: FBT001 -- a test parameter
    profile = build({("f", "g", "f", "main"): (10, 1), ("in/f", "main"): (5, 2), ("g",): (0, 0)}, columns=columns)
    assert flat_and_cumulative(profile, "alloc_space") == {
        "f": (10, 15),
        "g": (0, 10),
        "in": (5, 5),
        "main": (0, 15),
    }


@pytest.mark.parametrize("columns", [False, True])
def test_a_delta_has_the_allocations_since_and_what_is_in_use_now(columns: bool) -> None:  # noqa: FBT001
    old = build({("a", "main"): (100, 50), ("b", "main"): (30, 30)}, address=7, columns=columns)
    new = build({("c", "main"): (5, 5), ("a", "main"): (160, 20), ("b", "main"): (20, 20)}, columns=columns)
    delta = subtract(new, old)
    assert flat_and_cumulative(delta, "alloc_space") == {"c": (5, 5), "a": (60, 60), "main": (0, 65)}
    assert flat_and_cumulative(delta, "inuse_space")["main"] == (0, 45)


def test_a_profile_minus_itself_allocated_nothing() -> None:
    for profile in (decode_rows(RAW), decode_columns([RAW])):
        delta = subtract(profile, profile)
        assert flat_and_cumulative(delta, "alloc_space") == {}
        assert flat_and_cumulative(delta, "inuse_space") == flat_and_cumulative(profile, "inuse_space")


def test_merging_adds_up() -> None:
    one = build({("a", "main"): (1, 2)})
    two = build({("b", "main"): (10, 20), ("a", "main"): (100, 200)}, columns=True)
    both = merge([one, two])
    assert flat_and_cumulative(both, "alloc_space") == {"a": (101, 101), "b": (10, 10), "main": (0, 111)}
    twice = merge([decode_rows(RAW), decode_columns([RAW])])
    assert len(twice) <= len(decode_rows(RAW))
    doubled = {name: (2 * flat, 2 * total) for name, (flat, total) in flat_and_cumulative(one, "inuse_space").items()}
    assert flat_and_cumulative(merge([one, one]), "inuse_space") == doubled
    with pytest.raises(ValueError, match="at least one"):
        merge([])
