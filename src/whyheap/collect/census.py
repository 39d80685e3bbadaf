"""Witness: the runtime of a Go process, read from its memory by number. It is neither stopped, slowed nor changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from whyheap.collect.census_arenas import read_arenas
from whyheap.collect.census_numbers import read_numbers
from whyheap.collect.process_image import open_image
from whyheap.collect.runtime_image import RuntimeImage
from whyheap.host.procfs import PROC
from whyheap.model.facts import GoroutineGroup
from whyheap.model.gauge import Gap

if TYPE_CHECKING:
    from whyheap.collect.call_frames import CallFrames
    from whyheap.collect.census_goroutines import GoroutineCensus

WITNESS = "census"


class Census:
    """One process. All methods raise `TargetError` when it has ended; what they could not tell is in `gaps`."""

    def __init__(self, image: RuntimeImage) -> None:
        """Read `image`."""
        self.image = image
        self._gaps = list(image.gaps)
        self._goroutines: GoroutineCensus | None = None
        self._frames: CallFrames | None = None

    @staticmethod
    def open(pid: int, *, proc: Path = PROC, progress: Callable[[str], None] | None = None) -> Census:
        """Open a process; `progress` is told before anything takes long or is fetched.

        Raises `TargetError`: no such process, not a Go program, not permitted, another architecture; the hint names
        the way out.
        """
        return Census(open_image(pid, proc, progress))

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
            self._note(text, "Update whyheap, or observe the process by its pprof endpoint.")
        return numbers.values

    def goroutines(self) -> tuple[int, tuple[GoroutineGroup, ...]]:
        """Return how many goroutines there are, and them grouped by equal stack and state, leaf first."""
        if self._goroutines is None:
            from whyheap.collect.census_goroutines import GoroutineCensus  # noqa: PLC0415 - not every sample needs it

            self._goroutines = GoroutineCensus(self.image, self._call_frames())
        total, groups, walked = self._goroutines.read()
        if walked < total:
            self._note(f"only {walked:,} of {total:,} goroutines were read with their stacks")
        return total, groups

    def heap_profile(self) -> bytes | None:
        """Return the heap profile as gzipped pprof, None where the program keeps none."""
        from whyheap.collect.census_profile import read_heap_profile  # noqa: PLC0415 - samples need no profile

        profile = read_heap_profile(self.image, self._call_frames())
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
