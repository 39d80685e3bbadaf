"""Percent-decoding, as Go escapes import paths in linker symbols and file URIs (net/url stays outside this room)."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def percent_decoded(text: str) -> str:
    """Undo %XX escapes; what is no valid UTF-8 is kept as it was."""
    return _ESCAPES.sub(_decoded, text) if "%" in text else text


def _decoded(match: re.Match[str]) -> str:
    try:
        return bytes.fromhex(match[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return match[0]
