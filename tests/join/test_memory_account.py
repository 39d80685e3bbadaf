from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.join.memory_account import account
from whyheap.model.account import MemoryAccount
from whyheap.model.finding import Certainty
from whyheap.model.gauge_units import UNITS

MIB = 1 << 20
SMAPS = {
    "smaps_rss": 100.0 * MIB,
    "smaps_text": 8.0 * MIB,
    "smaps_data": 1.0 * MIB,
    "smaps_libraries": 2.0 * MIB,
    "smaps_c_heap": 9.0 * MIB,
    "smaps_thread_stacks": 1.0 * MIB,
    "smaps_shared": 4.0 * MIB,
    "smaps_go_heap": 70.0 * MIB,
    "smaps_other_anon": 5.0 * MIB,
}
RUNTIME = {
    "heap_sys": 74.0 * MIB,
    "heap_inuse": 60.0 * MIB,
    "heap_idle": 14.0 * MIB,
    "heap_released": 8.0 * MIB,
    "heap_alloc": 56.0 * MIB,
    "heap_marked": 40.0 * MIB,
    "stack_inuse": 4.0 * MIB,
    "runtime_metadata": 3.0 * MIB,
}
CONTAINER = {
    "container_charge": 300.0 * MIB,
    "container_anon": 186.0 * MIB,
    "container_file": 104.0 * MIB,
    "container_shmem": 24.0 * MIB,
    "container_kernel": 10.0 * MIB,
    "container_processes": 3.0,
    "container_other_rss": 99.0 * MIB,
    "rss_anon": 86.0 * MIB,
    "rss_file": 10.0 * MIB,
    "rss_shmem": 4.0 * MIB,
}


def of(*groups: dict[str, float], **changes: float) -> MemoryAccount:
    values = {name: value for group in groups for name, value in group.items()} | changes
    assert values.keys() <= UNITS.keys()
    found = account(values)
    assert found is not None
    return found


def sizes(found: MemoryAccount) -> dict[str, float]:
    return {part.slug: part.bytes / MIB for part in found.parts}


def certainties(found: MemoryAccount) -> dict[str, Certainty]:
    return {part.slug: part.certainty for part in found.parts}


def test_the_heap_is_split_by_what_the_runtime_tells() -> None:
    found = of(SMAPS, RUNTIME)
    assert sizes(found) == {
        "code": 9,
        "libraries": 2,
        "shared-memory": 4,
        "c-heap": 9,
        "thread-stacks": 1,
        "runtime-metadata": 3,
        "off-heap": 2,
        "goroutine-stacks": 4,
        "free-spans": 6,
        "fragments": 4,
        "garbage": 16,
        "live-heap": 40,
    }
    assert found.unexplained_bytes == found.untouched_bytes == 0
    assert found.rss_explained_bytes == found.rss_bytes == 100 * MIB
    assert certainties(found)["live-heap"] is certainties(found)["garbage"] is Certainty.MEASURED
    assert certainties(found)["runtime-metadata"] is Certainty.INFERRED


def test_what_was_never_written_is_taken_off_live_objects_and_garbage_in_proportion() -> None:
    found = of(SMAPS, RUNTIME, smaps_go_heap=42.0 * MIB, smaps_rss=72.0 * MIB)
    assert found.untouched_bytes == 28 * MIB
    assert sizes(found)["live-heap"] == 20
    assert sizes(found)["garbage"] == 8
    assert certainties(found)["live-heap"] is Certainty.INFERRED
    assert found.rss_explained_bytes == found.rss_bytes


def test_what_is_resident_beyond_what_the_runtime_has_is_unexplained() -> None:
    found = of(SMAPS, RUNTIME, smaps_go_heap=80.0 * MIB, smaps_rss=110.0 * MIB)
    assert found.unexplained_bytes == 10 * MIB
    assert found.rss_explained_bytes == 100 * MIB


def test_without_the_runtimes_numbers_the_heap_is_one_part() -> None:
    found = of(SMAPS)
    assert sizes(found)["go-heap"] == 70
    assert sizes(found)["off-heap"] == 5
    assert found.unexplained_bytes == 0


def test_names_of_the_kernel_measure_the_runtimes_own_memory() -> None:
    found = of(SMAPS, RUNTIME, smaps_go_metadata=3.0 * MIB, smaps_rss=103.0 * MIB)
    assert sizes(found)["runtime-metadata"] == 3
    assert certainties(found)["off-heap"] is Certainty.MEASURED


def test_a_heap_told_by_its_place_makes_its_parts_inferred() -> None:
    found = of(SMAPS, RUNTIME, smaps_go_heap_inferred=1.0)
    assert certainties(found)["free-spans"] is Certainty.INFERRED
    assert sizes(found) == sizes(of(SMAPS, RUNTIME))


def test_a_heap_that_was_not_found_lies_among_other_memory() -> None:
    found = of(SMAPS, RUNTIME, smaps_go_heap_inferred=1.0, smaps_go_heap=0.0, smaps_other_anon=75.0 * MIB)
    assert sizes(found)["live-heap"] == 40
    assert found.unexplained_bytes == 0


def test_the_charge_is_accounted_for_as_a_whole() -> None:
    found = of(SMAPS, RUNTIME, CONTAINER)
    assert {name: sizes(found)[name] for name in ("page-cache", "shmem", "kernel", "other-processes")} == {
        "page-cache": 70,
        "shmem": 20,
        "kernel": 10,
        "other-processes": 100,
    }
    assert found.charge_bytes == 300 * MIB
    assert found.unexplained_bytes == 0


def test_parts_that_hold_more_than_the_charge_make_the_rest_negative() -> None:
    assert of(SMAPS, RUNTIME, CONTAINER, container_charge=290.0 * MIB).unexplained_bytes == -10 * MIB


def test_files_that_another_group_is_charged_with_are_said() -> None:
    found = of(SMAPS, RUNTIME, CONTAINER, container_file=24.0 * MIB, container_charge=220.0 * MIB)
    assert found.elsewhere_bytes == 10 * MIB
    assert "page-cache" not in sizes(found)
    assert found.unexplained_bytes == 0


def test_alone_in_its_group_a_process_has_no_others() -> None:
    found = of(SMAPS, RUNTIME, CONTAINER, container_processes=1.0)
    assert "other-processes" not in sizes(found)


def test_without_smaps_the_kinds_of_pages_are_told() -> None:
    values = {"rss": 100.0 * MIB, "rss_anon": 90.0 * MIB, "rss_file": 10.0 * MIB}
    found = of(RUNTIME, values)
    assert sizes(found)["code"] == 10
    assert found.rss_explained_bytes + found.unexplained_bytes == found.rss_bytes
    assert {certainties(found)[name] for name in ("live-heap", "garbage", "fragments")} == {Certainty.INFERRED}


def test_the_live_heap_follows_from_the_goal_where_it_is_not_told() -> None:
    without = {name: value for name, value in RUNTIME.items() if name != "heap_marked"}
    found = of(SMAPS, without, heap_goal=84.0 * MIB, gogc=100.0)  # (40 + 4) * 2 - 4
    assert sizes(found)["live-heap"] == pytest.approx(40, abs=0.5)
    assert certainties(found)["live-heap"] is Certainty.INFERRED


@pytest.mark.parametrize("values", [{}, {"rss": 0.0}, {"heap_alloc": 5.0}])
def test_without_resident_memory_there_is_no_account(values: dict[str, float]) -> None:
    assert account(values) is None


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*SMAPS, *RUNTIME, *CONTAINER, "smaps_go_heap_inferred", "heap_goal", "gogc", "rss"]),
        st.floats(0, 1e15),
    )
)
def test_whatever_is_told_the_books_balance(values: dict[str, float]) -> None:
    found = account(values)
    if found is None:
        return
    total = sum(part.bytes for part in found.parts)
    whole = found.rss_bytes if found.charge_bytes is None else found.charge_bytes + found.elsewhere_bytes
    assert abs(total + found.unexplained_bytes - whole) <= 2
    assert all(part.bytes >= 0 for part in found.parts)
    assert 0 <= found.rss_explained_bytes <= found.rss_bytes
    assert found.untouched_bytes >= 0
    assert len({part.slug for part in found.parts}) == len(found.parts)
