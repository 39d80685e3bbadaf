"""Folded stacks: one line a stack, root first, as flamegraph.pl, inferno and speedscope read them."""

from __future__ import annotations

from whyheap.model.profile import HeapProfile
from whyheap.report.profile_stacks import value_column, walk_stacks


def to_folded(profile: HeapProfile, value_name: str = "") -> bytes:
    """Return `root;caller;leaf value` lines, equal stacks summed, in order of their first sample.

    `value_name` is the column to write; by default bytes in use, else bytes allocated. Inlined calls are frames.
    """
    names = [_escaped(name) for name in profile.function_names]
    sums: dict[str, int] = {}
    for value, frames in walk_stacks(profile, value_column(profile, value_name)):
        stack = ";".join([names[function] if function >= 0 else f"0x{line:x}" for function, line in frames])
        if stack:
            sums[stack] = sums.get(stack, 0) + value
    return "".join(f"{stack} {value}\n" for stack, value in sums.items() if value).encode("utf-8", "replace")


def _escaped(name: str) -> str:
    """Keep a function's name within its field: no separators, no line breaks."""
    return " ".join(name.replace(";", ":").split()) or "(unknown)"
