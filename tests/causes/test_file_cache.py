from __future__ import annotations

from causes.outside_series import Gauge, grows, killed, samples, slugs, verdicts, words
from causes.series import MIB

FULL: dict[str, Gauge] = {"container_charge": 127.0 * MIB, "container_file": 112.0 * MIB, "container_anon": 9.0 * MIB}


def test_a_group_full_of_cache_is_no_leak() -> None:
    (cause,) = verdicts(samples(**FULL, container_inactive_file=110.0 * MIB))
    assert cause.cause == "file-cache"
    assert cause.bytes == 112 * MIB
    assert cause.summary.startswith("no leak: 112 MiB of the 127 MiB charged are page cache")
    assert "nearly all of the cache is inactive" in words(cause)
    assert "nothing was ever killed" in words(cause)


def test_active_files_count_in_a_working_set() -> None:
    made = samples(**{**FULL, "container_usage": 120.0 * MIB}, container_inactive_file=7.0 * MIB, rss_file=100.0 * MIB)
    (cause,) = verdicts(made)
    assert cause.cause == "file-cache"
    assert "105 MiB of the cache count as active: a working set includes them all the same" in words(cause)
    assert "100 MiB of files are mapped" in words(cause)


def test_a_group_with_room_has_no_cause() -> None:
    assert slugs(samples(**{**FULL, "container_charge": 90.0 * MIB, "container_file": 80.0 * MIB})) == []


def test_what_grows_beside_the_cache_is_the_cause_instead() -> None:
    made = samples(**{**FULL, "container_anon": grows(4, 8)}, rss_anon=grows(4, 14), container_usage=grows(4, 20))
    assert slugs(made) == ["off-heap"]
    assert slugs(samples(**{**FULL, "container_anon": grows(2, 8)})) == []


def test_shared_memory_is_no_cache() -> None:
    made = samples(**FULL, container_shmem=110.0 * MIB, container_usage=125.0 * MIB)
    assert slugs(made) == ["shared-memory"]


def test_a_kill_is_never_explained_by_cache() -> None:
    assert "file-cache" not in slugs(samples(**FULL), killed(pid="7", task="other"))
