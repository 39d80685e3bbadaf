"""Channel send: a pointer is sent on a channel, so what it points to goes to the heap.

What it is: the address of a value, a slice or a closure is sent on a channel. Another goroutine will hold it, with a
stack of its own, so the value can live on neither stack.

Why it costs: one allocation per send (runtime.newobject, makeslice). The channel's buffer copies only the pointer;
the object behind it is garbage as soon as the receiver is done.

How to see it: a flow that ends in {heap} with the reason "send"; the value itself, or the struct that holds its
address, is sent.

Fix: send the value instead of a pointer: the channel copies it into its buffer or straight to the receiver's stack;
send batches; return used objects to the sender through a second channel or a pool.

When to leave it: the value is large, or both sides must see the same object, or sends are rare.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.escape import Route
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="channel-send",
    title="Sent on a channel",
    fixes=(judgement("send the value instead of a pointer"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per value whose address is sent on a channel."""
    for escape in context.escapes(evidence):
        if escape.route is Route.SEND:
            yield PATTERN.heap(evidence, escape, f"sent on {clipped(escape.target)}")
