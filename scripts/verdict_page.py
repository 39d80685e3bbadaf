"""docs/allocation-verdicts.md: verdict_page.md, and the recordings of scripts/record_allocation_counts.py."""

from __future__ import annotations

from pathlib import Path

from whyheap.host.toolchains import SUPPORTED
from whyheap.lab.allocation_counts import RECORDING, load, to_markdown

ROOT = Path(__file__).resolve().parent.parent
_TEXT = Path(__file__).with_suffix(".md")


def verdict_page(note: str) -> str:
    """Return docs/allocation-verdicts.md."""
    files = (ROOT / "tests" / "recorded" / version / RECORDING for version in SUPPORTED)
    recorded = [load(file) for file in files if file.is_file()]
    return "\n\n".join(
        ("# Allocation verdicts, measured", note, _TEXT.read_text(encoding="utf-8").rstrip(), to_markdown(recorded))
    )
