"""The recordings of real kernels in tests/recorded/kernel, which scripts/record_kernel.py makes."""

from __future__ import annotations

from pathlib import Path

from whyheap.host.kernel_log import parse_record
from whyheap.parse.smaps import Mapping, parse_smaps

KERNEL = Path(__file__).resolve().parent / "recorded" / "kernel"
VERSIONS = ("v1", "v2")
LIMIT_BYTES = 48 << 20
HOSTILE = "a) b,pid=1=?(c"
"""The victim's name: it chose one that looks like the end of the kernel's line, with a line end in it."""


def killed(version: str) -> list[tuple[str, str]]:
    """Return the kernel's log of the kill, as (time, text)."""
    records = (KERNEL / version / "after/kmsg").read_bytes().splitlines()
    return [line for record in records if (line := parse_record(record, 1e9)) is not None]


def victim(version: str) -> int:
    """Return who was killed."""
    return int((KERNEL / version / "after/wait").read_text().split(":")[0].removeprefix("pid "))


def smaps(name: str) -> list[Mapping]:
    """Return the mappings of a recorded process: "v1", "v2" or "cgo"."""
    file = KERNEL / "cgo.smaps" if name == "cgo" else KERNEL / name / "before/smaps"
    return list(parse_smaps(file.read_text().splitlines()))
