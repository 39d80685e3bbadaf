"""Buckets of a heap profile, read from memory that a test laid out: counts, cycles, and what is no list at all."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.runtime_sample_layout import BUCKETS, CYCLE, RATE, image
from host.sparse_process import SparseProcess
from whyheap.collect import census_buckets
from whyheap.collect.census_buckets import Bucket, BucketReader, sampling_rate
from whyheap.collect.runtime_image import RuntimeImage

Counts = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
PUBLISHED: Counts = ((5, 2), (0, 0), (0, 0), (0, 0))


def put_bucket(
    process: SparseProcess, at: int, following: int, pcs: tuple[int, ...], size: int, counts: Counts
) -> None:
    process.put(at, 0, following, 1, 0x99, size, len(pcs), *pcs, *(number for pair in counts for number in pair))


def read_one(folder: Path, counts: Counts, cycle: int) -> Bucket:
    process, runtime = image(folder)
    process.put(BUCKETS, 0x20000)
    process.put(CYCLE, cycle)
    put_bucket(process, 0x20000, 0, (0x11, 0x22), 64, counts)
    return BucketReader(runtime).read().found[0]


def test_buckets_come_in_the_order_of_the_list_with_their_stacks_and_sizes(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    process.put(BUCKETS, 0x40000)
    put_bucket(process, 0x40000, 0x30000, (0x11, 0x22, 0x33), 48, PUBLISHED)
    put_bucket(process, 0x30000, 0, (), 1 << 20, ((1, 0), (0, 0), (0, 0), (0, 0)))
    found = BucketReader(runtime).read()
    assert found.found == (Bucket((0x11, 0x22, 0x33), 48, 5, 2), Bucket((), 1 << 20, 1, 0))
    assert not found.is_torn
    assert not found.is_cut


def test_a_bucket_that_crosses_blocks_of_reading_is_read_whole(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    at = 0x20000 - 24
    process.put(BUCKETS, at)
    put_bucket(process, at, 0, tuple(range(100)), 16, PUBLISHED)
    assert BucketReader(runtime).read().found == (Bucket(tuple(range(100)), 16, 5, 2),)


@pytest.mark.parametrize(("cycle", "added"), [(0, 10), (1, 10), (2, 100), (4, 1000), (6, 10), (9, 100)])
def test_the_current_cycle_counts_as_published_whether_flushed_or_not(tmp_path: Path, cycle: int, added: int) -> None:
    found = read_one(tmp_path, ((5, 2), (10, 1), (100, 1), (1000, 1)), cycle)
    assert (found.allocs, found.frees) == (5 + added, 3)


def test_before_the_first_collection_all_cycles_count(tmp_path: Path) -> None:
    found = read_one(tmp_path, ((0, 0), (0, 0), (0, 0), (7, 1)), 0)
    assert (found.allocs, found.frees) == (7, 1)


def test_counts_of_a_collection_that_was_not_flushed_yet_are_no_sign_that_there_was_none(tmp_path: Path) -> None:
    found = read_one(tmp_path, ((0, 0), (0, 0), (3, 1), (7, 1)), 1 << 1)
    assert (found.allocs, found.frees) == (3, 1)


def test_counts_of_bytes_do_not_move_those_of_objects(tmp_path: Path) -> None:
    process, runtime = image(tmp_path, has_bytes=True)
    process.put(BUCKETS, 0x20000)
    process.put(0x20000, 0, 0, 1, 0, 64, 1, 0x11, 5, 2, 320, 128, 1, 0, 64, 0)
    assert BucketReader(runtime).read().found == (Bucket((0x11,), 64, 6, 2),)


def test_a_list_that_leads_back_ends(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    process.put(BUCKETS, 0x20000)
    put_bucket(process, 0x20000, 0x20000, (0x11,), 64, PUBLISHED)
    assert len(BucketReader(runtime).read().found) == 1


def test_only_so_many_buckets_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census_buckets, "MOST_BUCKETS", 3)
    process, runtime = image(tmp_path)
    process.put(BUCKETS, 0x20000)
    for at in range(5):
        put_bucket(process, 0x20000 + 0x100 * at, 0x20100 + 0x100 * at, (at,), 64, PUBLISHED)
    found = BucketReader(runtime).read()
    assert len(found.found) == 3
    assert found.is_cut


def test_a_second_reading_finds_new_buckets_first_and_new_counts(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    process.put(BUCKETS, 0x20000)
    put_bucket(process, 0x20000, 0, (0x11,), 64, PUBLISHED)
    reader = BucketReader(runtime)
    reader.read()
    put_bucket(process, 0x20000, 0, (0x11,), 64, ((9, 4), (0, 0), (0, 0), (0, 0)))
    put_bucket(process, 0x30000, 0x20000, (0x22,), 32, PUBLISHED)
    process.put(BUCKETS, 0x30000)
    assert reader.read().found == (Bucket((0x22,), 32, 5, 2), Bucket((0x11,), 64, 9, 4))


def test_collections_that_follow_each_other_too_fast_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, runtime = image(tmp_path)
    process.put(BUCKETS, 0x20000)
    put_bucket(process, 0x20000, 0, (0x11,), 64, PUBLISHED)
    cycles = iter(range(0, 100, 2))
    number = RuntimeImage.number

    def turning(self: RuntimeImage, variable: str, path: str = "") -> int:
        return next(cycles) if variable == "runtime.mProfCycle" else number(self, variable, path)

    monkeypatch.setattr(RuntimeImage, "number", turning)
    assert BucketReader(runtime).read().is_torn


def test_a_bucket_with_more_frames_than_go_keeps_is_none(tmp_path: Path) -> None:
    process, runtime = image(tmp_path)
    process.put(BUCKETS, 0x20000)
    process.put(0x20000, 0, 0, 1, 0, 64, 1025)
    assert BucketReader(runtime).read().found == ()


@pytest.mark.parametrize(("value", "rate"), [(512 << 10, 512 << 10), (0, 0), (1, 1), (-1, 0)])
def test_a_rate_below_zero_samples_nothing(tmp_path: Path, value: int, rate: int) -> None:
    process, runtime = image(tmp_path)
    process.put(RATE, value)
    assert sampling_rate(runtime) == rate


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from((0, 1, 8, 1024, 0x20000, 0x20040, 1 << 32, (1 << 64) - 8)), max_size=80))
def test_garbage_is_read_without_a_crash(words: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(census_buckets, "MOST_BUCKETS", 200)
        process, runtime = image(Path(folder))
        process.put(BUCKETS, 0x20000)
        process.put_bytes(0x20000, struct.pack(f"<{len(words)}Q", *words))
        assert len(BucketReader(runtime).read().found) <= 200
