"""A heap profile in pprof's format."""

from __future__ import annotations

from whyheap.parse.pprof_writer import write_pprof as to_pprof

__all__ = ["to_pprof"]
