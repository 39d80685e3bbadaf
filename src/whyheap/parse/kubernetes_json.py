"""JSON from the Kubernetes API, whose shape is not trusted: what is missing or of another type is empty."""

from __future__ import annotations

import json
from typing import Any

from whyheap.errors import FormatError

MAX_ITEMS = 10_000


def load_object(body: bytes, kind: str) -> dict[str, Any]:
    """Return a JSON object. Raises FormatError when it is none; `kind` says what was expected ("a pod")."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"kubectl did not answer with the JSON of {kind}.", "Does it work by hand?") from error
    if not isinstance(document, dict):
        raise FormatError(f"kubectl did not answer with the JSON of {kind}.", "Does it work by hand?")
    return document


def table(parent: object, *path: str) -> dict[str, Any]:
    """Return the object at a path of names, {} for anything else."""
    for name in path:
        parent = parent.get(name) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


def rows(parent: object, *path: str) -> list[dict[str, Any]]:
    """Return the objects of the list at a path of names, [] for anything else."""
    *above, name = path
    found = table(parent, *above).get(name)
    return [row for row in found[:MAX_ITEMS] if isinstance(row, dict)] if isinstance(found, list) else []


def text(parent: object, name: str, most_characters: int = 400) -> str:
    """Return a text, cut to one line of this length, "" for anything else."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return " ".join(found[: 4 * most_characters].split())[:most_characters] if isinstance(found, str) else ""


def whole(parent: object, name: str) -> int | None:
    """Return a whole number, None for anything else."""
    found = parent.get(name) if isinstance(parent, dict) else None
    is_number = isinstance(found, int) and not isinstance(found, bool) and abs(found) < 1 << 63
    return found if is_number else None
