"""Which shared memory a process maps: memfds, files of a tmpfs, System V segments, named when they are large."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from whyheap.model.event import Event, EventKind
from whyheap.units import format_bytes

WITNESS = "process"
LEAST_BYTES = 16 << 20
NAMED = 3
NAMED_AGAIN = 2.0
"""Times what was said of a segment: then it is said again."""

Segment = tuple[str, int, str, int]
"""Device, inode, name, resident bytes."""


class SharedSegments:
    """Remembers what was said, so that a segment is named once, and again when it has doubled."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._said: dict[tuple[str, int, str], int] = {}
        self._events: list[Event] = []

    def look(self, segments: Iterable[Segment]) -> None:
        """Take the segments of a moment, the largest first."""
        for device, inode, name, size in list(segments)[:NAMED]:
            key = (device, inode, name)
            if size < max(LEAST_BYTES, NAMED_AGAIN * self._said.get(key, 0)):
                continue
            self._said[key] = size
            shown = "".join(character if character.isprintable() else "?" for character in name) or "shared memory"
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = f"The process maps {format_bytes(size)} of {shown}, which is shared memory."
            labels = {"segment": shown, "device": device, "inode": str(inode), "size": str(size)}
            self._events.append(Event(EventKind.NOTE, now, text, WITNESS, labels))

    def events(self) -> tuple[Event, ...]:
        """Return what is worth saying since the last call."""
        found, self._events = tuple(self._events), []
        return found
