from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest

from whyheap.host.limited_process import limited_process
from whyheap.host.page_map import MOST_PAGES, read_resident
from whyheap.host.process_files import read_smaps
from whyheap.parse.smaps import parse_smaps

PRESENT = struct.pack("=Q", 1 << 63)
SWAPPED = struct.pack("=Q", 1 << 62)
ABSENT = bytes(8)
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
KEEPS = """\
import mmap, time
kept = mmap.mmap(-1, 64 << 20)
for index in range(0, 48 << 20, mmap.PAGESIZE):
    kept[index] = 1
print("ready", flush=True)
time.sleep(60)
"""


def process(proc: Path, maps: str, pages: dict[int, bytes]) -> None:
    """Make a process whose page map has these entries from these pages on."""
    folder = proc / "7"
    folder.mkdir()
    (folder / "maps").write_text(maps)
    with (folder / "pagemap").open("wb") as stream:
        for page, entries in pages.items():
            stream.seek(page * 8)
            stream.write(entries)


def head(page: int, count: int, rest: str) -> str:
    return f"{page * PAGE_BYTES:08x}-{(page + count) * PAGE_BYTES:08x} {rest}\n"


def test_present_pages_are_counted_by_mapping(tmp_path: Path) -> None:
    maps = head(16, 3, "r-xp 00000000 fe:00 7 /srv/a b") + head(32, 4, "rw-p 00000000 00:00 0 ")
    process(tmp_path, maps, {16: PRESENT * 2 + ABSENT, 32: SWAPPED + PRESENT + ABSENT + ABSENT})
    found = list(parse_smaps(read_resident(7, tmp_path) or ()))
    assert [(one.name, one.rss // PAGE_BYTES) for one in found] == [("/srv/a b", 2), ("", 1)]


def test_what_may_not_be_accessed_is_not_looked_at(tmp_path: Path) -> None:
    process(tmp_path, head(16, 1 << 40, "---p 00000000 00:00 0 "), {16: PRESENT})
    assert [one.rss for one in parse_smaps(read_resident(7, tmp_path) or ())] == [0]


def test_more_address_space_than_is_worth_it_is_left_to_others(tmp_path: Path) -> None:
    process(tmp_path, head(16, MOST_PAGES + 1, "rw-p 00000000 00:00 0 "), {16: PRESENT})
    assert read_resident(7, tmp_path) is None


@pytest.mark.parametrize(
    "maps", ["garbage\n", "zz-yy rw-p 0 00:00 0\n", "9-1 rw-p 00000000 00:00 0\n", f"{'f' * 40}-1 x"]
)
def test_garbage_has_no_pages(tmp_path: Path, maps: str) -> None:
    process(tmp_path, maps, {0: PRESENT})
    assert all(one.rss == 0 for one in parse_smaps(read_resident(7, tmp_path) or ()))


def test_a_process_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert read_resident(7, tmp_path) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_real_process_has_what_smaps_says() -> None:
    with limited_process([sys.executable, "-c", KEEPS]) as process:
        assert process.line == "ready"
        lines, smaps = read_resident(process.pid), read_smaps(process.pid)
    assert lines is not None
    assert smaps is not None
    counted, told = (sum(one.rss for one in parse_smaps(each)) for each in (lines, smaps))
    assert counted == pytest.approx(told, rel=0.1)  # besides pages of zeros
    assert counted > 48 << 20
