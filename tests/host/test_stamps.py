"""What changed is noticed, and every folder is walked once."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from whyheap.host.stamps import changed_since, folders_below, stamp


def test_a_change_is_seen_even_when_the_modification_time_is_set_back(tmp_path: Path) -> None:
    file = tmp_path / "a.go"
    file.write_text("old")
    before = file.stat()
    time.sleep(0.05)
    started_at = time.time()
    assert not changed_since([str(file), str(tmp_path / "absent")], started_at)
    file.write_text("new")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed_since([str(file)], started_at)


@pytest.mark.parametrize(
    ("changed_ns", "is_changed"),
    [
        (999_900_000_000, False),
        (999_990_000_000, True),  # within the kernel's tick
        (998_000_000_000, True),  # a clock of two seconds
        (997_000_000_000, False),
    ],
)
def test_whole_seconds_are_a_coarse_clock(
    changed_ns: int, *, is_changed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whyheap.host.stamps.os.stat", lambda _: SimpleNamespace(st_ctime_ns=changed_ns))
    assert changed_since(["a.go"], 1000.0) is is_changed


def test_folders_are_walked_once(tmp_path: Path) -> None:
    for folder in ("a/b", "a/.git/x", "a/_old", "c"):
        (tmp_path / folder).mkdir(parents=True)
    roots = [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a/.git")]
    found = [os.path.relpath(folder, tmp_path) for folder in folders_below(roots, 100)]
    assert found == [".", "a", "a/.git", "a/.git/x", "a/b", "c"]
    assert len(folders_below(roots, 2)) == 3


def test_a_stamp_tells_absent_from_empty(tmp_path: Path) -> None:
    file = tmp_path / "go.work"
    absent = stamp([str(file)])
    file.write_text("")
    assert stamp([str(file)]) != absent
    assert stamp([str(file)], trusted_before=time.time() - 10) is None
