"""Bytes, durations, shares, rates and counts: read as people write them, printed as people read them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from whyheap.errors import UsageError

BYTES_FORMS: Final = "a size such as 512MiB, 1.5GB, 64Ki or 1048576"
SHARE_FORMS: Final = "a share such as 90% or 0.9"
DURATION_FORMS: Final = "a duration such as 30s, 5m, 1h30m or 250ms"

_BINARY_STEPS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_BYTES_OF: Final[dict[str, int]] = {
    "": 1,
    "B": 1,
    **{f"{letter}{suffix}": 1024**power for power, letter in enumerate("KMGTPE", 1) for suffix in ("i", "iB")},
    **{f"{letter}{suffix}": 1000**power for power, letter in enumerate("KMGTPE", 1) for suffix in ("", "B")},
}
_BYTES_OF_ANY_CASE: Final = {
    unit.casefold(): factor
    for unit, factor in _BYTES_OF.items()
    if len(unit) != 1 or unit == "B"  # a lone "m" is MiB to Docker and a thousandth to Kubernetes: only "M" is read
}
_NUMBER: Final = r"\d{1,30}(?:\.\d{0,30})?|\.\d{1,30}"
_SIZE: Final = re.compile(rf"({_NUMBER})\s?([A-Za-z]{{0,3}})", re.ASCII)
_SHARE: Final = re.compile(rf"({_NUMBER})\s?(%?)", re.ASCII)
_SECONDS_OF: Final[dict[str, Decimal]] = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "\N{MICRO SIGN}s": Decimal("1e-6"),
    "\N{GREEK SMALL LETTER MU}s": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_DURATION_PART: Final = re.compile(rf"({_NUMBER})(ns|us|\N{{MICRO SIGN}}s|\N{{GREEK SMALL LETTER MU}}s|ms|s|m|h)")
_PLAIN_NUMBER: Final = re.compile(_NUMBER, re.ASCII)
_LARGEST_BYTES: Final = 2**63 - 1
_LARGEST_SECONDS: Final = Decimal(2**63 - 1) / 10**9  # what Go's time.Duration holds
_TENTHS_BELOW: Final = 99.95
_STEP: Final = 1024
_ROUNDS_UP_FROM: Final = 1023.5
_MINUTE: Final = 60
_HOUR: Final = 3600
_PERCENT: Final = 100.0
_SMALLEST_TENTH: Final = 0.05


def parse_bytes(text: str) -> int:
    """Read a size: `512MiB`, `1.5GB`, `64Ki`, `1048576`. KiB, Ki = 1024; KB, K = 1000. The result is in whole bytes."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise _not(text, BYTES_FORMS)
    number, unit = match.groups()
    factor = _BYTES_OF.get(unit) or _BYTES_OF_ANY_CASE.get(unit.casefold())
    if factor is None:
        raise _not(text, BYTES_FORMS)
    size = int(Decimal(number) * factor)
    if size > _LARGEST_BYTES:
        raise UsageError(f"{_shown(text)} is more memory than a machine can address.", f"Give {BYTES_FORMS}.")
    return size


def parse_share(text: str) -> float:
    """Read a share of 0..1: `90%` or `0.9`."""
    match = _SHARE.fullmatch(text.strip())
    if match is None:
        raise _not(text, SHARE_FORMS)
    number, percent = match.groups()
    share = Decimal(number) / (100 if percent else 1)
    if share > 1:
        raise UsageError(f"{_shown(text)} is more than the whole.", f"Give {SHARE_FORMS}.")
    return float(share)


def parse_bytes_or_share(text: str, whole_bytes: int) -> int:
    """Read a size, or a share of `whole_bytes` when it ends in `%`; the result is in bytes."""
    if text.rstrip().endswith("%"):
        return int(parse_share(text) * whole_bytes)
    try:
        return parse_bytes(text)
    except UsageError as error:
        raise UsageError(error.message, f"Give {BYTES_FORMS}, or a share such as 90%.") from None


def parse_duration(text: str) -> float:
    """Read a duration as Go writes it (`30s`, `5m`, `1h30m`, `250ms`), or a plain number of seconds; in seconds."""
    trimmed = text.strip()
    if _PLAIN_NUMBER.fullmatch(trimmed):
        seconds = Decimal(trimmed)
    else:
        parts = list(_DURATION_PART.finditer(trimmed))
        if not parts or "".join(part.group() for part in parts) != trimmed:
            raise _not(text, DURATION_FORMS)
        seconds = sum((Decimal(part[1]) * _SECONDS_OF[part[2]] for part in parts), Decimal(0))
    if seconds > _LARGEST_SECONDS:
        raise UsageError(f"{_shown(text)} is longer than 292 years.", f"Give {DURATION_FORMS}.")
    return float(seconds)


def spell_bytes(size: int) -> str:
    """Print a size exactly and without a space, as an option takes it: `512MiB`, `1000B`."""
    power = 0
    while size and size % _STEP == 0 and power < len(_BINARY_STEPS) - 1:
        size //= _STEP
        power += 1
    return f"{size}{_BINARY_STEPS[power]}"


def spell_duration(seconds: float) -> str:
    """Print a duration as Go takes it, to the millisecond: `1h30m`, `30s`, `1.5s`."""
    milliseconds = round(abs(seconds) * 1000)
    hours, rest = divmod(milliseconds, _HOUR * 1000)
    minutes, rest = divmod(rest, _MINUTE * 1000)
    parts = [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if minutes else []
    if rest or not parts:
        parts.append(f"{rest // 1000}.{rest % 1000:03d}".rstrip("0").rstrip(".") + "s")
    return ("-" if seconds < 0 and milliseconds else "") + "".join(parts)


def format_bytes(size: float) -> str:
    """Print a size for reading, three digits at most before the unit: `201 MiB`, `3.1 MiB`, `512 B`."""
    power, value = 0, abs(size)
    while power < len(_BINARY_STEPS) - 1 and value >= _ROUNDS_UP_FROM:
        value /= _STEP
        power += 1
    sign = "-" if size < 0 and value else ""
    exact = power == 0 or value >= _TENTHS_BELOW or value == int(value)
    return f"{sign}{value:.0f} {_BINARY_STEPS[power]}" if exact else f"{sign}{value:.1f} {_BINARY_STEPS[power]}"


def format_rate(bytes_per_second: float) -> str:
    """Print a rate, always with a decimal below 100: `61.0 MiB/s`, `512 KiB/s`, `0 B/s`."""
    number, _, unit = format_bytes(bytes_per_second).partition(" ")
    is_whole = unit == "B" or "." in number or abs(int(number)) >= 100  # noqa: PLR2004
    return f"{number} {unit}/s" if is_whole else f"{number}.0 {unit}/s"


def format_share(share: float) -> str:
    """Print a share of 0..1: `58 %`, `2.3 %`, `< 0.1 %`; never `0 %` for what is not nothing, nor `100 %` for less."""
    percent = share * _PERCENT
    if percent <= 0:
        return "0 %"
    if percent < _SMALLEST_TENTH:
        return "< 0.1 %"
    if share < 1 and percent >= _TENTHS_BELOW:
        return "> 99.9 %"
    if share < 1 and percent >= 99.5:  # noqa: PLR2004  rounding would make it the whole
        return f"{percent:.1f} %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"  # noqa: PLR2004  one digit gets a decimal


def format_count(count: float) -> str:
    """Print a count with separators: `61,204`."""
    return f"{count:,.0f}"


def format_large_count(count: float) -> str:
    """Print a count where the order of magnitude matters: `61,204`, `2.7 M`, `1.2 G`."""
    for factor, letter in ((10**9, "G"), (10**6, "M")):
        if count >= factor:
            return f"{count / factor:.1f} {letter}"
    return format_count(count)


def format_duration(seconds: float) -> str:
    """Print a duration for reading, two units at most: `75 s`, `5 min`, `1 h 30 min`, `250 ms`."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 1:
        return "0 s" if seconds == 0 else f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else "1 s"  # noqa: PLR2004
    if seconds < 2 * _MINUTE:
        return f"{seconds:.1f} s" if seconds < 9.95 and round(seconds, 1) % 1 else f"{seconds:.0f} s"  # noqa: PLR2004
    minutes = round(seconds / _MINUTE)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _not(text: str, forms: str) -> UsageError:
    return UsageError(f"{_shown(text)} is not {forms.partition(' such')[0]}.", f"Give {forms}.")


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 42 else f"{shown[:40]}...'"  # noqa: PLR2004  one line stays one line
