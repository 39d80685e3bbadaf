from __future__ import annotations

from causes.outside_series import counted, exited, grows, killed, samples, slugs, verdicts, words
from causes.series import MIB


def test_files_in_a_tmpfs_grow_though_no_process_maps_them() -> None:
    made = samples(container_shmem=grows(9), container_usage=grows(9, 12), container_processes=1.0)
    (cause,) = verdicts(made, counted(), killed(), exited(signal="9", known="yes"))
    assert cause.cause == "shared-memory"
    assert cause.bytes == 110 * MIB
    assert cause.summary.startswith("files in a tmpfs (such as /dev/shm) grew 9.0 MiB/s to 110 MiB")
    assert "none of it is mapped by this process: it is in files" in words(cause)
    assert "this is the only process of its group" in words(cause)


def test_mapped_segments_are_told_from_files() -> None:
    made = samples(container_shmem=grows(9), rss_shmem=grows(9), container_usage=grows(9, 12))
    (cause,) = verdicts(made)
    assert cause.summary.startswith("shared memory (memfd, shared mappings) grows 9.0 MiB/s and takes 110 MiB: the")
    assert "memfd" in cause.advice[0]


def test_without_a_group_the_process_alone_tells() -> None:
    made = samples(rss_shmem=grows(9), container_limit=0.0)
    assert slugs(made) == ["shared-memory"]


def test_a_level_segment_is_named_only_where_the_limit_is_near() -> None:
    assert slugs(samples(container_shmem=64.0 * MIB, container_usage=112.0 * MIB)) == ["shared-memory"]
    assert slugs(samples(container_shmem=64.0 * MIB, container_usage=80.0 * MIB)) == []


def test_page_cache_is_not_shared_memory() -> None:
    made = samples(container_shmem=0.0, container_file=grows(9), container_charge=grows(9, 12))
    assert slugs(made) == ["file-cache"]
