"""A bounds check that the compiler could not remove."""

from __future__ import annotations

from dataclasses import dataclass

from whyheap.model.site import Position


@dataclass(frozen=True, slots=True)
class KeptCheck:
    """One check at `site`, inlined at `printed_at` where that differs.

    `is_index` tells an index (`xs[i]`) from the bounds of a slice (`xs[i:j]`). `function` is empty without the source.
    """

    site: Position
    printed_at: Position
    function: str
    package: str
    is_index: bool
