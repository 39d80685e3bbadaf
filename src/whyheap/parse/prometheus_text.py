"""Prometheus text format, only what a Go process says about its own memory: values without labels, by name.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. Names: client_golang's Go
collector (`go_memstats_*`, `go_goroutines`, `go_threads`, `go_gc_*`) and process collector (`process_*`).
"""

from __future__ import annotations

import re

from whyheap.errors import FormatError
from whyheap.parse.finite import finite_number

KNOWN_NAMES = frozenset(
    {
        "go_goroutines",
        "go_threads",
        "go_gc_gogc_percent",
        "go_gc_gomemlimit_bytes",
        "go_gc_heap_live_bytes",
        "go_memstats_heap_alloc_bytes",
        "go_memstats_next_gc_bytes",
        "go_memstats_stack_inuse_bytes",
        "process_resident_memory_bytes",
        "process_virtual_memory_max_bytes",
    }
)
MAX_LINES = 500_000

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]{0,199})(?:\{\})?[ \t]+(\S{1,40})(?:[ \t]+-?\d{1,20})?[ \t]*")
_ANY_LINE = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{|[ \t])|#|\s*$")


def parse_prometheus(text: str) -> dict[str, float]:
    """Return the known values, a name once (the first).

    Raises:
        FormatError: the text is not in this format.
    """
    found: dict[str, float] = {}
    for index, line in enumerate(text.splitlines()):
        if index >= MAX_LINES:
            break
        if not _ANY_LINE.match(line):
            raise FormatError(f"line {index + 1} is not in the Prometheus text format: {line[:60]!a}")
        if not line.startswith(("go_", "process_")):
            continue
        match = _SAMPLE.fullmatch(line)
        if match is not None and match[1] in KNOWN_NAMES and match[1] not in found:
            value = finite_number(match[2])
            if value is not None:
                found[match[1]] = value
    return found
