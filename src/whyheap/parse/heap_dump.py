"""Reads what runtime/debug.WriteHeapDump writes: all objects, what points to what, and what keeps them alive.

The format is that of runtime/heapdump.go, the same in Go 1.22 to 1.27 (header "go1.7 heap dump"). What shapes this:

- objects are whole slots of a span, so a pointer may lead inside one, and in spans of small objects with pointers the
  runtime's own bitmap at the end of the span is written as if it were objects; nothing points to those;
- a frame's pointer fields leave out variables whose address is taken (FUNCDATA_StackObjects): a field that points into
  the goroutine's own stack makes what stands there, up to the end of that frame, count as pointers;
- weak pointers and cleanups (Go 1.24) are not written;
- struct g begins with its stack's bounds (runtime2.go), so the size of a stack is known from the g, which is an object.
"""

from __future__ import annotations

from whyheap.errors import FormatError
from whyheap.model.heap_dump import HeapDump
from whyheap.parse.heap_dump_graph import GraphOf
from whyheap.parse.heap_dump_records import HEADER, Bytes, Records
from whyheap.parse.varint_columns import OddMessageError


def parse_heap_dump(data: Bytes) -> HeapDump:
    """Read a whole dump. Raises FormatError with the place where it stops to make sense."""
    if data[: len(HEADER)] != HEADER:
        raise FormatError("this is no heap dump of Go: it does not begin with 'go1.7 heap dump'")
    records = Records(data)
    try:
        records.read()
        return GraphOf(records).graph()
    except (IndexError, ValueError, OverflowError, OddMessageError) as error:
        raise FormatError(f"the heap dump is cut or damaged at byte {records.at:,}") from error
