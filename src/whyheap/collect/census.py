"""Witness: the runtime of a Go process, read from its memory by number. It is neither stopped, slowed nor changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from whyheap.collect.census_arenas import read_arenas
from whyheap.collect.census_numbers import read_numbers
from whyheap.collect.census_spans import Spans, read_spans
from whyheap.collect.process_image import open_image
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.goruntime.runtime_layout import NEWEST
from whyheap.host.procfs import PROC
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap
from whyheap.parse.struct_layout import LayoutError

if TYPE_CHECKING:
    from whyheap.collect.call_frames import CallFrames
    from whyheap.collect.census_goroutines import GoroutineCensus
    from whyheap.collect.census_profile import HeapProfiler

WITNESS = "census"

_NOT_UNDERSTOOD = "Update whyheap, or observe the process by its pprof endpoint."
_TRIES = 3
_CHECKED_SHARE = 0.05


class Census:
    """One process. All methods raise `TargetError` when it has ended; what they could not tell is in `gaps`."""

    def __init__(self, image: RuntimeImage) -> None:
        """Read `image`."""
        self.image = image
        self._gaps = list(image.gaps)
        self._goroutines: GoroutineCensus | None = None
        self._is_checked = False
        version = re.match(r"go(\d+)\.(\d+)", image.go)
        if version is None or (int(version[1]), int(version[2])) > NEWEST:
            newest = ".".join(map(str, NEWEST))
            self._note(
                f"{image.go or 'the Go that built it'} is newer than Go {newest}, which whyheap was tried with:"
                " what is read was checked, but a number may have changed its meaning",
                "Update whyheap.",
            )
        self._profiler: HeapProfiler | None = None
        self._frames: CallFrames | None = None

    @staticmethod
    def open(pid: int, *, proc: Path = PROC, progress: Callable[[str], None] | None = None) -> Census:
        """Open a process; `progress` is told before anything takes long or is fetched.

        Raises `TargetError`: no such process, not a Go program, not permitted, another architecture; the hint names
        the way out.
        """
        image = open_image(pid, proc, progress)
        image.release()
        return Census(image)

    @property
    def go(self) -> str:
        """Go's version: "go1.27.3"."""
        return self.image.go

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read so far, each once."""
        return tuple(self._gaps)

    def close(self) -> None:
        """Let go of the process."""
        self.image.memory.close()

    def read(self) -> dict[str, float]:
        """Return the numbers of this moment under the names of model/gauge_units.py RUNTIME."""
        numbers = read_numbers(self.image)
        if numbers.is_torn:
            self._note("the process collected or allocated too fast to be read at one moment: numbers are approximate")
        for text in sorted(numbers.unknown):
            self._note(text, _NOT_UNDERSTOOD)
        if "heap_alloc" not in numbers.values:  # a newer Go's accounts may be unknown, its spans not
            numbers.values |= self._counted()
        elif not self._is_checked:
            self._is_checked = True
            self._check(numbers.values)
        return numbers.values

    def spans(self) -> Spans:
        """Count the heap span by span: a second opinion, and bytes by size of object. Some 20 ms for a gibibyte."""
        return read_spans(self.image)

    def _counted(self) -> dict[str, float]:
        """Return what the spans alone tell of the heap."""
        try:
            spans = self.spans()
        except LayoutError as error:
            self._note(error.message, _NOT_UNDERSTOOD)
            return {}
        return {
            "heap_alloc": float(spans.heap_alloc),
            "heap_objects": float(spans.heap_objects),
            "heap_inuse": float(spans.heap_inuse),
        }

    def _check(self, before: dict[str, float]) -> None:
        """Hold the runtime's accounts against its spans, once; a program that runs changes between the two."""
        for _ in range(_TRIES):
            counted = self._counted().get("heap_alloc")
            after = read_numbers(self.image).values
            if counted is None:
                return
            known = before["heap_alloc"], after.get("heap_alloc", counted)
            if min(known) * (1 - _CHECKED_SHARE) <= counted <= max(known) * (1 + _CHECKED_SHARE):
                return
            before = {**before, **after}
        self._note("the heap's accounts and its spans do not agree: numbers may be wrong", _NOT_UNDERSTOOD)

    def goroutines(self) -> tuple[int, tuple[GoroutineGroup, ...]]:
        """Return how many goroutines there are, and them grouped by equal stack and state, leaf first."""
        if self._goroutines is None:
            from whyheap.collect.census_goroutines import GoroutineCensus  # noqa: PLC0415 - not every sample needs it

            self._goroutines = GoroutineCensus(self.image, self._call_frames())
        try:
            total, groups, walked = self._goroutines.read()
            self.image.release()
        except LayoutError as error:
            self._note(error.message, _NOT_UNDERSTOOD)
            return int(read_numbers(self.image).values.get("goroutines", 0)), ()
        if walked < total:
            self._note(f"only {walked:,} of {total:,} goroutines were read with their stacks")
        return total, groups

    def heap_profile(self) -> bytes | None:
        """Return the heap profile as gzipped pprof, None where the program keeps none."""
        if self._profiler is None:
            from whyheap.collect.census_profile import HeapProfiler  # noqa: PLC0415 - samples need no profile

            self._profiler = HeapProfiler(self.image, self._call_frames())
        try:
            profile = self._profiler.read()
        except LayoutError as error:
            self._note(error.message, _NOT_UNDERSTOOD)
            return None
        if profile is None:
            self._note(
                "the program keeps no heap profile: it does not link runtime.MemProfile, or MemProfileRate is 0",
                "Import net/http/pprof in the service, and leave runtime.MemProfileRate as it is.",
            )
            return None
        if profile.buckets.is_torn:
            self._note("the process collected too fast for one profile: some of its lines are of a later collection")
        if profile.buckets.is_cut:
            self._note(f"only {len(profile.buckets.found):,} lines of the heap profile were read: it has more")
        return profile.data

    def arenas(self) -> tuple[tuple[int, int], ...]:
        """Return [start, end) of the arenas of the Go heap, ascending, neighbours joined."""
        return read_arenas(self.image)

    def _call_frames(self) -> CallFrames:
        """Return what return addresses mean, decoded once for all readings."""
        if self._frames is None:
            from whyheap.collect.call_frames import CallFrames  # noqa: PLC0415 - samples without stacks need none

            self._frames = CallFrames.of_program(self.image)
        return self._frames

    def _note(self, reason: str, hint: str = "") -> None:
        gap = Gap(WITNESS, reason, hint)
        if gap not in self._gaps:
            self._gaps.append(gap)
