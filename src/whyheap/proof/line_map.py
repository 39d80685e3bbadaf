"""Where the lines of a text are after it was edited."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import takewhile

Lines = frozenset[int]
Stretch = tuple[str, int, int, int, int]


def moved_lines(before: str, after: str, lines: Iterable[int]) -> tuple[Lines, Lines]:
    """Return 1-based lines of `before` and those of `after` that stand in their place.

    The first are `lines`, and all of a stretch that is now longer or shorter: which of its lines is which is not
    known, so that only the whole can be compared.
    """
    wanted = frozenset(lines)
    compared = set(wanted)
    found: set[int] = set()
    for tag, old_start, old_stop, new_start, new_stop in _stretches(before, after):
        own = [line for line in wanted if old_start < line <= old_stop]
        if tag == "equal" or old_stop - old_start == new_stop - new_start:
            found |= {line - old_start + new_start for line in own}
        elif own or (tag == "insert" and {old_start, old_start + 1} & wanted):
            found |= set(range(new_start + 1, new_stop + 1))
            compared |= set(range(old_start + 1, old_stop + 1))
    return frozenset(compared), frozenset(found)


def line_before(before: str, after: str, line: int) -> int | None:
    """Return the line of `before` that a line of `after` is, word for word; None in what was edited."""
    for tag, old_start, _, new_start, new_stop in _stretches(before, after):
        if new_start < line <= new_stop:
            return line - new_start + old_start if tag == "equal" else None
    return None


@lru_cache(maxsize=32)
def _stretches(before: str, after: str) -> tuple[Stretch, ...]:
    """Return difflib's opcodes, in lines; what both texts begin and end with is left out of its work."""
    old, new = before.split("\n"), after.split("\n")
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    rest = min(len(old), len(new)) - head
    tails = zip(reversed(old), reversed(new), strict=False)
    tail = min(rest, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], tails)))
    middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail]).get_opcodes()
    return (
        ("equal", 0, head, 0, head),
        *((tag, a + head, b + head, c + head, d + head) for tag, a, b, c, d in middle),
        ("equal", len(old) - tail, len(old), len(new) - tail, len(new)),
    )
