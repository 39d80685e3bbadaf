from __future__ import annotations

from causes.outside_series import Gauge, counted, exited, grows, killed, samples, slugs, verdicts, words
from causes.series import MIB
from whyheap.model.finding import Certainty


def test_growth_beyond_all_that_go_has_mapped_is_named() -> None:
    made = samples(container_usage=grows(8, 14), rss_anon=grows(8, 10), rss=grows(8, 16))
    (cause,) = verdicts(made)
    assert cause.cause == "off-heap"
    assert cause.certainty is Certainty.INFERRED
    assert cause.bytes == (10 + 96 - 14) * MIB
    assert "grows 8.0 MiB/s" in cause.summary
    assert "the limit is reached in about 2.2 s" in cause.summary


def test_the_memory_map_tells_c_from_mappings() -> None:
    of_map: dict[str, Gauge] = {"smaps_go_heap": 5.0 * MIB, "smaps_other_anon": 1.0 * MIB, "smaps_libraries": 2.0 * MIB}
    made = samples(container_usage=grows(8, 14), rss_anon=grows(8, 10), smaps_c_heap=grows(8, 3), **of_map)
    (cause,) = verdicts(made, counted(), killed(), exited(signal="9", known="yes"))
    assert cause.cause == "off-heap"
    assert cause.certainty is Certainty.MEASURED
    assert cause.summary == (
        "memory of the C allocator (malloc) grew 8.0 MiB/s to 100 MiB: the kernel killed the process at the limit of "
        "128 MiB"
    )
    assert "C.free" in cause.advice[0]
    mapped = samples(container_usage=grows(8, 14), rss_anon=grows(8, 10), **{**of_map, "smaps_other_anon": grows(8, 3)})
    assert "Munmap" in words(verdicts(mapped)[0])


def test_a_level_store_is_named_only_where_the_limit_is_near() -> None:
    assert slugs(samples(rss_anon=100.0 * MIB, container_usage=116.0 * MIB)) == ["off-heap"]
    assert slugs(samples(rss_anon=100.0 * MIB, container_usage=104.0 * MIB)) == []


def test_a_memory_limit_that_does_not_count_it_is_pointed_out() -> None:
    made = samples(rss_anon=100.0 * MIB, container_usage=116.0 * MIB, memory_limit=100.0 * MIB)
    assert "GOMEMLIMIT does not count this memory: beside it only 35.6 MiB are left for Go" in words(verdicts(made)[0])


def test_a_heap_that_grows_is_not_off_heap() -> None:
    def live(second: float) -> float:
        return (20 + 4 * second) * MIB

    made = samples(
        live,
        rss_anon=lambda second: live(second) * 1.8,
        sys=lambda second: live(second) * 2 + 8 * MIB,
        container_usage=grows(7, 40),
    )
    assert slugs(made) == ["live-heap-growth"]


def test_a_library_that_warms_up_is_no_cause() -> None:
    made = samples(rss_anon=lambda second: (14 + min(second, 4)) * MIB, container_usage=30.0 * MIB)
    assert slugs(made) == []


def test_arenas_that_were_not_found_are_not_taken_for_foreign_memory() -> None:
    made = samples(
        grows(0, 40), heap_inuse=80.0 * MIB, sys=96.0 * MIB, rss_anon=84.0 * MIB, smaps_go_heap=0.0,
        smaps_other_anon=grows(6, 10), container_usage=90.0 * MIB,
    )  # fmt: skip
    assert "off-heap" not in slugs(made)
