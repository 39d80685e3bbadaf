"""Fields by path, and numbers out of bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.struct_layout import Field, LayoutError, StructLayout, TypeLayout, Variable
from whyheap.parse.struct_view import StructView

LAYOUT = StructLayout(
    types={
        "runtime.inner": TypeLayout(16, {"count": Field(0, 4, "int32"), "share": Field(8, 8, "float64")}),
        "[3]runtime.inner": TypeLayout(48, {}, "runtime.inner", 3),
        "runtime.outer": TypeLayout(
            64, {"next": Field(0, 8, "*runtime.outer"), "parts": Field(16, 48, "[3]runtime.inner")}
        ),
    },
    variables={"runtime.one": Variable(0x1000, 64, "runtime.outer"), "runtime.plain": Variable(0x2000, 4, "int32")},
)
DATA = struct.pack("<QQ", 7, 0) + b"".join(
    struct.pack("<iid", count, -1, share) for count, share in ((1, 0.5), (-2, 2))
)
DATA += struct.pack("<iid", 3, 0, float("nan"))


def test_a_path_leads_through_arrays_and_structs() -> None:
    assert LAYOUT.field("outer", "parts[1].share") == Field(40, 8, "float64")
    assert LAYOUT.field("runtime.one", "parts[2].count") == Field(48, 4, "int32")
    assert LAYOUT.sizeof("outer") == LAYOUT.sizeof("runtime.one") == 64
    assert LAYOUT.sizeof("runtime.plain") == 4


@pytest.mark.parametrize("path", ["gone", "parts[3]", "next.parts", "parts[1].gone", "parts.count"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    assert not LAYOUT.has_field("outer", path)
    with pytest.raises(LayoutError, match="in this program's Go"):
        LAYOUT.field("outer", path)


def test_an_unknown_type_is_told() -> None:
    with pytest.raises(LayoutError, match="nothing"):
        LAYOUT.sizeof("nothing")


def test_numbers_are_signed_or_not_and_finite() -> None:
    view = StructView(LAYOUT, "outer", DATA)
    assert view.number("next") == 7
    assert view.signed("parts[1].count") == -2
    assert view.number("parts[1].count") == 2**32 - 2
    assert view.real("parts[0].share") == 0.5
    assert view.real("parts[2].share") == 0.0
    assert view.first("gone", "next") == "next"
    with pytest.raises(LayoutError):
        view.first("gone", "lost")


@given(st.binary(max_size=80), st.sampled_from(["next", "parts[0].count", "parts[2].share", "parts"]))
def test_cut_bytes_are_told(data: bytes, path: str) -> None:
    view = StructView(LAYOUT, "outer", data)
    place = LAYOUT.field("outer", path)
    if len(data) >= place.offset + min(place.size, 8):
        assert 0 <= view.number(path) < 2**64
    else:
        with pytest.raises(LayoutError):
            view.number(path)
