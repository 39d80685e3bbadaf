"""Where the lines of a text are after it was edited."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import takewhile

Lines = frozenset[int]


def moved_lines(before: str, after: str, lines: Iterable[int]) -> tuple[Lines, Lines]:
    """Return 1-based lines of `before` and those of `after` that stand in their place.

    The first are `lines`, and all of a stretch that is now longer or shorter: which of its lines is which is not
    known, so that only the whole can be compared.
    """
    old, new = before.split("\n"), after.split("\n")
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    rest = min(len(old), len(new)) - head
    tails = zip(reversed(old), reversed(new), strict=False)
    tail = min(rest, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], tails)))
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    wanted = frozenset(lines)
    compared = set(wanted)
    found = {line for line in wanted if line <= head}
    found |= {line + len(new) - len(old) for line in wanted if line > len(old) - tail}
    for tag, old_start, old_stop, new_start, new_stop in matcher.get_opcodes():
        own = [line for line in wanted if old_start < line - head <= old_stop]
        if tag == "equal" or old_stop - old_start == new_stop - new_start:
            found |= {line - old_start + new_start for line in own}
        elif own or (tag == "insert" and {head + old_start, head + old_start + 1} & wanted):
            found |= set(range(head + new_start + 1, head + new_stop + 1))
            compared |= set(range(head + old_start + 1, head + old_stop + 1))
    return frozenset(compared), frozenset(found)
