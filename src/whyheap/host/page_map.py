"""Which pages of a process are resident, without holding up the process: /proc/PID/pagemap beside /proc/PID/maps.

smaps holds the process's memory map for as long as it takes to look at one mapping: 25 to 50 ms for a GiB in pages of
4 KiB (Linux 6.18; bench/smaps_hold.py), in which the process cannot map memory, as Go does when its heap grows. pagemap
lets go of it after each 2 MiB (fs/proc/task_mmu.c, pagemap_read, PAGEMAP_WALK_SIZE) and takes half the time. It cannot
tell a page of zeros that was only ever read, which is no memory, so what it finds is a little more than Rss.

Format: https://docs.kernel.org/admin-guide/mm/pagemap.html. Same rights as for reading smaps.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from whyheap.host.procfs import PROC

MOST_PAGES = 1 << 26  # 256 GiB of address space: half a GiB of page map
_ENTRY_BYTES = 8
_READ_BYTES = 1 << 20
_UNREADABLE = "---"


def read_resident(pid: int, proc: Path = PROC) -> list[str] | None:
    """Return lines as smaps has them, the head of each mapping and its Rss; None where that cannot be had.

    Mappings that may not be accessed at all are taken to have no pages.
    """
    try:
        heads = (proc / str(pid) / "maps").read_text(errors="replace").splitlines()
        pages = os.open(proc / str(pid) / "pagemap", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    try:
        return _lines(heads, pages, page_bytes)
    finally:
        os.close(pages)


def _lines(heads: list[str], pages: int, page_bytes: int) -> list[str] | None:
    lines: list[str] = []
    left = MOST_PAGES
    for head in heads:
        place, _, rest = head.partition(" ")
        first, _, last = place.partition("-")
        count = 0
        with suppress(ValueError, OSError):  # OSError: vsyscall, which is the kernel's
            start, end = int(first, 16) // page_bytes, int(last, 16) // page_bytes
            if not rest.startswith(_UNREADABLE) and end <= 1 << 52:
                left -= end - start
                if left < 0:
                    return None
                count = _count(pages, start, end)
        lines += [head, f"Rss: {count * page_bytes >> 10} kB"]
    return lines


def _count(pages: int, start: int, end: int) -> int:
    """Return how many pages from `start` to `end` are present."""
    import numpy as np  # noqa: PLC0415 - large processes only

    found = 0
    while start < end:
        body = os.pread(pages, min((end - start) * _ENTRY_BYTES, _READ_BYTES), start * _ENTRY_BYTES)
        entries = np.frombuffer(body[: len(body) // _ENTRY_BYTES * _ENTRY_BYTES], dtype="=u8")
        if not len(entries):
            break
        found += int(np.count_nonzero(entries >> np.uint64(63)))  # bit 63: present
        start += len(entries)
    return found
