"""Speedscope's file format: https://www.speedscope.app/file-format-schema.json."""

from __future__ import annotations

from typing import Any

import msgspec

from whyheap.model.profile import HeapProfile
from whyheap.report.profile_stacks import PREFERRED, walk_stacks

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def to_speedscope(profile: HeapProfile, name: str = "heap") -> bytes:
    """Return one sampled profile per column (bytes and objects, in use and allocated), over shared frames."""
    frames: dict[tuple[int, int], int] = {}
    columns = [column for column in PREFERRED if column in profile.values]
    profiles = [_sampled(profile, column, frames) for column in columns]
    document = {
        "$schema": _SCHEMA,
        "exporter": "whyheap",
        "name": name,
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(profile, function, line) for function, line in frames]},
        "profiles": profiles,
    }
    return msgspec.json.encode(document) + b"\n"


def _sampled(profile: HeapProfile, column: str, frames: dict[tuple[int, int], int]) -> dict[str, Any]:
    samples, weights = [], []
    for value, stack in walk_stacks(profile, column):
        if value > 0 and stack:
            samples.append([frames.setdefault(frame, len(frames)) for frame in stack])
            weights.append(value)
    return {
        "type": "sampled",
        "name": column,
        "unit": "bytes" if column.endswith("_space") else "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }


def _frame(profile: HeapProfile, function: int, line: int) -> dict[str, Any]:
    if function < 0:
        return {"name": f"0x{line:x}"}
    frame: dict[str, Any] = {"name": profile.function_names[function] or "(unknown)"}
    if profile.function_files[function]:
        frame["file"] = profile.function_files[function]
    if line > 0:
        frame["line"] = line
    return frame
