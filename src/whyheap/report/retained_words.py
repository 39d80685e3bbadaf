"""What a leak keeps alive, in words: from the labels of its violation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from whyheap.report.visible_text import one_line
from whyheap.units import format_bytes, format_count

_LARGE = 1024
"""An object below it is not worth a line."""


def retained_lines(labels: Mapping[str, str]) -> Iterator[str]:
    """Yield lines for below a leak: what only it keeps alive, the largest of that, and what others share."""
    sentence = retained_sentence(labels)
    if not sentence:
        size = _number(labels, "stack_bytes_at_least")
        if size:
            yield f"holds at least {format_bytes(size)} of stack, and what it refers to"
        return
    yield f"{sentence[0].lower()}{sentence[1:]}"
    largest = _number(labels, "largest_bytes")
    ways = (
        ("allocated at", labels.get("largest_allocated_at", "")),
        ("allocated by", labels.get("largest_allocated_by", "")),
        ("reached through", labels.get("largest_held_by", "")),
    )
    how = next((f"{verb} {name}" for verb, name in ways if name), "")
    if _number(labels, "retained_objects") > 1 and largest >= _LARGE and how:
        yield f"the largest of them, {format_bytes(largest)}, was {one_line(how)}"
    shared = _number(labels, "shared_bytes")
    if shared:
        yield f"and, with other leaks, {format_bytes(shared)} in {_objects(_number(labels, 'shared_objects'))}"


def retained_sentence(labels: Mapping[str, str]) -> str:
    """Return one sentence without a full stop, empty where it is not known what is kept alive."""
    if not labels.get("retained_bytes", "").isdecimal():
        return ""
    size, count = _number(labels, "retained_bytes"), _number(labels, "retained_objects")
    heap = f"{format_bytes(size)} of heap in {_objects(count)}" if count else "no heap of its own"
    stack = _number(labels, "stack_bytes")
    return f"Retains {heap}" + (f", and {format_bytes(stack)} of stack" if stack else "")


def _number(labels: Mapping[str, str], name: str) -> int:
    text = labels.get(name, "")
    return int(text) if text.isdecimal() else 0


def _objects(count: int) -> str:
    return f"{format_count(count)} object{'s' if count != 1 else ''}"
