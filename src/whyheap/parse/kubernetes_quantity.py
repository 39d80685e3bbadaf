"""Kubernetes' quantities: `512Mi`, `1.5Gi`, `129M`, `129e6`, `128974848000m`.

Source: k8s.io/apimachinery pkg/api/resource/quantity.go (the grammar in its comment) and suffix.go.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_QUANTITY = re.compile(
    r"([+-]?)(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:([eE][+-]?\d{1,2})|([KMGTPE]i|[numkMGTPE]))?", re.ASCII
)
_FACTORS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
_LARGEST = Decimal(2**63 - 1)


def parse_quantity(text: object) -> int | None:
    """Return a quantity of bytes, rounded up as Kubernetes does; None for what is none, negative or too large."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = repr(text)
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) and len(text) <= 80 else None  # noqa: PLR2004
    if match is None or match[1] == "-":
        return None
    number = Decimal(match[2] + (match[3] or "")) * _FACTORS.get(match[4] or "", Decimal(1))
    return math.ceil(number) if number <= _LARGEST else None
