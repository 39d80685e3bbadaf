"""The cache folder is ours alone, and one sentence says when it cannot be written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from whyheap.errors import ToolError
from whyheap.host.cache import cache_folder, locked, private_folder


def test_a_relative_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHYHEAP_CACHE", "some/cache")
    assert cache_folder() == tmp_path / "some/cache"
    monkeypatch.delenv("WHYHEAP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "xdg")
    assert cache_folder() == tmp_path / "xdg/whyheap"


def test_nobody_else_may_look_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "new/cache"))
    made = private_folder("scan", "one")
    assert made == tmp_path / "new/cache/scan/one"
    for folder in (made, made.parent, made.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert private_folder("scan", "one") == made


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "file/our/cache"))
    with pytest.raises(ToolError) as caught, locked("scan"):
        pass
    assert caught.value.message == f"the cache folder {tmp_path}/file/our/cache cannot be written: Not a directory"
    assert caught.value.hint == "Set WHYHEAP_CACHE to a writable folder"


def test_a_write_that_fails_under_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path))
    full = OSError(28, "No space left on device")
    with pytest.raises(ToolError, match="No space left on device"), locked("scan"):
        raise full
