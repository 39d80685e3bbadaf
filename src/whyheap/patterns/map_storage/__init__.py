"""Map storage: maps keep their tables, keys and values on the heap.

What it is: a map that outlives its function, a value whose address goes into a map, and the growth of a map that is
filled step by step. Whatever a map points to is kept as long as its key is in the map.

Why it costs: the map's own tables are allocated by the runtime (makemap, then one bigger table after the other as it
grows); keys and values above 128 bytes are allocated one by one; a pointer in a map costs its object besides.

How to see it: "make(map[K]V) escapes to heap", the reasons "map literal value", "map literal key" and "key of map
put", or an assignment to `m[k]`. Growth is silent: no line of the compiler speaks of it, the profile shows it on the
assignment. 1000 inserts into an unsized map are 20 allocations, into a presized one 5.

Fix: make the map with its size, `make(map[K]V, n)`; hold values instead of pointers; bound a map that only grows (a
limit, an age, or weak pointers), clear and reuse one that is filled again and again.

When to leave it: the map is small, or filled once and kept for the life of the program on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped, way
from whyheap.patterns.syntax import GoFile

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="map-storage",
    title="Held by a map",
    fixes=(judgement("bound a map that only grows, presize one that is filled once, hold values instead of pointers"),),
)
_PRESIZE = (judgement("presize the map: make(map[K]V, n)"),)
_GROWS = (
    judgement("bound the map if its keys never end (a limit, an age, delete); if their number is known, presize it"),
)
_TABLE = (judgement("leave it: a table of the package is made once, at the start; a switch would need no map"),)
_EMPTY = re.compile(r"map\[[^{]*\{\}|make\(map\[")
_BOUND = (judgement("bound the map: it keeps all that was ever put in"),)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per map that escapes, per value or key put into one, and for silent growth."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.MAP:
            fixes = _of_package(evidence, context) or _sized(escape.subject)
            yield PATTERN.heap(evidence, escape, f"map {way(escape)}", fixes=fixes)
        elif escape.route is Route.MAP:
            key = "key" if escape.reason == "key of map put" else "value"
            yield PATTERN.heap(evidence, escape, f"{key} of a map", fixes=_of_package(evidence, context))
        elif escape.route is Route.ASSIGN and escape.target.endswith("]"):
            yield from _element(evidence, context, escape)
    if context.is_silent(evidence, AllocatorKind.MAP_GROWTH):
        yield from _growth(evidence, context)
    if context.is_silent(evidence, AllocatorKind.MAP):
        yield from _made(evidence, context)


def _element(evidence: Evidence, context: Context, escape: Escape) -> Iterator[Finding]:
    """Tell an element of a map from one of a slice: by a string key, or by the package's declarations."""
    is_map = context.is_map(evidence, escape.target)
    if is_map:
        global_map = context.is_package_variable(evidence, _base(escape.target))
        message = "stored in a package-level map" if global_map else f"stored in map {clipped(_indexed(escape.target))}"
        yield PATTERN.heap(evidence, escape, message, fixes=_BOUND if global_map else _GROWS, inferred=True)


def _growth(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield a finding for an assignment to a map's element on a line that allocates silently."""
    file = context.file(evidence)
    calls = context.silent_calls(evidence, AllocatorKind.MAP_GROWTH)
    target = _filled(evidence, context, file, is_known=bool(calls)) if file is not None else ""
    if target or calls:
        message = "map grows as it is filled" if target else "entry of a map that is filled here"
        here = file is not None and _indexed(target) in file.locals(evidence.site.line)
        fixes = _of_package(evidence, context) or (_PRESIZE if here and not evidence.direct.inuse_bytes else _GROWS)
        yield PATTERN.silent(evidence, target or "map entry", message, fixes=fixes, calls=calls)


def _filled(evidence: Evidence, context: Context, file: GoFile, *, is_known: bool) -> str:
    """Return the element `m[k]` that the line assigns to; `is_known`: that it is a map's is seen in machine code."""
    for kind in ("assignment_statement", "inc_statement"):
        for node in file.nodes(kind, evidence.site.line):
            target = node.text().partition("=")[0].rstrip("+-*/|&^% ")
            if target.endswith("]") and (is_known or context.is_map(evidence, target)):
                return target
    return ""


def _made(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield a finding for a map that is made on a line that allocates silently."""
    file = context.file(evidence)
    calls = context.silent_calls(evidence, AllocatorKind.MAP)
    made = file.nodes("call_expression", evidence.site.line) if file is not None else []
    subject = next((one.text() for one in made if one.text().startswith(("make(map[", "make(Map"))), "")
    if subject or calls:
        message = "map with its first tables"
        fixes = _of_package(evidence, context) or _PRESIZE
        yield PATTERN.silent(evidence, subject or "map", message, fixes=fixes, calls=calls)


def _of_package(evidence: Evidence, context: Context) -> tuple[Fix, ...]:
    """Tell what to do about a map that a package-level variable is made with; nothing for one in a function."""
    file = context.file(evidence)
    if file is None or file.functions(evidence.site.line):
        return ()
    return _BOUND if _EMPTY.search(context.line_text(evidence)) else _TABLE


def _indexed(target: str) -> str:
    """Return the map of `a.m[k]`, of the last index in `m[a][b]`."""
    opened, depth = len(target), 0
    for i in range(len(target) - 1, -1, -1):
        depth += {"]": 1, "[": -1}.get(target[i], 0)
        if depth == 0:
            opened = i
            break
    return target[:opened]


def _base(indexed: str) -> str:
    """Return the variable of `m[k]` or `a.m[k]`."""
    return indexed.partition("[")[0].partition(".")[0]


def _sized(subject: str) -> tuple[Fix, ...]:
    """Propose a size where make has none."""
    if subject.startswith("make(map[") and ", " not in subject.rsplit("]", 1)[-1]:
        return (judgement(f"{clipped(subject)} -> {clipped(subject[:-1])}, n), with the number of keys to come"),)
    return ()
