"""Where the Go heap lies: its arenas, from mheap_ (the base is randomised since Go 1.26, so it is never assumed)."""

from __future__ import annotations

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.goruntime.runtime_layout import ARENA_BASE, ARENA_BYTES
from whyheap.parse.struct_layout import LayoutError

_LISTS = ("heapArenas", "userArenaArenas", "allArenas")
_MOST_ARENAS = 1 << 16  # 4 TiB
_ADDRESS_MASK = (1 << 64) - 1


def read_arenas(image: RuntimeImage) -> tuple[tuple[int, int], ...]:
    """Return [start, end) of all arenas, ascending, neighbours joined. Raises `LayoutError`: this Go has no list."""
    names = [name for name in _LISTS if image.has_field("runtime.mheap_", name)]
    if not names:
        raise LayoutError(f"{image.go}: mheap_ has none of {', '.join(_LISTS)}.")
    base = ARENA_BASE[image.program.image.arch]
    starts: set[int] = set()
    for name in names:
        count = min(image.number("runtime.mheap_", f"{name}.len"), _MOST_ARENAS)
        if count:
            data = image.memory.read(image.number("runtime.mheap_", f"{name}.array"), 8 * count)
            starts.update((index * ARENA_BYTES + base) & _ADDRESS_MASK for index in memoryview(data).cast("Q"))
    joined: list[tuple[int, int]] = []
    for start in sorted(starts):
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], start + ARENA_BYTES
        else:
            joined.append((start, start + ARENA_BYTES))
    return tuple(joined)
