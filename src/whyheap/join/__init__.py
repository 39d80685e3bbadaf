"""Joins what the witnesses said on one source line. No witness overwrites another."""

from whyheap.join.evidence import Joined, join
from whyheap.join.frames import Frame

__all__ = ["Frame", "Joined", "join"]
