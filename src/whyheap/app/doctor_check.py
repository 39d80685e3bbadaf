"""One thing that `whyheap doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `remedy` is what mends it, empty when nothing has to be mended."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
