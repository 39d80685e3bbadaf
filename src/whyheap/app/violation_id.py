"""Ids of violations that stand for no finding."""

from __future__ import annotations

from hashlib import blake2b

_ID_BYTES = 6


def violation_id(rule: str, *parts: str) -> str:
    """Return an id made of what stays when lines move: names of packages and functions, words."""
    text = "\0".join((rule, *parts))
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_ID_BYTES).hexdigest()
