"""Where memory went: one account from the gauges of one moment."""

from __future__ import annotations

from collections.abc import Mapping

from whyheap.model.account import MemoryAccount


def account(values: Mapping[str, float]) -> MemoryAccount | None:
    """Return the account of one moment; None when its gauges do not tell enough."""
    del values
    return None
