"""Finds each site of one revision in the other, although lines move, literals are renumbered and functions renamed.

A site's id is made of its package, function, pattern and subject, and a number among equals (patterns/judge.py), so
moved lines match by themselves. Where a function has more equals than before, the text of their lines tells which of
them are new. What is left is matched by its text: in the same function under another number of a func literal, under
another reason, then anywhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from whyheap.model.finding import Finding
from whyheap.patterns.judge import plain_subject

_LITERAL = re.compile(r"(?:\.(?:func|gowrap|deferwrap)?\d+(?:-range\d+)?|-range\d+)+$")
_MOST_ALIKE = 500
_Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A finding with the text of its line, "" where the source could not be read."""

    finding: Finding
    text: str


@dataclass(frozen=True, slots=True)
class Matched:
    """What was found again, in pairs (before, after), and what was not. `moved` are pairs in another place."""

    same: tuple[tuple[Placed, Placed], ...]
    moved: tuple[tuple[Placed, Placed], ...]
    removed: tuple[Placed, ...]
    added: tuple[Placed, ...]


def match_sites(before: Iterable[Placed], after: Iterable[Placed]) -> Matched:
    """Pair the sites of two revisions; each is in one pair at most."""
    old, new = (sorted(side, key=lambda one: one.finding.site) for side in (before, after))
    same: list[tuple[Placed, Placed]] = []
    for key in (_identity, _in_literal, _in_line):
        pairs, old, new = _paired(old, new, key)
        same += pairs
    moved: list[tuple[Placed, Placed]] = []
    for key in (_in_package, _anywhere):
        pairs, old, new = _paired(old, new, key)
        moved += pairs
    return Matched(tuple(same), tuple(moved), tuple(old), tuple(new))


def _identity(one: Placed) -> _Names:
    site = one.finding.site
    return site.package, site.function, one.finding.pattern, plain_subject(one.finding)


def _in_literal(one: Placed) -> _Names:
    return (*_in_line(one), one.finding.pattern, plain_subject(one.finding)) if one.text else ()


def _in_line(one: Placed) -> _Names:
    site = one.finding.site
    return (site.package, _LITERAL.sub("", site.function), one.text) if one.text else ()


def _in_package(one: Placed) -> _Names:
    return (one.finding.site.package, *_anywhere(one)) if one.text else ()


def _anywhere(one: Placed) -> _Names:
    return (one.finding.pattern, plain_subject(one.finding), one.text) if one.text else ()


def _paired(
    before: Sequence[Placed], after: Sequence[Placed], key: Callable[[Placed], _Names]
) -> tuple[list[tuple[Placed, Placed]], list[Placed], list[Placed]]:
    """Pair those of equal keys that are not empty; returns what is left of both sides, in order."""
    groups: dict[_Names, tuple[list[Placed], list[Placed]]] = defaultdict(lambda: ([], []))
    for index, side in enumerate((before, after)):
        for one in side:
            groups[key(one)][index].append(one)
    pairs = [pair for found, (old, new) in groups.items() if found for pair in _alike(old, new)]
    taken = {id(one) for pair in pairs for one in pair}
    old_left, new_left = ([one for one in side if id(one) not in taken] for side in (before, after))
    return pairs, old_left, new_left


def _alike(old: Sequence[Placed], new: Sequence[Placed]) -> list[tuple[Placed, Placed]]:
    """Pair as many as both have, in order; with more on one side those first whose lines read the same."""
    if len(old) == len(new) or not old or not new or max(len(old), len(new)) > _MOST_ALIKE:
        return list(zip(old, new, strict=False))
    blocks = SequenceMatcher(None, [one.text for one in old], [one.text for one in new], autojunk=False)
    pairs = [
        (old[block.a + step], new[block.b + step])
        for block in blocks.get_matching_blocks()
        for step in range(block.size)
    ]
    taken = {id(one) for pair in pairs for one in pair}
    rest = ([one for one in side if id(one) not in taken] for side in (old, new))
    return [*pairs, *zip(*rest, strict=False)]
