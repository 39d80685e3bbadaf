"""Executables on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from binary_sample import Sample
from whyheap.collect.binary_file import open_binary
from whyheap.errors import TargetError


def test_an_executable_is_mapped_and_read(tmp_path: Path) -> None:
    path = tmp_path / "app"
    path.write_bytes(Sample().build())
    (call,) = open_binary(path, lambda raw: raw).allocator_calls()
    assert (call.site.file, call.callee) == ("/home/me/app/part.go", "runtime.newobject")


def test_what_cannot_be_opened_is_told_with_its_name(tmp_path: Path) -> None:
    empty, text, pipe = tmp_path / "empty", tmp_path / "text", tmp_path / "pipe"
    empty.write_bytes(b"")
    text.write_text("package main\n")
    os.mkfifo(pipe)
    for path in (empty, text, pipe, tmp_path, tmp_path / "missing", Path("a\0b")):
        with pytest.raises(TargetError) as caught:
            open_binary(path)
        assert path.name.replace("\0", "\\x00") in caught.value.message
        assert caught.value.hint
