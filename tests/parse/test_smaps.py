from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recorded_kernel as recorded
from whyheap.model.gauge_units import SMAPS
from whyheap.parse.smaps import MOST_MAPPINGS, parse_smaps
from whyheap.parse.smaps_classes import Classes, Layout, classify

MIB = 1 << 20
PROGRAM = "/srv/shop"
RING = "/dev/shm/ring"  # noqa: S108 - a name that is read
BESIDE = frozenset({"smaps_rss", "smaps_pss", "smaps_huge"})


def mapping(start: int, size: int, permissions: str, name: str = "", *, rss: int = 4096, device: str = "00:00") -> str:
    return (
        f"{start:08x}-{start + size:08x} {permissions} 00000000 {device} {0 if device == '00:00' else 7} {name}\n"
        f"Size: {size >> 10} kB\nRss: {rss >> 10} kB\nPss: {rss >> 11} kB\nAnonHugePages: 0 kB\nVmFlags: rd wr\n"
    )


def classes(*mappings: str, layout: Layout | None = None) -> Classes:
    return classify(parse_smaps("".join(mappings).splitlines()), layout or Layout(PROGRAM))


def only(found: Classes) -> str:
    (name,) = (name for name, size in found.values.items() if size and name not in BESIDE)
    return name


def class_sum(found: Classes) -> float:
    return sum(size for name, size in found.values.items() if name not in BESIDE)


@pytest.mark.parametrize(
    ("name", "program"), [("cgo", "/srv/cgo"), ("v1", "/srv/oomrecording"), ("v2", "/init"), ("v2", "/not/known")]
)
def test_classes_of_a_real_process_sum_up_to_its_rss(name: str, program: str) -> None:
    mappings = recorded.smaps(name)
    found = classify(mappings, Layout(program))
    assert class_sum(found) == found.values["smaps_rss"] == sum(one.rss for one in mappings) > 0
    assert found.mappings == len(mappings)
    assert found.values.keys() <= SMAPS.keys()


def test_a_cgo_programs_memory_is_told_from_gos() -> None:
    values = classify(recorded.smaps("cgo"), Layout("/srv/cgo")).values
    assert values["smaps_c_heap"] > 20 * MIB
    assert 2 * MIB < values["smaps_go_heap"] < 8 * MIB
    assert values["smaps_libraries"] > MIB
    assert values["smaps_other_anon"] < 2 * MIB


@pytest.mark.parametrize("version", recorded.VERSIONS)
def test_the_heap_is_found_by_its_place_as_by_its_arenas(version: str) -> None:
    mappings = recorded.smaps(version)
    start = next(one.start for one in mappings if one.start % (64 * MIB) == 0 and one.start > 1 << 32)
    told = classify(mappings, Layout("/init", ((start, start + 64 * MIB),)))
    assert classify(mappings, Layout("/init")).values == told.values
    assert told.values["smaps_go_heap"] > 16 * MIB


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (mapping(0x400000, MIB, "r-xp", PROGRAM, device="fe:00"), "smaps_text"),
        (mapping(0x400000, MIB, "rw-p", f"{PROGRAM} (deleted)", device="fe:00"), "smaps_data"),
        (mapping(0x7F0000000000, MIB, "r-xp", "/lib/libc.so.6", device="fe:00"), "smaps_libraries"),
        (mapping(0x7F0000000000, MIB, "r--s", "/data/index", device="fe:00"), "smaps_file"),
        (mapping(0x7F0000000000, MIB, "rw-s", "/srv/ring", device="00:1b"), "smaps_shared"),
        (mapping(0x7F0000000000, MIB, "rw-s", RING, device="00:99"), "smaps_shared"),
        (mapping(0x7F0000000000, MIB, "rw-s", "/memfd:a b (deleted)", device="00:01"), "smaps_shared"),
        (mapping(0x7F0000000000, MIB, "rw-s", "/SYSV00000000 (deleted)", device="00:01"), "smaps_shared"),
        (mapping(0x7F0000000000, MIB, "rw-s", "/dev/zero (deleted)", device="00:01"), "smaps_shared"),
        (mapping(0x7F0000000000, MIB, "rw-s"), "smaps_shared"),
        (mapping(0x15ABF000, MIB, "rw-p", "[heap]"), "smaps_c_heap"),
        (mapping(0x7FFC00000000, MIB, "rw-p", "[stack]"), "smaps_thread_stacks"),
        (mapping(0x7FFC00000000, MIB, "r-xp", "[vdso]"), "smaps_special"),
        (mapping(0xC000000000, MIB, "rw-p", "[anon: Go: heap]"), "smaps_go_heap"),
        (mapping(0xC000000000, MIB, "rw-p", "[anon: Go: user arena chunk]"), "smaps_go_heap"),
        (mapping(0x7F0000000000, MIB, "rw-p", "[anon: Go: immortal metadata]"), "smaps_go_metadata"),
        (mapping(0x7F0000000000, MIB, "rw-p", "[anon: Go: gc bits]"), "smaps_go_metadata"),
        (mapping(0x7F0000000000, MIB, "rw-p", "[anon: Go: OS thread stack]"), "smaps_go_stacks"),
        (mapping(0x7F0000000000, MIB, "rw-p", "[anon: glibc: malloc arena]"), "smaps_c_heap"),
        (mapping(0x7F0000000000, MIB, "rw-p", "[anon:mine]"), "smaps_other_anon"),
        (mapping(0x7F0000000000, MIB, "rw-p"), "smaps_other_anon"),
        (mapping(0xC000000000, MIB, "rw-p"), "smaps_other_anon"),  # no whole arena: not Go's
    ],
)
def test_each_kind_of_mapping_has_its_class(line: str, expected: str) -> None:
    assert only(classes(line, layout=Layout(PROGRAM, memory_devices=frozenset({"00:1b"})))) == expected


def test_a_randomised_heap_behind_what_it_has_skipped_is_no_stack() -> None:
    base = 0x26C4C0000000
    found = classes(
        mapping(base, 20 * MIB, "---p", rss=0),
        mapping(base + 20 * MIB, 8 * MIB, "rw-p", rss=5 * MIB),
        mapping(base + 28 * MIB, 36 * MIB, "---p", rss=0),
        mapping(0x7F0000000000, MIB, "r-xp", "/lib/libc.so.6", device="fe:00", rss=0),
    )
    assert only(found) == "smaps_go_heap"


def test_arenas_of_malloc_and_stacks_of_threads_lie_where_the_kernel_puts_them() -> None:
    base = 0x7F0760000000
    found = classes(
        mapping(base, 10 * MIB, "rw-p", rss=9 * MIB),
        mapping(base + 10 * MIB, 54 * MIB, "---p", rss=0),
        mapping(base + 64 * MIB, 4096, "---p", rss=0),
        mapping(base + 64 * MIB + 4096, 8 * MIB, "rw-p", rss=2 * MIB),
        mapping(base + 90 * MIB, 4096, "---p", rss=0),
        mapping(base + 90 * MIB + 4096, 252 << 10, "rw-p", rss=MIB),
        mapping(base + 200 * MIB, MIB, "r-xp", "/lib/libc.so.6", device="fe:00", rss=0),
    )
    assert found.values["smaps_c_heap"] == 9 * MIB
    assert found.values["smaps_thread_stacks"] == 3 * MIB


def test_what_follows_a_librarys_data_is_its_own_unless_it_is_large() -> None:
    base = 0x7F0760001000
    library = mapping(base, MIB, "rw-p", "/lib/libc.so.6", device="fe:00", rss=0)
    assert only(classes(library, mapping(base + MIB, 64 << 10, "rw-p"))) == "smaps_libraries"
    assert only(classes(library, mapping(base + MIB, 64 * MIB, "rw-p"))) == "smaps_other_anon"


def test_a_programs_zeroed_data_is_its_own_however_large() -> None:
    data = mapping(0xA01000, 4096, "rw-p", PROGRAM, device="fe:00")
    assert only(classes(data, mapping(0xA02000, 32 * MIB, "rw-p", rss=MIB))) == "smaps_data"


def test_shared_segments_are_named_the_largest_first() -> None:
    found = classes(
        mapping(0x7F0000000000, MIB, "rw-s", "/memfd:small (deleted)", device="00:01"),
        mapping(0x7F0010000000, MIB, "rw-s", RING, device="00:1b", rss=MIB),
    )
    assert found.shared == (("00:1b", 7, RING, MIB), ("00:01", 7, "/memfd:small (deleted)", 4096))


def test_no_mapping_makes_no_classes() -> None:
    assert classes().values == {}


def test_mappings_are_bounded() -> None:
    lines = ("1000-2000 rw-p 00000000 00:00 0" for _ in range(MOST_MAPPINGS + 10))
    assert sum(1 for _ in parse_smaps(lines)) == MOST_MAPPINGS


HEADS = st.builds(
    "{:x}-{:x} {} 00000000 {} {} {}".format,
    st.integers(0, 1 << 48).map(lambda number: number & ~0xFFF),
    st.integers(0, 1 << 48).map(lambda number: number & ~0xFFF),
    st.sampled_from(["rw-p", "---p", "r-xp", "rw-s", "????"]),
    st.sampled_from(["00:00", "fe:00", "00:1b"]),
    st.integers(0, 10),
    st.sampled_from(["", PROGRAM, "/x.so.6", "[heap]", "[anon: Go: heap]", "[anon: Go: ", "/memfd:", "[stack:1]"]),
)
LINES = st.one_of(
    HEADS, st.builds("{}: {} kB".format, st.sampled_from(["Rss", "Pss", "x"]), st.integers(-5, 1 << 70)), st.text()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=30), st.lists(st.tuples(st.integers(0, 1 << 47), st.integers(0, 1 << 47)), max_size=3))
def test_garbage_keeps_the_sum(lines: list[str], arenas: list[tuple[int, int]]) -> None:
    mappings = list(parse_smaps(lines))
    found = classify(mappings, Layout(PROGRAM, arenas))
    assert class_sum(found) == float(sum(one.rss for one in mappings))
    assert found.values.keys() <= SMAPS.keys()
