"""Bytes and objects, as a heap profile measures them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """inuse_* is now; alloc_* is since start, or over the measured window of a delta profile. Sampled, scaled."""

    inuse_bytes: int = 0
    inuse_objects: int = 0
    alloc_bytes: int = 0
    alloc_objects: int = 0

    def __add__(self, other: Measure) -> Measure:
        """Sum of two measures."""
        return Measure(
            self.inuse_bytes + other.inuse_bytes,
            self.inuse_objects + other.inuse_objects,
            self.alloc_bytes + other.alloc_bytes,
            self.alloc_objects + other.alloc_objects,
        )

    def __bool__(self) -> bool:
        """Whether anything was measured."""
        return bool(self.inuse_bytes or self.alloc_bytes or self.inuse_objects or self.alloc_objects)
