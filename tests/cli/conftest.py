"""A command line in an empty folder, and a profile to name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import HEAP, Cli


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run in an empty folder, without Go and without anything of the user's."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("whyheap.host.go.wheel_command", lambda: None)
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Cli(capsys)


@pytest.fixture
def heap(tmp_path: Path) -> Path:
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(HEAP)
    return path
