"""Archives that are cut off or damaged: an answer or a FormatError, in bounded time and memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from whyheap.errors import FormatError
from whyheap.goruntime.allocators import type_argument
from whyheap.parse.machine_code.archive import Archive
from whyheap.parse.machine_code.goobj import MAGIC
from whyheap.parse.machine_code.line_notes import line_notes
from whyheap.parse.machine_code.pc_table import decode_table

RECORDED = Path(__file__).resolve().parents[2] / "recorded" / "archives"
WHOLE = tuple((RECORDED / name).read_bytes() for name in ("shop-go1.22.10-amd64.a", "user-go1.27.3-arm64.a"))
OBJECT = WHOLE[0].index(MAGIC)


def read_all(data: bytes) -> int:
    """Ask an archive for everything that it can tell."""
    told = 0
    with suppress(FormatError):
        archive = Archive(data, "example.com/p", str, type_argument)
        with suppress(FormatError):
            told += len(line_notes(archive.functions()).code)
        for function in archive.functions():
            with suppress(FormatError):
                told += len(function.inlined) + len(function.site.file)
                for call in function.calls:
                    told += len(call.callee) + len(call.type) + len(function.frames(call.offset))
    return told


def test_the_recordings_tell_much() -> None:
    assert all(read_all(data) > 100 for data in WHOLE)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_cut_off(whole: bytes, data: st.DataObject) -> None:
    read_all(whole[: data.draw(st.integers(0, len(whole)))])


@settings(max_examples=70, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_bytes_changed_anywhere(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=20)):
        damaged[place] = data.draw(st.integers(0, 255))
    read_all(bytes(damaged))


@settings(max_examples=70, deadline=None)
@given(st.integers(8, 96), st.integers(0, 2**32 - 1))
def test_offsets_of_blocks_changed(place: int, value: int) -> None:
    damaged = bytearray(WHOLE[0])
    damaged[OBJECT + place : OBJECT + place + 4] = value.to_bytes(4, "little")
    read_all(bytes(damaged))


def test_many_symbols_of_one_long_name_are_refused() -> None:
    """Names may share bytes: a small file could else unfold to gigabytes."""
    damaged = bytearray(WHOLE[0])
    symbols = int.from_bytes(damaged[OBJECT + 20 + 12 : OBJECT + 20 + 16], "little")
    end = int.from_bytes(damaged[OBJECT + 20 + 28 : OBJECT + 20 + 32], "little")
    for place in range(OBJECT + symbols, OBJECT + end - 20, 21):
        damaged[place : place + 8] = (30_000).to_bytes(4, "little") + bytes(4)
    read_all(bytes(damaged))


@given(st.binary(max_size=200), st.sampled_from([1, 4]), st.integers(-10, 10_000))
def test_any_bytes_are_a_table_or_refused(data: bytes, quantum: int, offset: int) -> None:
    with suppress(FormatError):
        table = decode_table(data, quantum)
        assert len(table.ends) == len(table.values) <= len(data)
        assert -(2**31) <= table.at(offset) < 2**31
