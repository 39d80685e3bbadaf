"""Finds each site of one revision in the other, although lines move, literals are renumbered and functions renamed.

A site's id is made of its package, function, pattern and subject, and a number among equals (patterns/judge.py), so
moved lines match by themselves. Among the equals of a function, those whose lines read the same belong together: what
is left over is then the line that is new. Then by text alone: in the same function for another reason, then anywhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from whyheap.model.finding import Finding
from whyheap.patterns.judge import plain_subject

_LITERAL = re.compile(r"(?:\.(?:func|gowrap|deferwrap)?\d+(?:-range\d+)?|-range\d+)+$")
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
    for key in (_exactly, _in_literal, _identity, _in_function, _in_line):
        pairs, old, new = _paired(old, new, key)
        same += pairs
    moved: list[tuple[Placed, Placed]] = []
    for key in (_in_package, _anywhere):
        pairs, old, new = _paired(old, new, key)
        moved += pairs
    return Matched(tuple(same), tuple(moved), tuple(old), tuple(new))


def _exactly(one: Placed) -> _Names:
    return (*_identity(one), one.text) if one.text else ()


def _in_literal(one: Placed) -> _Names:
    return (*_in_function(one), one.text) if one.text else ()


def _identity(one: Placed) -> _Names:
    """What an id is made of."""
    site = one.finding.site
    return site.package, site.function, one.finding.pattern, plain_subject(one.finding)


def _in_function(one: Placed) -> _Names:
    """The same whatever number a func literal has."""
    package, function, *rest = _identity(one)
    return package, _LITERAL.sub("", function), *rest


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
    """Pair those of equal keys, in order, but for empty keys; returns also what is left of both sides."""
    groups: dict[_Names, tuple[list[Placed], list[Placed]]] = defaultdict(lambda: ([], []))
    for index, side in enumerate((before, after)):
        for one in side:
            groups[key(one)][index].append(one)
    pairs = [pair for found, sides in groups.items() if found for pair in zip(*sides, strict=False)]
    taken = {id(one) for pair in pairs for one in pair}
    old_left, new_left = ([one for one in side if id(one) not in taken] for side in (before, after))
    return pairs, old_left, new_left
