"""Executables: calls of the allocator with lines, inline stacks and types."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binary_sample import CALL_AT, OUTER, TEXT, Sample
from whyheap.errors import FormatError
from whyheap.goruntime.allocators import is_allocator, type_argument
from whyheap.model.facts import AllocatorCall
from whyheap.model.site import Site
from whyheap.parse.machine_code.binary import Binary

ARCHITECTURES = ("amd64", "arm64")
HOME = "/home/me/app/"


def opened(data: bytes) -> Binary:
    return Binary(data, is_allocator, type_argument, lambda raw: raw.removeprefix(HOME))


def expected(arch: str) -> AllocatorCall:
    return AllocatorCall(
        site=Site("part.go", 7, 0, "inner", "main"),
        callee="runtime.newobject",
        type="main.T",
        address=TEXT + OUTER + CALL_AT[arch],
        inlined_at=(Site("main.go", 10, 0, "outer", "main"),),
        symbol="main.outer",
    )


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("release", [22, 26, 27])
@pytest.mark.parametrize("pie", [False, True])
def test_a_call_has_its_line_its_inline_stack_and_its_type(arch: str, release: int, *, pie: bool) -> None:
    binary = opened(Sample(arch=arch, release=release, pie=pie).build())
    assert list(binary.allocator_calls()) == [expected(arch)]
    assert binary.arch == arch


def test_marks_of_the_build_are_read() -> None:
    binary = opened(Sample().build())
    assert binary.go_version == "go1.27.3"
    assert binary.build_ids.go == "build-id"
    assert not binary.build_ids.gnu


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_function_tells_its_declaration_code_calls_and_frames(arch: str) -> None:
    binary = opened(Sample(arch=arch).build())
    function = binary.function("main.outer")
    assert function is not None
    assert function.site == Site("main.go", 10, 0, "outer", "main")
    assert function.address == TEXT + OUTER
    assert len(function.code) == 64
    (call,) = function.calls
    assert (call.offset, call.callee, call.type) == (CALL_AT[arch], "runtime.newobject", "main.T")
    assert function.frames(call.offset) == (expected(arch).site, *expected(arch).inlined_at)
    assert function.frames(0) == (Site("main.go", 10, 0, "outer", "main"),)
    assert function.frames(60) == (Site("main.go", 12, 0, "outer", "main"),)


def test_functions_are_told_from_those_that_exist_only_inlined() -> None:
    binary = opened(Sample().build())
    assert [one.symbol for one in binary.functions()] == ["runtime.newobject", "main.outer"]
    assert binary.linked_symbols == {"runtime.newobject", "main.outer"}
    assert binary.inlined_only_symbols == {"main.inner"}
    assert binary.function("main.inner") is None


def test_memory_is_read_by_address() -> None:
    binary = opened(Sample().build())
    assert bytes(binary.read(TEXT + OUTER + CALL_AT["amd64"], 1) or b"") == b"\xe8"
    assert binary.read(TEXT - 1, 1) is None
    assert binary.read(TEXT, 1 << 40) is None


def test_a_type_that_another_load_replaces_is_not_told() -> None:
    """A generic function loads the type from its dictionary, into a register that held another one before."""
    data = bytearray(Sample().build())
    text_at = 0x1000 + OUTER
    lea = bytes(data[text_at + 8 : text_at + 15])
    (displacement,) = struct.unpack("<i", lea[3:])
    data[text_at + 5 : text_at + 15] = lea[:3] + struct.pack("<i", displacement + 3) + b"\x48\x8b\x03"  # MOVQ (BX), AX
    (call,) = opened(bytes(data)).allocator_calls()
    assert not call.type


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no 64-bit"),
        (b"#!/bin/sh\n" * 50, "no 64-bit"),
        (Sample().build()[:64], "no loaded segments"),
        (Sample().build()[:0x1100], "no line tables"),
        (b"\x7fELF\x02\x01" + b"\0" * 100, "another processor"),
        (Sample().build().replace(b"\xf1\xff\xff\xff", b"\xf0\xff\xff\xff"), "no line tables of Go 1.20"),
        (Sample().build()[:0xC000], "module data was not found"),
    ],
)
def test_what_is_no_go_executable_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        opened(data)
    assert caught.value.hint


@settings(max_examples=300, deadline=None)
@given(
    arch=st.sampled_from(ARCHITECTURES),
    pie=st.booleans(),
    changes=st.lists(st.tuples(st.integers(0, 0xDFFF), st.integers(0, 255)), max_size=12),
    near=st.lists(st.tuples(st.integers(0x2000, 0x2200), st.integers(0, 255)), max_size=12),
    length=st.integers(0, 0xE000) | st.just(0xE000),
)
def test_damage_ends_in_an_answer_or_a_format_error(
    arch: str, changes: list[tuple[int, int]], near: list[tuple[int, int]], length: int, *, pie: bool
) -> None:
    data = bytearray(Sample(arch=arch, pie=pie).build())
    for at, value in changes + near:
        data[at] = value
    try:
        binary = opened(bytes(data[:length]))
        for call in binary.allocator_calls():
            assert call.site.line >= 0
        for function in binary.functions():
            _ = function.site, function.calls, function.frames(3), len(function.code)
        _ = binary.go_version, binary.build_ids, binary.inlined_only_symbols
    except FormatError:
        pass
