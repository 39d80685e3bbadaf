"""Building a heap profile from buckets: frames of one call in one location, the runtime left out, counts scaled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.runtime_sample_layout import ALLGS, RATE, image
from whyheap.collect import census
from whyheap.collect.call_frames import Call, CallFrames, without_wrappers
from whyheap.collect.census_profile import Locations, scaled
from whyheap.parse.machine_code.traceback_frames import PrintedFrame

# Functions begin at each hundred. Return addresses, and the frames of the calls before them, innermost first:
STACKS = {
    0x110: ("main.inner", "main.middle", "main.outer"),
    0x108: ("main.middle", "main.outer"),  # as the compiler's marks stand for the calls that are inlined
    0x104: ("main.outer",),
    0x150: ("main.outer",),
    0x210: ("main.caller",),
    0x310: ("runtime.mallocgc",),
    0x320: ("internal/runtime/maps.newTable", "runtime.mapassign"),
    0x31C: ("runtime.mapassign",),
    0x410: ("runtime.goexit",),
    0x510: ("main.wrapped", "main.wrapper"),
}


class Calls:
    """What `CallFrames` tells of these; every other address is not Go's."""

    base = 0

    def call(self, pc: int) -> Call:
        return Call(pc - pc % 0x100 if pc in STACKS else -1, pc - 1)

    def of(self, pc: int) -> tuple[PrintedFrame, ...]:
        return tuple(
            PrintedFrame(name, f"{name}.go", pc, 1, name == "main.wrapper", pc - 1 - 8 * (level > 0) - 4 * (level > 1))
            for level, name in enumerate(STACKS.get(pc, ()))
        )

    def at(self, address: int) -> tuple[PrintedFrame, ...]:
        return self.of(address)


def located(*stacks: tuple[int, ...]) -> list[list[list[str]]]:
    """Return the functions of each location of each stack."""
    locations = Locations(cast("Any", Calls()))
    names: list[list[list[str]]] = []
    found = [locations.of(stack) for stack in stacks]
    functions = list(locations.functions)
    for stack in found:
        spans = [(locations.line_offsets[at], locations.line_offsets[at + 1]) for at in stack]
        names.append([[functions[one] for one in locations.line_functions[first:stop]] for first, stop in spans])
    return names


def test_frames_of_one_call_are_one_location() -> None:
    assert located((0x110, 0x108, 0x104, 0x210)) == [[["main.inner", "main.middle", "main.outer"], ["main.caller"]]]


def test_a_function_that_calls_itself_is_two_locations() -> None:
    assert located((0x104, 0x150, 0x210)) == [[["main.outer"], ["main.outer"], ["main.caller"]]]


def test_a_stack_that_was_cut_off_within_an_inlined_call_is_made_whole() -> None:
    assert located((0x210, 0x110)) == [[["main.caller"], ["main.inner", "main.middle", "main.outer"]]]


def test_a_location_that_is_known_takes_all_its_addresses() -> None:
    whole = ["main.inner", "main.middle", "main.outer"]
    assert located((0x110, 0x108, 0x104, 0x210), (0x110, 0x108, 0x104)) == [[whole, ["main.caller"]], [whole]]


def test_the_runtime_is_left_out_at_the_leaf_and_at_the_root() -> None:
    assert located((0x310, 0x320, 0x31C, 0x210, 0x310, 0x410)) == [[["main.caller"], ["runtime.mallocgc"]]]


def test_a_stack_of_the_runtime_alone_is_shown() -> None:
    assert located((0x310, 0x320, 0x31C)) == [
        [["runtime.mallocgc"], ["internal/runtime/maps.newTable", "runtime.mapassign"]]
    ]


def test_an_address_outside_of_go_is_a_location_without_a_name() -> None:
    assert located((0x999, 0x210)) == [[[""], ["main.caller"]]]


def test_an_empty_stack_has_no_location() -> None:
    assert located((), (0x410,)) == [[], []]


def test_wrappers_are_not_shown_but_below_a_panic() -> None:
    frames = Calls().of(0x510)
    assert [frame.symbol for frame in without_wrappers(frames)] == ["main.wrapped"]
    assert [frame.symbol for frame in without_wrappers(frames[1:], "runtime.gopanic")] == ["main.wrapper"]


@pytest.mark.parametrize(
    ("count", "size", "rate", "expected"),
    [
        (0, 64, 512 << 10, (0, 0)),
        (3, 64, 1, (3, 192)),
        (1, 48, 512 << 10, (10923, 524312)),  # as a program's own profile said, Go 1.27.3
        (1, 480, 512, (1, 788)),
        (-1, 480, 512, (-1, -788)),
        (2, 1 << 30, 512 << 10, (2, 2 << 30)),
    ],
)
def test_counts_are_scaled_by_the_chance_of_a_sample(
    count: int, size: int, rate: int, expected: tuple[int, int]
) -> None:
    assert scaled(count, size, rate) == expected


@given(st.integers(-(1 << 64), 1 << 64), st.integers(0, 1 << 64), st.integers(1, 1 << 62))
def test_scaled_counts_fit_into_a_profile_whatever_the_memory_holds(count: int, size: int, rate: int) -> None:
    assert all(abs(value) < 1 << 63 for value in scaled(count, size, rate))


class Table:
    """Functions that begin at each hundred; `asked` counts how many places were decoded."""

    def __init__(self) -> None:
        self.asked = 0

    def entries(self, distances: Iterable[int]) -> Any:
        import numpy as np  # noqa: PLC0415 - as the program's

        return np.array([place - place % 0x100 if place < 0x1000 else -1 for place in distances])

    def frames(self, distances: Any) -> list[tuple[PrintedFrame, ...]]:
        self.asked += len(distances)
        return [
            (PrintedFrame(f"main.f{place:x}", "/go/src/m.go", 1, 1, is_wrapper=False, place=place),)
            for place in distances.tolist()
        ]


def test_a_return_address_stands_for_the_call_before_it_unless_a_function_begins_there() -> None:
    table = Table()
    calls = CallFrames(cast("Any", table), 0x10000)
    assert [calls.call(0x10000 + pc) for pc in (0x110, 0x200, 0x5000)] == [
        Call(0x10100, 0x1010F),
        Call(0x10200, 0x10200),
        Call(-1, 0x14FFF),
    ]
    assert [site.function for site in calls.stack((0x10110, 0x10200))] == ["f10f", "f200"]
    asked = table.asked
    calls.stack((0x10110, 0x10200))
    assert table.asked == asked
    assert calls.call((1 << 64) - 1).entry == -1


def test_a_go_that_keeps_them_in_another_way_costs_the_profile_and_the_stacks_but_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, runtime = image(tmp_path)
    process.put(RATE, 512 << 10)
    process.put(ALLGS, 0x8000, 1, 1)
    process.put(0x8000, 0x9000)
    runtime.layout.types.pop("runtime.memRecord")
    runtime.layout.types.pop("runtime.g")
    runtime.__dict__["gaps"] = ()
    monkeypatch.setattr(census, "read_numbers", lambda _: SimpleNamespace(values={"goroutines": 12.0}))
    monkeypatch.setattr(CallFrames, "of_program", lambda _: Calls())
    found = census.Census(runtime)
    assert found.heap_profile() is None
    assert found.goroutines() == (12, ())
    assert ["memRecord" in found.gaps[0].reason, "g is not known" in found.gaps[1].reason] == [True, True]
