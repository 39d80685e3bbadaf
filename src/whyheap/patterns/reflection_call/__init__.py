"""Reflection call: a value is boxed for a function that takes it apart by reflection.

What it is: sort.Slice, reflect.DeepEqual, json.Marshal and Encode and their kin take `any` and find out at run time
what it is. A slice or struct that is passed by value is first copied to the heap.

Why it costs: runtime.convTslice or convT allocates the copy, two for DeepEqual; the reflection behind it allocates more
(sort.Slice what swaps two elements, Marshal its result) and reads every element through an interface.

How to see it: "orders escapes to heap", passed to such a call. Machine code shows convTslice or convT on the line.

Fix: the typed functions: slices.SortFunc for sort.Slice, slices.Equal or maps.Equal for reflect.DeepEqual, one's own
Equal method; pass a pointer to Marshal and Encode, which they accept as well.

When to leave it: start-up code and tests, or the encoded output is large anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Escape, Route, Storage
from whyheap.patterns.pattern import Pattern, judgement, mechanical
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="reflection-call",
    title="Boxed for a function that reflects",
    fixes=(judgement("use the typed function, or pass a pointer"),),
)
_CALLS = re.compile(
    r"""(?:sort\.(?:Slice\w*)|reflect\.(?:DeepEqual|ValueOf|Indirect|Copy|Swapper)
    |(?:json|xml|yaml|toml|asn1|bson|msgpack|cbor)\.Marshal\w*
    |\(\*?(?:json|xml|yaml|toml|gob|msgpack|cbor)\.Encoder\)\.Encode(?:Value|Element)?
    |gob\.Register(?:Name)?|binary\.(?:Write|Size|Append|Encode)
    |\(\*template\.Template\)\.Execute(?:Template)?
    )$""",
    re.VERBOSE,
)
_TYPED = {
    "sort.Slice": "slices.SortFunc",
    "sort.SliceStable": "slices.SortStableFunc",
    "sort.SliceIsSorted": "slices.IsSortedFunc",
}


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value that is boxed as the argument of a function known to reflect."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.BOX and _is_reflected(escape):
            yield PATTERN.heap(
                evidence, escape, f"boxed for {clipped(escape.callee)}, which reflects", fixes=_fixes(escape.callee)
            )


def _is_reflected(escape: Escape) -> bool:
    """Whether the value goes to a call that reflects; the byte order of binary.Write is called as an interface."""
    return escape.route is Route.CALL and not escape.subject.endswith("Endian") and bool(_CALLS.match(escape.callee))


def _fixes(callee: str) -> tuple[Fix, ...]:
    if callee in _TYPED:
        return (mechanical(f"{callee} -> {_TYPED[callee]}"),)
    if callee == "reflect.DeepEqual":
        return (judgement("slices.Equal, maps.Equal, or an Equal method of the type"),)
    return (judgement(f"pass a pointer to {callee}"),)
