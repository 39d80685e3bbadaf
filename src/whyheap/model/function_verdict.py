"""Whether a function allocates each time it runs."""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.model.machine_code import Allocates
from whyheap.model.site import Site


@dataclass(frozen=True, slots=True)
class FunctionVerdict:
    """One function, callees included. `alone` leaves them out; `via` leads to what decides (linker symbols).

    `calls` counts its own calls of the allocator.
    """

    site: Site
    symbol: str
    allocates: Allocates
    alone: Allocates
    via: tuple[str, ...]
    calls: int
