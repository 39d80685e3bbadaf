"""Frames of return addresses in a running program, as its own profiles and tracebacks spell them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.errors import FormatError
from whyheap.model.site import Site, Stack
from whyheap.parse.go_symbol import function_name, split_symbol
from whyheap.parse.machine_code.traceback_frames import PrintedFrame, TracebackFrames
from whyheap.parse.source_path import spell_foreign

Frames = tuple[PrintedFrame, ...]

MOST_KEPT = 1 << 17
_LAST_ADDRESS = (1 << 63) - 1
_PANICS = frozenset({"runtime.gopanic", "runtime.sigpanic", "runtime.panicwrap"})


class Call(NamedTuple):
    """The call before a return address: where its function begins (-1 = not Go's), and its own address."""

    entry: int
    address: int


class CallFrames:
    """What return addresses mean, each decoded once. Addresses are those of the process."""

    def __init__(self, table: TracebackFrames, base: int) -> None:
        """Look up in `table`; `base` is where the text begins in the process. Nothing is decoded yet."""
        self.table = table
        self.base = base
        self._calls: dict[int, Call] = {}
        self._frames: dict[int, Frames] = {}
        self._sites: dict[tuple[str, str, int], Site] = {}

    @classmethod
    def of_program(cls, image: RuntimeImage) -> CallFrames:
        """Return those of a process."""
        return cls(TracebackFrames(image.program), image.bias + image.program.module.text)

    def learn(self, pcs: Iterable[int]) -> None:
        """Decode many return addresses together: far faster than one by one."""
        missing = sorted({pc for pc in pcs if pc not in self._calls})
        if len(self._calls) + len(missing) > MOST_KEPT:
            self._calls.clear()
        for first in range(0, len(missing), MOST_KEPT):
            part = missing[first : first + MOST_KEPT]
            entries = self.table.entries(self._distances(part)).tolist()
            for pc, distance in zip(part, entries, strict=True):
                entry = self.base + distance if distance >= 0 else -1
                self._calls[pc] = Call(entry, pc if pc == entry else pc - 1)  # as runtime/symtab.go Frames.Next
            self.learn_places(self._calls[pc].address for pc in part)

    def learn_places(self, addresses: Iterable[int]) -> None:
        """Decode many addresses of instructions together."""
        missing = sorted({address for address in addresses if address not in self._frames})
        if len(self._frames) + len(missing) > MOST_KEPT:
            self._frames.clear()
        try:
            self._frames.update(zip(missing, self.table.frames(self._distances(missing)), strict=True))
        except FormatError:  # damaged tables: stacks without names are better than none of the numbers
            self._frames.update(dict.fromkeys(missing, ()))

    def _distances(self, addresses: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([min(address, _LAST_ADDRESS) for address in addresses], np.int64) - self.base

    def call(self, pc: int) -> Call:
        """Return the call before a return address."""
        if pc not in self._calls:
            self.learn((pc,))
        return self._calls[pc]

    def of(self, pc: int) -> Frames:
        """Return all frames of a return address, inlined ones included, innermost first; none outside of Go's text."""
        return self.at(self.call(pc).address)

    def at(self, address: int) -> Frames:
        """Return all frames of an instruction."""
        if address not in self._frames:
            self.learn_places((address,))
        return self._frames[address]

    def stack(self, pcs: Iterable[int]) -> Stack:
        """Return the sites of a whole stack of return addresses, without the wrappers that no traceback shows."""
        found: list[PrintedFrame] = []
        callee = ""
        for pc in pcs:
            frames = self.of(pc)
            found += without_wrappers(frames, callee)
            callee = frames[-1].symbol if frames else ""
        return tuple(self._site(frame) for frame in found)

    def site(self, pc: int) -> Site | None:
        """Return the innermost site of the call before a return address."""
        frames = self.of(pc)
        return self._site(frames[0]) if frames else None

    def _site(self, frame: PrintedFrame) -> Site:
        key = (frame.symbol, frame.file, frame.line)
        known = self._sites.get(key)
        if known is None:
            if len(self._sites) > MOST_KEPT:
                self._sites.clear()
            package, function = split_symbol(frame.symbol)
            known = Site(spell_foreign(frame.file), frame.line, 0, function_name(function), package)
            self._sites[key] = known
        return known


def without_wrappers(frames: Frames, callee: str = "") -> list[PrintedFrame]:
    """Return the frames that tracebacks show: a wrapper only where a panic left it (traceback.go elideWrapperCalling).

    `callee` is the function that the first one called, "" for any that is no panic.
    """
    found = []
    for frame in frames:
        if not frame.is_wrapper or callee in _PANICS:
            found.append(frame)
        callee = frame.symbol
    return found
