"""Numbers without a site, and witnesses that could not speak."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_VALUE = 2.0**64
"""No number of a Go process or of the kernel is larger: what is, and what is not finite, is kept out at the edges."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number at a moment. `unit` is "bytes", "seconds", "count", "share"; `at` is RFC 3339 UTC."""

    name: str
    value: float
    unit: str
    at: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A witness that could not speak: why, and what the user can do about it. Data, not an exception."""

    witness: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which witness said it: tool and version, scrubbed command line, input, when (RFC 3339 UTC)."""

    witness: str
    tool: str
    command: str
    input: str
    at: str
