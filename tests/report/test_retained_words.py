"""What a leak keeps alive is said in few words, in text and in one sentence."""

from __future__ import annotations

import pytest

from whyheap.report.retained_words import retained_lines, retained_sentence

KNOWN = {"retained_bytes": "1048800", "retained_objects": "3", "stack_bytes": "2048", "stack_bytes_at_least": "2048"}
LARGE = KNOWN | {"largest_bytes": "1048576", "largest_held_by": "a.test/p.run"}


@pytest.mark.parametrize(
    ("labels", "lines"),
    [
        ({}, []),
        ({"stack_bytes_at_least": "2048"}, ["holds at least 2 KiB of stack, and what it refers to"]),
        (KNOWN, ["retains 1.0 MiB of heap in 3 objects, and 2 KiB of stack"]),
        (KNOWN | {"retained_objects": "0"}, ["retains no heap of its own, and 2 KiB of stack"]),
        (
            LARGE | {"shared_bytes": "65536", "shared_objects": "1"},
            [
                "retains 1.0 MiB of heap in 3 objects, and 2 KiB of stack",
                "the largest of them, 1 MiB, was reached through a.test/p.run",
                "and, with other leaks, 64 KiB in 1 object",
            ],
        ),
        (
            LARGE | {"largest_allocated_by": "a.test/p.Start"},
            [
                "retains 1.0 MiB of heap in 3 objects, and 2 KiB of stack",
                "the largest of them, 1 MiB, was allocated by a.test/p.Start",
            ],
        ),
        (
            LARGE | {"largest_allocated_by": "a.test/p.Start", "largest_allocated_at": "p/x.go:4"},
            [
                "retains 1.0 MiB of heap in 3 objects, and 2 KiB of stack",
                "the largest of them, 1 MiB, was allocated at p/x.go:4",
            ],
        ),
        (KNOWN | {"retained_bytes": "x"}, ["holds at least 2 KiB of stack, and what it refers to"]),
    ],
)
def test_a_leak_says_what_it_retains(labels: dict[str, str], lines: list[str]) -> None:
    assert list(retained_lines(labels)) == lines
    assert all(len(line) <= 76 for line in lines)


def test_other_formats_get_one_sentence() -> None:
    assert retained_sentence(LARGE) == "Retains 1.0 MiB of heap in 3 objects, and 2 KiB of stack"
    assert retained_sentence({"stack_bytes_at_least": "2048"}) == ""
