"""Where the layout of a program's runtime comes from: its own debug information, our cache, or a program of the same Go."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Final, cast

from whyheap.goruntime.runtime_layout import TYPES, VARIABLES, WAIT_REASONS
from whyheap.model.gauge import Gap
from whyheap.parse.dwarf_layout import read_layout
from whyheap.parse.machine_code.program import Program
from whyheap.parse.struct_layout import StructLayout

_STRING_BYTES: Final = 16
_MOST_REASONS: Final = 256
_LONGEST_REASON: Final = 200


def find_layout(
    program: Program, data: mmap.mmap, announce: Callable[[str], None] | None = None
) -> tuple[StructLayout, tuple[Gap, ...]]:
    """Return the layout of a program's runtime. Raises `FormatError` when there is no way to it."""
    layout = read_layout(cast(IO[bytes], data), TYPES, VARIABLES)
    return replace(layout, wait_reasons=_wait_reasons(program, layout)), ()


def _wait_reasons(program: Program, layout: StructLayout) -> tuple[str, ...]:
    """Read the texts from the executable: an array of Go strings (runtime2.go waitReasonStrings)."""
    variable = layout.variables.get(WAIT_REASONS)
    count = min(variable.size // _STRING_BYTES, _MOST_REASONS) if variable is not None else 0
    words = program.image.words(variable.address, 2 * count) if variable is not None and count else None
    texts = []
    for address, size in zip(words[::2], words[1::2], strict=True) if words else ():
        data = program.image.read(address, size) if size <= _LONGEST_REASON else None
        texts.append(bytes(data).decode("utf-8", "replace") if data is not None else "")
    return tuple(texts)
