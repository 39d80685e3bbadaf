"""Numbers that a target sends: infinities and NaN would end in a division or a comparison that makes no sense."""

from __future__ import annotations

from whyheap.model.gauge import LARGEST_VALUE


def finite_number(value: str | float) -> float | None:
    """Return a text or a number as a float, None when it is no number, NaN or larger than any that is true."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST_VALUE else None
