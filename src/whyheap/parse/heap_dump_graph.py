"""The graph of a heap dump, from its records, in columns: pointers of millions of objects are resolved together."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from whyheap.errors import FormatError
from whyheap.model.heap_dump import (
    Addresses,
    DumpedFrame,
    DumpedGoroutine,
    DumpedRoot,
    HeapDump,
    Indexes,
    Targets,
    index_of,
)
from whyheap.parse.heap_dump_records import RawGoroutine, Records, Stretch
from whyheap.parse.varint_columns import VarintChunk

_MOST_EDGES: Final = 200_000_000
_MOST_STACK: Final = 1 << 30
_CHUNK_BYTES: Final = 2 << 20
_CONTINUES: Final = 0x80
_LAST: Final = (1 << 64) - 1


class GraphOf:
    """Makes a graph of one file's records."""

    def __init__(self, records: Records) -> None:
        """Keep the records, and look at the file as bytes."""
        self.records = records
        self.octets = records.octets
        self.word = records.word

    def graph(self) -> HeapDump:
        """Return the whole graph. Raises FormatError, or ValueError or IndexError where it makes no sense."""
        records = self.records
        names = _column(records.names)
        addresses = _varints_at(self.octets, names)
        order = np.argsort(addresses, kind="stable")
        addresses = addresses[order]
        contents = _column(records.contents)[order]
        sizes = _column(records.lengths)[order].astype(np.uint64)
        afters = _column(records.afters)[order]
        if addresses.size > 1 and bool(np.any(addresses[1:] - addresses[:-1] < sizes[:-1])):
            raise FormatError("the heap dump has objects that lie one over another")
        starts, targets = self._edges(addresses, sizes, contents, afters)

        def indexes(pointers: Addresses) -> Indexes:
            found = index_of(addresses, sizes, pointers)
            return np.unique(found[found >= 0])

        roots = [DumpedRoot(name, indexes(self._pointers(memory))) for name, memory in records.segments]
        by_name: dict[str, list[int]] = {}
        for name, pointer in records.pointers:
            by_name.setdefault(name, []).append(pointer)
        roots += [DumpedRoot(name, indexes(np.array(all_, np.uint64))) for name, all_ in by_name.items()]
        sampled = np.fromiter(records.samples, np.uint64, len(records.samples))
        allocated = {}
        for index, bucket in zip(index_of(addresses, sizes, sampled).tolist(), records.samples.values(), strict=True):
            if index >= 0 and bucket in records.stacks:
                allocated[index] = records.stacks[bucket]
        return HeapDump(
            records.go,
            records.architecture,
            addresses,
            sizes,
            starts,
            targets,
            tuple(roots),
            tuple(self._goroutines(addresses, sizes, contents)),
            allocated,
        )

    def _edges(
        self, addresses: Addresses, sizes: Addresses, contents: Indexes, afters: Indexes
    ) -> tuple[Indexes, Targets]:
        """Return the graph in rows: where each object's targets begin, and the targets."""
        begins = contents + sizes.astype(np.int64)
        rows, begins, afters = self._pieces(np.flatnonzero(afters - begins > 1), begins, afters)
        counts = np.zeros(addresses.size + 1, np.int64)
        parts: list[Targets] = []
        edges = 0
        for cut in self._chunks(afters - begins):
            own = rows[cut]
            owners, pointers = self._pointers_of(contents[own], sizes[own].astype(np.int64), begins[cut], afters[cut])
            found = index_of(addresses, sizes, pointers)
            is_edge = found >= 0
            parts.append(found[is_edge].astype(np.int32))
            edges += parts[-1].size
            if edges > _MOST_EDGES:
                raise FormatError(f"the heap dump has more than {_MOST_EDGES:,} pointers between objects")
            low = int(own[0])
            here = np.bincount(own[owners[is_edge]] - low)
            counts[low + 1 : low + 1 + here.size] += here
        targets = np.concatenate(parts) if parts else np.empty(0, np.int32)
        return np.cumsum(counts), targets

    def _pieces(self, rows: Indexes, begins: Indexes, afters: Indexes) -> tuple[Indexes, Indexes, Indexes]:
        """Return (row, begin, end) of the fields of these rows, long ones in pieces of whole fields."""
        begins, afters = begins[rows], afters[rows]
        long = np.flatnonzero(afters - begins > _CHUNK_BYTES)
        if not long.size:
            return rows, begins, afters
        every: list[tuple[Indexes, Indexes, Indexes]] = []
        done = 0
        for number in long.tolist():
            every.append((rows[done:number], begins[done:number], afters[done:number]))
            at, end = int(begins[number]), int(afters[number])
            cuts = [at]
            while end - at > _CHUNK_BYTES:
                last = np.flatnonzero(self.octets[at : at + _CHUNK_BYTES] < _CONTINUES)
                at += int(last[last.size // 2 * 2 - 1]) + 1
                cuts.append(at)
            ends = np.array([*cuts[1:], end], np.int64)
            every.append((np.full(len(cuts), rows[number]), np.array(cuts, np.int64), ends))
            done = number + 1
        every.append((rows[done:], begins[done:], afters[done:]))
        return (
            np.concatenate([one[0] for one in every]),
            np.concatenate([one[1] for one in every]),
            np.concatenate([one[2] for one in every]),
        )

    @staticmethod
    def _chunks(lengths: Indexes) -> Iterator[slice]:
        """Yield slices of pieces that are about so long together that they are decoded at once."""
        total = np.cumsum(lengths)
        begin = 0
        while begin < lengths.size:
            before = int(total[begin] - lengths[begin])
            end = max(int(np.searchsorted(total, before + _CHUNK_BYTES, side="right")), begin + 1)
            yield slice(begin, end)
            begin = end

    def _pointers_of(
        self, contents: Indexes, sizes: Indexes, begins: Indexes, afters: Indexes
    ) -> tuple[Indexes, Addresses]:
        """Return (row, value) of all pointers of some stretches, in order of their rows."""
        lengths = afters - begins
        shift = begins - (np.cumsum(lengths) - lengths)
        raw = self.octets[np.arange(int(lengths.sum())) + np.repeat(shift, lengths)].tobytes()
        chunk = VarintChunk(raw, lengths.tolist())
        counts = chunk.stops - chunk.starts
        owners = np.repeat(np.arange(contents.size), counts)
        is_offset = (np.arange(chunk.values.size) - chunk.starts[owners]) % 2 == 1
        owners = owners[is_offset]
        offsets = chunk.values[is_offset].astype(np.uint64)
        ends = sizes[owners].astype(np.uint64)
        if bool(np.any((offsets >= ends) | (ends - offsets < self.word.itemsize))):
            raise ValueError("a field beyond its object")
        return owners, self._words(contents[owners] + offsets.astype(np.int64))

    def _pointers(self, memory: Stretch) -> Addresses:
        if memory.after - memory.fields <= 1:
            return np.empty(0, np.uint64)
        one = [np.array([value], np.int64) for value in (memory.content, memory.size, memory.fields, memory.after)]
        return self._pointers_of(*one)[1]

    def _words(self, positions: Indexes) -> Addresses:
        """Return the words that stand at these places of the file."""
        if not positions.size:
            return np.empty(0, np.uint64)
        count = self.octets.size - self.word.itemsize + 1
        every: Addresses = np.ndarray((count,), self.word, self.octets, 0, (1,))
        return every[positions].astype(np.uint64)

    def _stack_bytes(self, raw: RawGoroutine, content: int, size: int) -> int:
        width = self.word.itemsize
        if size < 2 * width:
            return 0
        low, high = self._words(np.array([content, content + width], np.int64)).tolist()
        return int(high - low) if low <= raw.sp < high and high - low <= _MOST_STACK else 0

    def _goroutines(self, addresses: Addresses, sizes: Addresses, contents: Indexes) -> Iterator[DumpedGoroutine]:
        """Yield the goroutines; what all of their frames point to is found at once."""
        raws = self.records.goroutines
        gs = index_of(addresses, sizes, np.array([raw.address for raw in raws], np.uint64))
        owners, pointers = self._frame_pointers()
        found = index_of(addresses, sizes, pointers)
        owners, found = owners[found >= 0], found[found >= 0]
        order = np.argsort(owners, kind="stable")
        found = found[order]
        cuts = np.searchsorted(owners[order], np.arange(sum(len(raw.frames) for raw in raws) + 1)).tolist()
        number = 0
        for raw, g in zip(raws, gs.tolist(), strict=True):
            one = DumpedGoroutine(raw.number, g, raw.waits_for, raw.is_system)
            one.stack_bytes = self._stack_bytes(raw, int(contents[g]), int(sizes[g])) if g >= 0 else 0
            own = index_of(addresses, sizes, np.array(raw.pointers, np.uint64))
            one.objects = own[own >= 0]
            frames = []
            for frame in raw.frames:
                objects = found[cuts[number] : cuts[number + 1]]
                frames.append(DumpedFrame(frame.function, objects, frame.memory.size))
                number += 1
            one.frames = tuple(frames)
            yield one

    def _frame_pointers(self) -> tuple[Indexes, Addresses]:
        """Return (frame, pointer) of all frames of all goroutines, counted through."""
        raws = self.records.goroutines
        memories = [frame.memory for raw in raws for frame in raw.frames]
        columns = np.array([(one.content, one.size, one.fields, one.after) for one in memories], np.int64)
        content, size, fields, after = columns.reshape(-1, 4).T
        rows, begins, afters = self._pieces(np.flatnonzero(after - fields > 1), fields, after)
        owners, pointers = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
        for cut in self._chunks(afters - begins):
            own = rows[cut]
            owner, pointer = self._pointers_of(content[own], size[own], begins[cut], afters[cut])
            owners.append(own[owner])
            pointers.append(pointer)
        every, owner = np.concatenate(pointers), np.concatenate(owners)
        counts = [len(raw.frames) for raw in raws]
        of = np.repeat(np.arange(len(raws)), counts)[owner]
        bounds = [_bounds(raw) for raw in raws]
        low, high = np.array(bounds, np.uint64).reshape(-1, 2).T
        on_stack = np.flatnonzero((every >= low[of]) & (every < high[of]))
        first = np.cumsum([0, *counts])
        by_goroutine: dict[int, list[int]] = {}
        for number, pointer in zip(of[on_stack].tolist(), every[on_stack].tolist(), strict=True):
            by_goroutine.setdefault(number, []).append(pointer)
        for number, known in by_goroutine.items():
            for frame, words in self._variables(raws[number], known):
                owners.append(np.full(words.size, first[number] + frame))
                pointers.append(words)
        return np.concatenate(owners), np.concatenate(pointers)

    def _variables(self, raw: RawGoroutine, pointers: list[int]) -> Iterator[tuple[int, Addresses]]:
        """Yield (frame, words) of what stands on the stack where these pointers lead, and where those words lead."""
        by_sp = sorted((frame.sp, number) for number, frame in enumerate(raw.frames))
        starts = [sp for sp, _ in by_sp]
        read_from = [frame.memory.size for frame in raw.frames]
        width = self.word.itemsize
        low, high = _bounds(raw)
        todo = list(pointers)
        while todo:
            pointer = todo.pop()
            sp, number = by_sp[bisect_right(starts, pointer) - 1]
            offset = (pointer - sp) // width * width
            if offset >= read_from[number]:
                continue
            places = np.arange(offset, read_from[number] - width + 1, width, dtype=np.int64)
            read_from[number] = offset
            words = self._words(places + raw.frames[number].memory.content)
            yield number, words
            todo += words[(words >= low) & (words < high)].tolist()


def _bounds(raw: RawGoroutine) -> tuple[int, int]:
    """Return the addresses that a goroutine's frames take."""
    low = min((frame.sp for frame in raw.frames), default=0)
    return low, min(max((frame.sp + frame.memory.size for frame in raw.frames), default=0), _LAST)


def _column(values: array[int]) -> Indexes:
    return np.frombuffer(values, np.int64) if values else np.empty(0, np.int64)


def _varints_at(octets: NDArray[np.uint8], places: Indexes) -> Addresses:
    values = np.zeros(places.size, np.uint64)
    active = np.arange(places.size)
    for number in range(10):
        if not active.size:
            break
        octet = octets[places[active] + number].astype(np.uint64)
        values[active] |= (octet & np.uint64(0x7F)) << np.uint64(7 * number)
        active = active[octet >= _CONTINUES]
    return values
