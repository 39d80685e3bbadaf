"""Pool boxing: a slice or struct is boxed to be put into a pool.

What it is: sync.Pool holds `any`. `pool.Put(buf)` of a []byte stores the slice's header (pointer, length, capacity)
in an interface, and that header is copied to the heap on each Put: the pool saves an array and pays a header.

Why it costs: runtime.convTslice allocates 24 bytes per Put, convT as much as a struct has. The allocation that the
pool was made to avoid is back, though a smaller one.

How to see it: "buf escapes to heap", passed to (*sync.Pool).Put. Machine code shows convTslice on the line of the Put.

Fix: keep a pointer in the pool: `*[]byte`, or a pointer to a struct that holds the slice (*bytes.Buffer), from New
over Get to Put. Put the same pointer back that Get returned: a new `&buf` allocates again.

When to leave it: the arrays are large, and one header per round is noise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route, Storage
from whyheap.patterns.pattern import Pattern, mechanical

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="pool-boxing",
    title="Boxed to be put into a pool",
    fixes=(mechanical("keep a pointer in the pool, *[]byte instead of []byte, and put the same pointer back"),),
)
_SYNC_POOL = "(*sync.Pool).Put"
_POOL_LIKE = re.compile(r"(?i:pool)\w*(?:\[[^\]]*\])?\)?\.Put$")


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value that is boxed as the argument of a pool's Put."""
    for escape in context.escapes(evidence):
        if escape.storage is not Storage.BOX or escape.route is not Route.CALL:
            continue
        if escape.callee == _SYNC_POOL or _POOL_LIKE.search(escape.callee):
            message = f"boxed to be put into a pool by {escape.callee}"
            yield PATTERN.heap(evidence, escape, message, inferred=escape.callee != _SYNC_POOL)
