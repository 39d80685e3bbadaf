"""Moments as text: RFC 3339 in UTC, and seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from whyheap.errors import UsageError
from whyheap.units import parse_duration

MOMENT_FORMS = "a moment such as 2026-05-01T03:12:00Z, 2026-05-01T05:12:00+02:00, now or 90m ago"

_LONGEST_TEXT = 40
_UNIX_SECONDS = re.compile(r"\d{9,11}(?:\.\d{1,9})?", re.ASCII)
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


def read_moment(text: str, now: float) -> float:
    """Read what people write for a moment, in seconds since 1970: RFC 3339, Unix seconds, `now`, `90m ago`.

    Raises:
        UsageError: it is none of these, has no time zone, or lies in the future.
    """
    trimmed = text.strip()
    if trimmed == "now":
        return now
    if trimmed.endswith(" ago"):
        return now - parse_duration(trimmed.removesuffix(" ago"))
    seconds = float(trimmed) if _UNIX_SECONDS.fullmatch(trimmed) else utc_seconds(trimmed.replace(" ", "T", 1))
    if seconds is None and utc_seconds(f"{trimmed.replace(' ', 'T', 1)}Z") is not None:
        raise UsageError(f"{trimmed} has no time zone.", f"Write {trimmed.replace(' ', 'T', 1)}Z for UTC.")
    if seconds is None:
        raise UsageError(f"{trimmed[:60]!a} is not a moment.", f"Give {MOMENT_FORMS}.")
    if seconds > now + 60:
        raise UsageError(f"{trimmed} lies in the future.", f"Give {MOMENT_FORMS}.")
    return min(seconds, now)
