"""Channel creation: every channel is made on the heap.

What it is: `make(chan T, n)` allocates the channel with its lock, its two queues of waiting goroutines and room for n
elements. Escape analysis does not look at channels: there is none on the stack.

Why it costs: runtime.makechan allocates 96 bytes (112 in Go 1.27) and n times the size of an element, a second object
when the elements hold pointers. A channel per request or per item (a done channel, a result channel) adds up, and so
does what its goroutine holds.

How to see it: the compiler prints no verdict at all for a channel. Machine code calls runtime.makechan; profiles show
the bytes on the line.

Fix: make one channel for many values; close one shared channel instead of one done channel per item; a
sync.WaitGroup or errgroup where only the end matters; a plain call where nothing runs at the same time.

When to leave it: the channel lives as long as the goroutine it belongs to, or is made at start-up.
"""

from __future__ import annotations

from collections.abc import Iterator

from whyheap.goruntime.allocators import AllocatorKind
from whyheap.model.evidence import Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.context import Context
from whyheap.patterns.pattern import Pattern, judgement

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="channel-creation",
    title="Channel made",
    fixes=(judgement("make the channel once and reuse it, or wait with a sync.WaitGroup"),),
)


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield a finding for a line that makes a channel, as machine code or a profile and the source show."""
    if not context.is_silent(evidence, AllocatorKind.CHANNEL):
        return
    calls = context.silent_calls(evidence, AllocatorKind.CHANNEL)
    file = context.file(evidence)
    written = file.nodes("call_expression", evidence.site.line) if file is not None else []
    made = [call.text() for call in written if _is_channel(call.text())]
    if calls or made:
        subject = made[0] if made else "channel"
        message = "channel with its buffer" if ", " in subject or "," in subject else "channel"
        yield PATTERN.silent(evidence, subject, message, calls=calls)


def _is_channel(text: str) -> bool:
    return text.startswith(("make(chan ", "make(<-chan ", "make(chan<- ", "make(chan("))
