"""What tracebacks see in an executable: frames of a place with their lines, and how far it is to the caller."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binary_sample import CALL_AT, NEWOBJECT, OUTER, TEXT_END, Sample
from whyheap.errors import FormatError
from whyheap.goruntime.allocators import type_argument
from whyheap.parse.machine_code.program import Program
from whyheap.parse.machine_code.traceback_frames import PrintedFrame, TracebackFrames

ARCHITECTURES = ("amd64", "arm64")


def frames_of(data: bytes) -> TracebackFrames:
    return TracebackFrames(Program(memoryview(data), str, type_argument))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_place_has_its_frames_with_raw_files_and_the_lines_of_calls_and_declarations(arch: str) -> None:
    place = OUTER + CALL_AT[arch]
    found = frames_of(Sample(arch=arch).build()).frames(np.array([place, OUTER, -1, TEXT_END]))
    outer = PrintedFrame("main.outer", "/home/me/app/main.go", 10, 10, is_wrapper=False, place=OUTER + 4)
    assert found == [
        (PrintedFrame("main.inner", "/home/me/app/part.go", 7, 6, is_wrapper=False, place=place), outer),
        (outer._replace(place=OUTER),),
        (),
        (),
    ]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_steps_tell_the_size_of_the_frame_and_where_the_function_begins(arch: str) -> None:
    steps = frames_of(Sample(arch=arch).build()).steps(np.array([NEWOBJECT + 4, OUTER + 8, -8, TEXT_END]))
    assert steps.frame_bytes.tolist() == [8, 8, -1, -1]
    assert steps.entries.tolist() == [NEWOBJECT, OUTER, -1, -1]
    assert not steps.injects.any()


def sample_with(kind: int, flags: int) -> bytes:
    """Return a program whose main.outer is of a kind and has flags: the last word of its record."""
    data = Sample().build()
    at = 4 + data.index(struct.pack("<2I", 10, 4 << 24))
    return data[:at] + bytes([kind, flags]) + data[at + 2 :]


@pytest.mark.parametrize(("flags", "size"), [(0, 8), (1, -1), (2, -1), (4, 8)])
def test_the_top_of_a_stack_and_what_writes_the_stack_pointer_end_a_walk(flags: int, size: int) -> None:
    assert frames_of(sample_with(0, flags)).steps(np.array([OUTER + 8])).frame_bytes.tolist() == [size]


def test_functions_of_the_last_kind_are_wrappers() -> None:
    found = frames_of(sample_with(23, 0)).frames(np.array([OUTER, NEWOBJECT]))
    assert [stack[0].is_wrapper for stack in found] == [True, False]


@settings(max_examples=300, deadline=None)
@given(
    arch=st.sampled_from(ARCHITECTURES),
    changes=st.lists(st.tuples(st.integers(0x2000, 0x2200) | st.integers(0, 0xDFFF), st.integers(0, 255)), max_size=16),
)
def test_damage_ends_in_an_answer_or_a_format_error(arch: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(Sample(arch=arch).build())
    for at, value in changes:
        data[at] = value
    places = np.array([-1, 0, 3, OUTER, OUTER + 15, OUTER + 16, TEXT_END, 1 << 40])
    try:
        table = frames_of(bytes(data))
        assert len(table.frames(places)) == len(table.steps(places).frame_bytes) == len(places)
    except FormatError:
        pass
