"""Bounds checks that the compiler kept: many, so they are read from stored facts only where something asks for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.site import Position, Site

_BOUNDS = b'{"kind":"bounds",'
_KEPT = frozenset({"isInBounds", "isSliceInBounds"})


class _BoundsLine(msgspec.Struct):
    """What is read of a fact line of kind bounds."""

    file: str
    line: int
    column: int
    message: str
    site: Position
    package: str = ""


_DECODER = msgspec.json.Decoder(_BoundsLine)


def kept_checks(builds: Iterable[bytes]) -> list[CompilerFact]:
    """Return the bounds checks kept in a package, from the fact lines of its builds; what builds repeat once."""
    found: dict[tuple[Position, Position, str], CompilerFact] = {}
    for lines in builds:
        for line in lines.splitlines():
            if line.startswith(_BOUNDS):
                fact = _DECODER.decode(line)
                if fact.message in _KEPT:
                    printed = Position(fact.file, fact.line, fact.column)
                    found[fact.site, printed, fact.message] = CompilerFact(
                        FactKind.BOUNDS, printed, "", fact.package, fact.message, "", fact.site
                    )
    return list(found.values())


def checks_by_line(package: str, checks: Iterable[CompilerFact]) -> list[Evidence]:
    """Put the checks together by the line that their code stands on, wherever it is inlined."""
    lines: dict[tuple[str, int], list[CompilerFact]] = defaultdict(list)
    for fact in checks:
        lines[fact.site.file, fact.site.line].append(fact)
    return [Evidence(Site(file, line, 0, "", package), tuple(facts)) for (file, line), facts in sorted(lines.items())]


def with_checks(evidence: Iterable[Evidence], checks: Iterable[Evidence]) -> list[Evidence]:
    """Add what lines say of their checks to what else is known of them."""
    lines = {(one.site.file, one.site.line): one for one in evidence}
    for one in checks:
        at = (one.site.file, one.site.line)
        known = lines.get(at)
        lines[at] = one if known is None else replace(known, facts=(*known.facts, *one.facts))
    return list(lines.values())
