"""The spans of a Go heap, counted one by one from mheap_.allspans: what the runtime's own accounts are held against.

Pointers to spans are sorted and the spans read in runs, as the runtime allocates them beside each other: a heap of a
gibibyte takes some fifty reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.errors import TargetError
from whyheap.goruntime.runtime_layout import PAGE_BYTES, SPAN_IN_USE, SPAN_MANUAL
from whyheap.host.process_memory import UnreadableAddressError

_MOST_SPANS: Final = 1 << 22  # 32 GiB in spans of one page
_TRIES: Final = 5
_WORD_BYTES: Final = 8
_FIELDS: Final = ("npages", "elemsize", "nelems", "allocCount", "spanclass", "state")
_FEW_SPANS: Final = 2048
_MOST_PAGES: Final = 1 << 35
_NO_SCAN_BIT: Final = 1  # spanClass: size class << 1 | noscan (mheap.go makeSpanClass)

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans in use by the heap, as columns; `elemsize` and `npages` in bytes and pages of 8 KiB.

    `stack_bytes` are those of spans that hold stacks; `unread` counts spans that were let go of while they were read.
    """

    npages: Column
    elemsize: Column
    objects: Column
    spanclass: Column
    stack_bytes: int
    unread: int

    @property
    def heap_alloc(self) -> int:
        """Bytes of objects, live and not yet swept: HeapAlloc."""
        return int((self.elemsize * self.objects).sum())

    @property
    def heap_objects(self) -> int:
        """How many objects; tiny ones that share a block count once."""
        return int(self.objects.sum())

    @property
    def heap_inuse(self) -> int:
        """Bytes of the spans: HeapInuse."""
        return int(self.npages.sum()) * PAGE_BYTES

    @property
    def pointer_free_bytes(self) -> int:
        """Bytes of objects without pointers, which the collector does not scan."""
        free = (self.spanclass & _NO_SCAN_BIT) == 1
        return int((self.elemsize * self.objects)[free].sum())

    def by_size(self) -> dict[int, tuple[int, int]]:
        """Return bytes and objects by the size that objects take, large ones each by their own."""
        sizes, inverse = np.unique(self.elemsize, return_inverse=True)
        objects = np.bincount(inverse, self.objects, len(sizes)).astype(np.int64)
        return {size: (size * count, count) for size, count in zip(sizes.tolist(), objects.tolist(), strict=True)}


def read_spans(image: RuntimeImage) -> Spans:
    """Count all spans now. Raises `LayoutError` when this Go's spans are unknown, `TargetError` when it has ended."""
    for _ in range(_TRIES):
        try:
            return _read(image)
        except UnreadableAddressError:  # the list of spans was moved to a larger place
            continue
    raise TargetError(
        f"The spans of pid {image.memory.pid} could not be read: they change or are damaged.", "Try again."
    )


def _read(image: RuntimeImage) -> Spans:
    listed = image.field("runtime.mheap_", "allspans")
    header = image.memory.read(image.address("runtime.mheap_") + listed.offset, 2 * _WORD_BYTES)
    array, count = (int(word) for word in np.frombuffer(header, "<u8"))
    if count > _MOST_SPANS:
        raise UnreadableAddressError(f"pid {image.memory.pid}: {count:,} spans are more than can be.")
    pointers = np.frombuffer(image.memory.read(array, _WORD_BYTES * count), "<u8")
    known, columns = span_columns(image, sound_addresses(pointers), _FIELDS)
    npages, elemsize, objects, state = (columns[name] for name in ("npages", "elemsize", "allocCount", "state"))
    plausible = known & (npages >= 0) & (npages < _MOST_PAGES) & (elemsize >= 0) & (elemsize <= npages * PAGE_BYTES)
    plausible &= objects <= np.maximum(columns["nelems"], 1)
    used = plausible & (state == SPAN_IN_USE)
    stacks = int(npages[known & (state == SPAN_MANUAL) & (npages >= 0) & (npages < _MOST_PAGES)].sum()) * PAGE_BYTES
    unread = int((~known).sum()) + int((known & (state == SPAN_IN_USE) & ~plausible).sum())
    return Spans(npages[used], elemsize[used], objects[used], columns["spanclass"][used], stacks, unread)


def sound_addresses(pointers: NDArray[np.uint64]) -> Column:
    """Return pointers that can be such, sorted and each once."""
    pointers = np.sort(pointers, kind="stable")  # they come in long ascending runs, which this kind makes use of
    sound = (pointers > 0) & (pointers < 1 << 62) & (pointers % _WORD_BYTES == 0)
    sound[1:] &= pointers[1:] != pointers[:-1]
    addresses: Column = pointers[sound].astype(np.int64)
    return addresses


def span_columns(
    image: RuntimeImage, addresses: Column, fields: Sequence[str]
) -> tuple[NDArray[np.bool_], dict[str, Column]]:
    """Return which spans could be read, and some of their fields: a word that holds several is read once.

    What no span can hold reads as a negative number.

    `addresses` are sorted, distinct and multiples of 8. Raises `LayoutError` for fields that this Go has not.
    """
    places = {name: image.field("mspan", name) for name in fields}
    offsets = sorted({place.offset & -_WORD_BYTES for place in places.values()})
    words, known = _words(image, addresses, offsets)
    columns = {}
    for name, place in places.items():
        word = words[offsets.index(place.offset & -_WORD_BYTES)]
        if place.size < _WORD_BYTES:
            word = word >> np.uint64(8 * (place.offset % _WORD_BYTES)) & np.uint64((1 << 8 * place.size) - 1)
        columns[name] = np.ascontiguousarray(word).view(np.int64)
    return known, columns


def _words(
    image: RuntimeImage, addresses: Column, offsets: Sequence[int]
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    size = image.sizeof("mspan")
    if len(addresses) > _FEW_SPANS or size % _WORD_BYTES:
        return image.memory.read_words(addresses, offsets, size)
    parts = image.memory.read_many((address, size) for address in addresses.tolist())  # a few, far apart
    known = np.array([part is not None for part in parts], np.bool_)
    table = np.frombuffer(b"".join(part or bytes(size) for part in parts), "<u8").reshape(-1, size // _WORD_BYTES)
    return table[:, [offset // _WORD_BYTES for offset in offsets]].T, known
