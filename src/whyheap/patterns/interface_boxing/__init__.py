"""Interface boxing: a concrete value is stored in an interface.

What it is: an interface holds a type and a pointer. A value that is no pointer (number, string, slice, struct) must
be copied somewhere so that the interface can point to it; if the interface escapes, that copy is on the heap.

Why it costs: the runtime's convT64, convTstring, convTslice or convT allocate a copy per conversion, and every use of
the interface hides the value from inlining and escape analysis.

How to see it: "n escapes to heap" for a plain expression, with "spill" as the first reason: the conversion itself
allocates. Constants print the same words and never allocate (static read-only data); neither do zero-size values, and
the runtime keeps all single bytes ready, integers below 256 included. Pointers, maps, channels and funcs fit into the
interface word: what is on the heap then is the thing they point to, which other patterns name.

Fix: give the API a concrete type or a type parameter; store a pointer that exists anyway; convert once outside the
loop and reuse the interface value.

When to leave it: errors and rare paths, values that are boxed once and kept, and small integers.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Storage
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import way

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="interface-boxing",
    title="Value boxed into an interface",
    fixes=(judgement("use a concrete type or a type parameter instead of the interface"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value whose conversion to an interface allocates; variadic-any comes first."""
    for escape in context.escapes(evidence):
        if escape.storage is Storage.BOX:
            what = "constant boxed" if escape.never else "boxed"
            yield PATTERN.heap(evidence, escape, f"{what} into an interface, {way(escape)}")
