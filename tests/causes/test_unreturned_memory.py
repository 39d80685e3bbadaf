from __future__ import annotations

from causes.outside_series import Gauge, counted, exited, grows, killed, samples, slugs, verdicts, words
from causes.series import MIB
from whyheap.model.finding import Certainty

PEAKED: dict[str, Gauge] = {"container_charge": 110.0 * MIB, "container_usage": 110.0 * MIB, "rss": 108.0 * MIB}


def test_few_survivors_keep_whole_spans() -> None:
    made = samples(heap_inuse=96.0 * MIB, sys=112.0 * MIB, **PEAKED)
    (cause,) = verdicts(made)
    assert cause.cause == "unreturned-memory"
    assert cause.certainty is Certainty.MEASURED
    assert "few survivors keep whole spans" in cause.summary
    assert "copy the few objects that stay" in cause.advice[0]


def test_fragments_that_grow_are_sized_by_the_end() -> None:
    made = samples(heap_inuse=grows(9, 10), sys=grows(9, 20), container_usage=grows(9, 15), rss=grows(9, 16))
    (cause,) = verdicts(made, counted(), killed(), exited(signal="9", known="yes"))
    assert cause.cause == "unreturned-memory"
    assert cause.bytes > 75 * MIB
    assert "the kernel killed the process at the limit of 128 MiB" in cause.summary
    assert "neither GOMEMLIMIT nor debug.FreeOSMemory helps" in words(cause)


def test_idle_spans_that_stay_are_named() -> None:
    made = samples(heap_idle=90.0 * MIB, heap_released=2.0 * MIB, sys=108.0 * MIB, **PEAKED)
    (cause,) = verdicts(made)
    assert "idle spans were not given back" in cause.summary
    assert "debug.FreeOSMemory() after the peak gives back up to 88 MiB" in cause.advice[0]


def test_idle_spans_that_come_and_go_with_collections_are_not() -> None:
    made = samples(heap_idle=lambda second: (90 if second % 3 else 4) * MIB, sys=108.0 * MIB, **PEAKED)
    assert slugs(made) == []


def test_what_was_given_back_and_is_resident_all_the_same() -> None:
    beyond: dict[str, Gauge] = {
        "heap_sys": 104.0 * MIB,
        "heap_released": 100.0 * MIB,
        "heap_idle": 100.0 * MIB,
        "sys": 108.0 * MIB,
    }
    made = samples(**beyond, smaps_go_heap=102.0 * MIB, smaps_other_anon=1.0 * MIB, **PEAKED)
    (cause,) = verdicts(made)
    assert "MADV_FREE" in cause.summary
    assert cause.advice[0].startswith("no danger")
    huge = samples(**beyond, smaps_go_heap=102.0 * MIB, smaps_other_anon=1.0 * MIB, smaps_huge=98.0 * MIB, **PEAKED)
    assert "max_ptes_none" in words(verdicts(huge)[0])


def test_without_the_arenas_it_is_inferred() -> None:
    beyond: dict[str, Gauge] = {
        "heap_released": 100.0 * MIB,
        "heap_idle": 100.0 * MIB,
        "sys": 108.0 * MIB,
        "rss_anon": 102.0 * MIB,
    }
    (cause,) = verdicts(samples(**beyond, **PEAKED))
    assert cause.cause == "unreturned-memory"
    assert cause.certainty is Certainty.INFERRED


def test_a_small_process_with_fragments_has_no_cause() -> None:
    assert slugs(samples(heap_inuse=30.0 * MIB, sys=40.0 * MIB, container_usage=40.0 * MIB, rss=38.0 * MIB)) == []
