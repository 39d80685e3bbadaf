"""Moments as text: RFC 3339 in UTC, and seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

_LONGEST_TEXT = 40
_LATEST_SECONDS = 32_503_680_000.0  # the year 3000


def utc_seconds(text: object) -> float | None:
    """Read a moment with its zone ("2024-05-01T03:12:00.5Z", "...+02:00"); None for anything else."""
    if not isinstance(text, str) or not 20 <= len(text) <= _LONGEST_TEXT:  # noqa: PLR2004 - 2024-05-01T03:12:00Z
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def utc_text(seconds: float) -> str:
    """Print seconds since 1970 as RFC 3339 in UTC, to the millisecond; "" for what is no moment of this age."""
    if not 0 < seconds < _LATEST_SECONDS:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_utc(text: object) -> str:
    """Spell a moment in UTC, to the millisecond; "" for what is none."""
    seconds = utc_seconds(text)
    return utc_text(seconds) if seconds is not None else ""
