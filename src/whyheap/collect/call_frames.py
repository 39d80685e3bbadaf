"""Frames of return addresses in a running program, as its own profiles and tracebacks spell them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from whyheap.collect.runtime_image import RuntimeImage
from whyheap.errors import FormatError
from whyheap.model.site import Site, Stack
from whyheap.parse.go_symbol import function_name, split_symbol
from whyheap.parse.machine_code.pc_values import Numbers
from whyheap.parse.machine_code.traceback_frames import PrintedFrame, TracebackFrames
from whyheap.parse.source_path import spell_foreign

Frames = tuple[PrintedFrame, ...]

MOST_KEPT = 1 << 17
_PANICS = frozenset({"runtime.gopanic", "runtime.sigpanic", "runtime.panicwrap"})


class CallFrames:
    """What return addresses mean, each decoded once. Addresses are those of the process."""

    def __init__(self, image: RuntimeImage) -> None:
        """Nothing is decoded yet."""
        self.table = TracebackFrames(image.program)
        self.base = image.bias + image.program.module.text
        self._frames: dict[int, Frames] = {}
        self._sites: dict[PrintedFrame, Site] = {}

    def learn(self, pcs: Iterable[int]) -> None:
        """Decode many return addresses together: far faster than one by one."""
        missing = sorted({pc for pc in pcs if pc not in self._frames})
        if len(self._frames) + len(missing) > MOST_KEPT:
            self._frames.clear()
        for first in range(0, len(missing), MOST_KEPT):
            part = missing[first : first + MOST_KEPT]
            try:
                self._frames.update(zip(part, self.table.frames(self.calls(part)), strict=True))
            except FormatError:  # damaged tables: stacks without names are better than none of the numbers
                self._frames.update(dict.fromkeys(part, ()))

    def calls(self, pcs: Iterable[int]) -> Numbers:
        """Return the places of the calls before return addresses (runtime/symtab.go Frames.Next), from text's start."""
        distances = np.array([min(pc, (1 << 63) - 1) for pc in pcs], np.int64) - self.base
        return distances - (distances > self.table.entries(distances))

    def of(self, pc: int) -> Frames:
        """Return all frames of a return address, inlined ones included, innermost first; none outside of Go's text."""
        if pc not in self._frames:
            self.learn((pc,))
        return self._frames.get(pc, ())

    def stack(self, pcs: Iterable[int]) -> Stack:
        """Return the sites of a whole stack of return addresses, without the wrappers that no traceback shows.

        As runtime/traceback.go tracebackPCs: a wrapper is shown where it was left by a panic.
        """
        found, callee = [], ""
        for pc in pcs:
            for frame in self.of(pc):
                if not frame.is_wrapper or callee in _PANICS:
                    found.append(self._site(frame))
                callee = frame.symbol
        return tuple(found)

    def site(self, pc: int) -> Site | None:
        """Return the innermost site of the call before a return address."""
        frames = self.of(pc)
        return self._site(frames[0]) if frames else None

    def _site(self, frame: PrintedFrame) -> Site:
        known = self._sites.get(frame)
        if known is None:
            if len(self._sites) > MOST_KEPT:
                self._sites.clear()
            package, function = split_symbol(frame.symbol)
            known = Site(spell_foreign(frame.file), frame.line, 0, function_name(function), package)
            self._sites[frame] = known
        return known
