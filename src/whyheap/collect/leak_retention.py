"""What leaked goroutines retain: reads the heaps that test binaries wrote when they found some, and removes them."""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from whyheap.errors import FormatError
from whyheap.model.heap_dump import AllocationPlace, HeapDump
from whyheap.parse.heap_dump import parse_heap_dump
from whyheap.parse.heap_reach import Retained, retained_by
from whyheap.parse.hook_report import LeakKey, LeftGoroutine, PackageReport, leak_key, parse_hook_report

_MOST_HEAP: Final = 512 << 20
_SHARE_OF_DISK: Final = 4
_MOST_GROUPS: Final = 500
_RUNTIME: Final = ("runtime.", "internal/runtime/")


def largest_heap(place: Path) -> int:
    """Return how many bytes a heap may have to be written into that folder: packages' tests run side by side."""
    try:
        return min(_MOST_HEAP, shutil.disk_usage(place).free // _SHARE_OF_DISK)
    except OSError:
        return 0


@dataclass(slots=True)
class RetentionReader:
    """Reads dumps as soon as they are whole, so that a run of many packages does not pile them up."""

    place: Path
    spell: Callable[[str], str]
    _found: dict[str, dict[LeakKey, Retained]] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        """Read and remove all dumps whose test binary has written its report to the end."""
        for file in sorted(self.place.glob("heap-*.dump")):
            try:
                text = (self.place / f"report-{file.name.split('-')[1]}.jsonl").read_bytes()
            except OSError:
                continue  # the test binary ended while it wrote
            for report in parse_hook_report(text, self.spell):
                if report.end is not None and report.end.dump == file.name:
                    self._read(file, report.goroutines)
                    file.unlink(missing_ok=True)

    def tell(self, report: PackageReport) -> None:
        """Put what is known into a package's report."""
        if report.end is None or not report.goroutines:
            return
        name = report.end.dump
        report.retained = self._found.get(name, {})
        report.not_retained = report.end.undumped or self._reasons.get(name, "")
        if not report.retained and not report.not_retained:
            report.not_retained = "its heap was not written"
        if any(one.missing for one in report.retained.values()):
            report.not_retained = "of some; they came after the heap was written"

    def _read(self, file: Path, goroutines: Sequence[LeftGoroutine]) -> None:
        groups: dict[LeakKey, list[int]] = {}
        for one in goroutines:
            groups.setdefault(leak_key(one), []).extend(one.numbers)
        if len(groups) > _MOST_GROUPS:
            self._reasons[file.name] = f"{len(groups):,} leaks, and up to {_MOST_GROUPS} are looked at"
            return
        try:
            dump = _parsed(file)
            found = retained_by(dump, groups)
        except FormatError as error:
            self._reasons[file.name] = error.message
        except (OSError, MemoryError) as error:
            self._reasons[file.name] = f"its heap cannot be read: {error}"
        else:
            self._found[file.name] = {
                key: replace(one, allocated=self._spelled(one.allocated)) for key, one in found.items()
            }

    def _spelled(self, stack: Sequence[AllocationPlace]) -> tuple[AllocationPlace, ...]:
        """Return an allocation's stack without the allocator's own frames.

        A line of the newest frame of all may be the one behind (dumpmemprof_callback in runtime/heapdump.go looks up
        where the call returns to; up to Go 1.25 that frame is not the runtime's): it is 0 here.
        """
        return tuple(
            AllocationPlace(one.function, self.spell(one.file), one.line if number else 0)
            for number, one in enumerate(stack)
            if not one.function.startswith(_RUNTIME)
        )


def _parsed(file: Path) -> HeapDump:
    with file.open("rb") as stream:
        if not file.stat().st_size:
            raise FormatError("its heap was not written: no room on the disk")
        # not closed by hand: numpy's views keep it, and it goes with them
        return parse_heap_dump(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
