"""The shape of a cause: what it is called, how it is explained, and what its judgement looks like."""

from __future__ import annotations

from dataclasses import dataclass

HEADINGS = ("What it is", "How to tell", "What tells it apart", "What to do", "When to leave it")
"""Each cause's docstring holds these, each at the start of a paragraph and followed by a colon."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A way to run out of memory. `doc` is its module's docstring."""

    slug: str
    title: str
    doc: str

    @property
    def sections(self) -> dict[str, str]:
        """The docstring by heading, line breaks undone."""
        found: dict[str, str] = {}
        for paragraph in self.doc.split("\n\n")[1:]:
            heading, colon, text = paragraph.strip().partition(":")
            if colon and heading in HEADINGS:
                found[heading] = " ".join(text.split())
        return found
