"""Tables from program counter to value, against a plain reading of one after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binary_sample import values
from whyheap.errors import FormatError
from whyheap.parse.machine_code.pc_values import PcValues, table_ends

Steps = list[tuple[int, int]]


@st.composite
def tables(draw: st.DrawFn) -> Steps:
    """Values with the distances that they hold up to; neighbours differ, as the linker merges equal ones."""
    lengths = draw(st.lists(st.integers(1, 500), min_size=1, max_size=8))
    ends = np.cumsum(lengths).tolist()
    numbers = draw(st.lists(st.integers(-1, 1 << 20), min_size=len(ends), max_size=len(ends)))
    return [
        (number, end)
        for at, (number, end) in enumerate(zip(numbers, ends, strict=True))
        if at == 0 or number != numbers[at - 1]
    ]


def plain(steps: Steps, distance: int) -> int:
    return next((value for value, end in steps if distance < end), -1)


@given(many=st.lists(tables(), min_size=1, max_size=6), unit=st.sampled_from([1, 4]))
def test_each_table_is_read_as_alone(many: list[Steps], unit: int) -> None:
    scaled = [[(value, end * unit) for value, end in steps] for steps in many]
    encoded = [values(steps, unit) for steps in scaled]
    starts = np.cumsum([1, *(len(one) for one in encoded)])[:-1]
    pctab = np.frombuffer(b"\0" + b"".join(encoded), np.uint8)
    read = PcValues(pctab, starts, table_ends(starts, len(pctab)), unit)
    for table, steps in enumerate(scaled):
        distances = sorted({0, *(end - unit for _, end in steps), *(end for _, end in steps)})
        found = read.at(np.full(len(distances), table), np.array(distances))
        assert found.tolist() == [plain(steps, distance) for distance in distances]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), min_size=1, max_size=5))
def test_any_bytes_give_an_answer(data: bytes, starts: list[int]) -> None:
    offsets = np.minimum(np.unique(starts), len(data))
    read = PcValues(np.frombuffer(data, np.uint8), offsets, table_ends(offsets, len(data)), 1)
    assert len(read.at(np.arange(len(offsets)), np.zeros(len(offsets), np.int64))) == len(offsets)


def test_absurdly_long_tables_are_refused() -> None:
    pctab = np.zeros(1 << 22, np.uint8)
    starts = np.zeros(20, np.int64)
    with pytest.raises(FormatError, match="damaged"):
        PcValues(pctab, starts, np.full(20, len(pctab)), 1)
