from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.errors import FormatError
from whyheap.model.profile import HeapProfile
from whyheap.parse.heap_text import parse_heap_text, parse_memstats
from whyheap.parse.pprof import parse_profile
from whyheap.parse.profile_math import flat_and_cumulative

RECORDED = Path(__file__).parents[1] / "recorded" / "profiles"
TEXTS = sorted(RECORDED.glob("go*/heap.txt"))
HEADER = "heap profile: 1: 1024 [2: 2048] @ heap/1048576\n"
COLUMNS = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")


def sums(profile: HeapProfile, column: str) -> dict[str, tuple[int, int]]:
    """Return flat and cumulative sums; the text shortens type arguments to [...]."""
    found: dict[str, tuple[int, int]] = {}
    for name, (flat, cumulative) in flat_and_cumulative(profile, column).items():
        short = re.sub(r"\[.*\]", "[...]", name)
        before = found.get(short, (0, 0))
        found[short] = (before[0] + flat, before[1] + cumulative)
    return found


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_the_text_says_what_the_binary_form_says(path: Path, column: str) -> None:
    text = parse_profile(path.read_bytes())
    assert text.period == 2048
    assert sums(text, column) == sums(parse_profile(path.with_name("heap.pb.gz").read_bytes()), column)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_inlined_frames_share_a_location(path: Path) -> None:
    profile = parse_heap_text(path.read_bytes())
    locations = [
        [profile.function_names[profile.line_functions[at]] for at in range(first, last)]
        for first, last in zip(profile.line_offsets, profile.line_offsets[1:], strict=False)
    ]
    assert ["main.fresh", "main.fill"] in locations
    assert ["main.grow"] in locations  # recursion: no two of them in one


def test_values_are_scaled_as_pprof_scales_them() -> None:
    # 1 of 1024 bytes at one sample per 524288 bytes: 1/(1-exp(-1024/524288)) = 512.5
    profile = parse_heap_text(
        (HEADER + "1: 1024 [2: 2048] @ 0x10 0x20\n#\t0xf\tmain.f+0x3\t/src/a b/m.go:7\n").encode()
    )
    assert {name: list(column) for name, column in profile.values.items()} == {
        "inuse_objects": [512],
        "inuse_space": [524800],
        "alloc_objects": [1025],
        "alloc_space": [1049600],
    }
    assert list(profile.object_bytes) == [1024]
    assert (profile.function_names, profile.function_files) == (["main.f"], ["/src/a b/m.go"])
    assert list(profile.line_numbers) == [7]


def test_without_symbols_the_addresses_remain() -> None:
    profile = parse_heap_text(
        (HEADER + "1: 8 [1: 8] @ 0x10 0x20\n1: 8 [1: 8] @ 0x20\n\nMAPPED_LIBRARIES:\njunk\n").encode()
    )
    assert list(profile.addresses) == [0x10, 0x20]
    assert list(profile.stack_offsets) == [0, 2, 3]
    assert list(profile.stack_locations) == [0, 1, 1]
    assert not profile.function_names


def test_rate_one_is_not_scaled() -> None:
    profile = parse_heap_text(b"heap profile: 1: 8 [1: 8] @ heap/2\n3: 24 [5: 40] @ 0x1\n")
    assert [list(profile.values[name]) for name in COLUMNS] == [[24], [3], [40], [5]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "heap profile\n",
        HEADER + "what is this\n",
        HEADER + "1: 99999999999999999999 [1: 1] @ 0x1\n",
        HEADER + "1: 1 [1: 1] @ 0x11111111111111111111\n",
        HEADER + "1: -5 [1: 5] @ 0x1\n",
        "heap profile: 1: 8 [1: 8] @ heap/4\n1: -9223372036854775807 [1: 5] @ 0x1\n",
    ],
)
def test_damaged_texts_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_heap_text(text.encode())


@pytest.mark.parametrize("piece", ["+0x1\t", "+0x1", "\t", ":1", "+0x1\tf:1", " "])
def test_long_lines_take_no_time(piece: str) -> None:
    line = "#\t0x1\tf" + piece * (1_000_000 // len(piece))
    begun = time.process_time()
    profile = parse_heap_text((HEADER + "1: 8 [1: 8] @ 0x1\n" + f"{line}\n{line[:60_000]}\n" * 20).encode())
    assert time.process_time() - begun < 2
    assert not profile.function_names
    with pytest.raises(FormatError, match="line 2"):
        parse_heap_text((HEADER + "1: 8 [1: 8] @" + " 0x1" * 100_000 + "\n").encode())


@given(st.lists(st.sampled_from([*"0123456789:[]@# \n\t-+.x", "0x1f", "1: 8 [1: 8] @", "\n#\t0x1\tf+0x1\tg.go:3\n"])))
@settings(max_examples=200, deadline=None)
def test_any_text_is_refused_or_read(pieces: list[str]) -> None:
    try:
        profile = parse_heap_text((HEADER + "".join(pieces)).encode())
    except FormatError:
        return
    assert len(profile.stack_offsets) == len(profile) + 1
    flat_and_cumulative(profile, "inuse_space")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_memstats_are_named_as_the_runtime_names_them(path: Path) -> None:
    stats = parse_memstats(path.read_text(encoding="utf-8"))
    assert stats["NumForcedGC"] == 1
    assert stats["HeapAlloc"] <= stats["HeapSys"] < stats["Sys"]
    assert stats["StackInuse"] <= stats["StackSys"]
    assert {"NextGC", "LastGC", "NumGC", "HeapIdle", "HeapReleased", "MSpanSys", "MCacheInuse", "GCCPUFraction"} <= set(
        stats
    )


def test_memstats_without_the_part_are_empty() -> None:
    assert parse_memstats("heap profile: no more\n# Alloc = 5\n") == {}
    ends = "# runtime.MemStats\n# PauseEnd = [40 20 30]\n# NumGC = "
    assert [parse_memstats(f"{ends}{count}\n").get("PreviousGC") for count in (1, 2, 3, 4)] == [None, 40, 20, 30]
    assert [parse_memstats(f"{ends}{count}\n").get("EarlierGC") for count in (1, 2, 3, 4)] == [None, None, 40, 20]
    assert parse_memstats("# runtime.MemStats\n# Alloc = 5\n# Bad = 1.2.3\n# GCCPUFraction = 1e-05\n") == {
        "Alloc": 5.0,
        "GCCPUFraction": 1e-05,
    }


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e300", "9" * 400])
def test_memstats_are_finite(number: str) -> None:
    text = f"# runtime.MemStats\n# NextGC = {number}\n# Stack = {number} / {'9' * 400}\n# Sys = 5\n"
    assert parse_memstats(text) == {"Sys": 5.0}
