"""How a value gets away, in plain words: the last part of a finding's message."""

from __future__ import annotations

import re

from whyheap.patterns.escape import Escape, Route
from whyheap.patterns.printed import is_name

_LONGEST = 40
_UNNAMED = re.compile(r"(?<!\w)\.autotmp_\d+(\.)?")
"""What the compiler calls the result of a call that the source gives no name."""


def way(escape: Escape) -> str:  # noqa: PLR0911 - one return per route
    """Return a clause such as "passed to keep", "returned", "stored in s.items[i]"."""
    route, target = escape.route, clipped(escape.target)
    if route is Route.CALL:
        return f"passed to {clipped(escape.callee)}" if escape.callee else "passed to a call"
    if route is Route.VARIADIC:
        return (
            f"passed to {clipped(escape.callee)} as a variadic argument"
            if escape.callee
            else "passed as a variadic argument"
        )
    if route is Route.ASSIGN:
        where = "package-level " if is_name(escape.target) else ""
        return f"stored in {where}{target}"
    if route is Route.NAMED:
        return f"kept in {target}, which outlives it"
    if route is Route.CONTAINED and escape.reason == "captured by a closure":
        return "captured by a closure, which is on the heap"
    if route is Route.CONTAINED and escape.target == escape.subject:
        return "behind a slice or string that is boxed"
    if route is Route.CONTAINED:
        return f"held by {target}, which is on the heap"
    fixed = {
        Route.RETURN: "returned",
        Route.APPENDED: f"{'copied' if escape.reason == 'copied slice' else 'appended'} by {target}",
        Route.MAP: f"stored in a map by {target}",
        Route.SEND: f"sent on {target}",
        Route.METHOD: "receiver of a bound method",
        Route.REFERENCE: "captured by reference",
        Route.STARTED: "started as a goroutine, or deferred in a loop",
        Route.SIZE: escape.reason,
    }
    return fixed.get(route, "escapes")


def clipped(text: str) -> str:
    """Return printed Go on one line, cut to a readable length."""
    line = _UNNAMED.sub(_unnamed, " ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def _unnamed(found: re.Match[str]) -> str:
    return "(...)." if found[1] else "an unnamed value"
