"""What the terminal reports of `whyheap diff` share."""

from __future__ import annotations

import pytest

from whyheap.model.site import Site
from whyheap.report.terminal_diff import changed_lines, diff_header


@pytest.mark.parametrize(
    ("width", "first"),
    [
        (120, " shop  /recordings/2026-11-20-api.whyheap -> /recordings/2026-11-27-api.whyheap"),
        (80, " shop  /recordings/2026-11-20-api.whyheap -> /recordings/2026-11-27-api.whyheap"),
        (40, " shop  /record…hyheap -> /record…hyheap"),
    ],
)
def test_both_sides_are_named_in_any_width(width: int, first: str) -> None:
    sides = ("/recordings/2026-11-20-api.whyheap", "/recordings/2026-11-27-api.whyheap")
    assert diff_header("shop", sides, "", width)[0].plain == first


def test_what_is_not_shown_is_counted() -> None:
    found = [(Site("a/long/way/to/file.go", number, 2, "F", "p"), "boxed") for number in range(1, 13)]
    rows = [row.plain for row in changed_lines("ADDED", "red", found, 20, 60, all_rows=False)]
    assert rows[:2] == [" ADDED", "        …/way/to/file.go:1   boxed"]
    assert (len(rows), rows[-1]) == (12, "        ... 2 more lines (--all)")
    assert len(changed_lines("ADDED", "red", found, 20, 60, all_rows=True)) == 13
    assert changed_lines("ADDED", "red", [], 20, 60, all_rows=False) == []
