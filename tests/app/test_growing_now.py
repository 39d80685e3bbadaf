"""Which lines grow while a recording goes on."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from cli_runs import CPU, HEAP
from whyheap.app.growing_now import MOST_BYTES, GrowingNow
from whyheap.model.profile import HeapProfile
from whyheap.parse.pprof_writer import write_pprof


def profile(cache: int, jobs: int) -> bytes:
    """Two lines in use: cache.go:41 through the standard library, and jobs.go:7, inlined into main.go:3."""
    return write_pprof(
        HeapProfile(
            values={"inuse_objects": [1, 1], "inuse_space": [cache, jobs]},
            object_bytes=[0, 0],
            stack_offsets=[0, 2, 3],
            stack_locations=[0, 1, 2],
            addresses=[1, 2, 3],
            line_offsets=[0, 1, 2, 4],
            line_functions=[0, 1, 2, 3],
            line_numbers=[99, 41, 7, 3],
            function_names=["bytes.(*Buffer).grow", "example.com/shop.(*Cache).Get", "main.send", "main.main"],
            function_files=["/go/src/bytes/buffer.go", "/src/shop/cache.go", "/src/shop/jobs.go", "/src/shop/main.go"],
            function_start_lines=[0, 0, 0, 0],
        )
    )


def test_lines_of_the_program_are_told_by_what_they_gained() -> None:
    growing = GrowingNow()
    growing.take(profile(cache=10, jobs=500))
    assert not growing.lines
    growing.take(profile(cache=4010, jobs=700))
    assert [(line.place, line.held_bytes, line.grown_bytes) for line in growing.lines] == [
        ("cache.go:41", 4010, 4000),
        ("jobs.go:7", 700, 200),
    ]


def test_a_service_s_own_profile_is_read() -> None:
    growing = GrowingNow()
    growing.take(HEAP)
    growing.take(HEAP)
    assert not growing.lines  # nothing grew


def test_what_is_large_or_no_heap_profile_is_passed_over() -> None:
    growing = GrowingNow()
    growing.take(gzip.compress(bytes(MOST_BYTES + 100)))
    growing.take(CPU)
    growing.take(b"<html>")
    growing.take(HEAP[:100])
    assert not growing.lines


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    growing = GrowingNow()
    growing.take(data)
    growing.take(gzip.compress(data))
