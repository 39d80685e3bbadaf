"""The finding for bytes that a line allocates through a call, shared by the patterns that speak of callees."""

from __future__ import annotations

from collections.abc import Sequence

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.finding import Certainty, Finding
from whyheap.patterns.pattern import Pattern
from whyheap.patterns.route_text import clipped


def of_callee(pattern: Pattern, evidence: Evidence, parts: Sequence[CalleeBytes], message: str) -> Finding:
    """Return a pattern's finding for one function called from the line; `parts` are its bytes, by leaf."""
    callee = parts[0].callee
    leaf = heaviest(parts).leaf
    by = "" if leaf in (callee, "") else f", by {clipped(short(leaf))}"
    return Finding(
        id="",
        pattern=pattern.slug,
        site=evidence.site,
        subject=callee,
        message=f"{message}{by}",
        certainty=Certainty.MEASURED,
        calls=evidence.calls,
        callees=tuple(parts),
        fixes=pattern.fixes,
        labels={"callee": callee, "leaf": leaf},
    )


def heaviest(parts: Sequence[CalleeBytes]) -> CalleeBytes:
    """Return the part that allocates most; of equals the first by the leaf's name."""
    return min(parts, key=lambda one: (-one.measure.alloc_bytes, -one.measure.inuse_bytes, one.leaf))


def short(symbol: str) -> str:
    """Return a symbol with the last element of its package's path: `big.(*Float).Append`."""
    head, bracket, rest = symbol.partition("[")
    return head.rsplit("/", 1)[-1] + bracket + rest
