"""Mappings of code, as /proc/PID/maps tells them."""

from __future__ import annotations

from pathlib import Path

from whyheap.host.process_files import code_mappings

MAPS = """\
00400000-0074b000 r-xp 00000000 fc:01 787766                             /srv/my shop
0074b000-0094b000 r--p 0034b000 fc:01 787766                             /srv/my shop
c000000000-c000400000 rw-p 00000000 00:00 0
7f7d77b00000-7f7d77c00000 r-xp 00026000 fc:01 1180226                    /lib/libc.so.6 (deleted)
7f7d77c00000-7f7d77d00000 rwxp 00000000 00:00 0
7ffc34343000-7ffc34345000 r-xp 00000000 00:00 0                          [vdso]
"""


def test_only_what_is_code_and_has_a_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "maps").write_text(MAPS)
    assert code_mappings(7, tmp_path) == [
        (0x400000, 0x74B000, 0, "/srv/my shop"),
        (0x7F7D77B00000, 0x7F7D77C00000, 0x26000, "/lib/libc.so.6"),
        (0x7FFC34343000, 0x7FFC34345000, 0, "[vdso]"),
    ]


def test_maps_that_may_not_be_read_or_are_damaged_tell_what_they_can(tmp_path: Path) -> None:
    assert code_mappings(7, tmp_path) == []
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "maps").write_bytes(b"\xff\xfe x\nnonsense r-xp 0 0 0 name\n")
    assert code_mappings(7, tmp_path) == []
