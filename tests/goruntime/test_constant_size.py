"""Sizes of what a make with constant lengths gives."""

from __future__ import annotations

import pytest

from whyheap.goruntime.constant_size import constant_size


@pytest.mark.parametrize(
    ("expression", "size"),
    [
        ("make([]byte, 4096)", 4096),
        ("make([]int32, 3, 10)", 40),
        ("make([]complex128, 2)", 32),
        ("make([]byte, n)", 0),
        ("make([]session, 4)", 0),
        ("&session{...}", 0),
        ("make([]byte, 4096) + x", 0),
    ],
)
def test_only_constants_of_elements_of_one_size_are_known(expression: str, size: int) -> None:
    assert constant_size(expression) == size
