"""Loop-outliving value: made in a loop, and kept by a variable from outside of the loop.

What it is: an object or slice is made in the body of a loop and its address is assigned to a variable that is
declared before the loop. A stack frame has one place for a line of source, whatever the number of iterations; as the
value of one iteration is still needed in the next, that one place is not enough, and the value goes to the heap.

Why it costs: one allocation per iteration (runtime.newobject, makeslice), though the function returns none of them.

How to see it: "x escapes to heap" whose flow ends not in {heap} but in the name of a variable, the one outside of the
loop; nothing is returned, sent or passed on.

Fix: keep a copy of the value instead of its address (`best = j` instead of `best = &j`), an index into the slice that
the loop ranges over, or make one backing array before the loop.

When to leave it: the loop builds a list that it works on afterwards, or it runs a few times.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.destination import End, end, holder
from whyheap.patterns.pattern import Pattern, judgement

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="loop-outliving-value",
    title="Outlives its loop iteration",
    fixes=(judgement("keep a copy or an index, or use one backing array for all iterations"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value made in a loop that a variable from outside of the loop keeps."""
    file = context.file(evidence)
    in_loop = file is not None and file.loop(evidence.site.line) is not None
    for escape in context.escapes(evidence):
        if end(evidence, context, escape) is End.AROUND_LOOP:
            message = f"kept in {holder(escape)}, which outlives the loop's iteration"
            yield PATTERN.heap(evidence, escape, message, inferred=not in_loop)
