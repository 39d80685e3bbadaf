"""A program that is left early leaves neither processes nor its working folder behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from whyheap.errors import ToolError
from whyheap.host.program import go_folder, run_program

LEAVES_A_FOLDER = "import os, time; os.mkdir(os.environ['GOTMPDIR'] + '/go-build1'); time.sleep({})"


@pytest.mark.parametrize(("sleeps", "seconds"), [(0, 60.0), (60, 0.5)])
def test_the_working_folder_of_go_is_removed(
    sleeps: int, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOTMPDIR", str(tmp_path))
    command = [sys.executable, "-c", LEAVES_A_FOLDER.format(sleeps)]
    if sleeps:
        with pytest.raises(ToolError, match="took longer than"):
            run_program(command, Path.cwd(), seconds=seconds)
    else:
        assert run_program(command, Path.cwd(), seconds=seconds).returncode == 0
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(ToolError, match="no folder for temporary files"),
        go_folder({"GOTMPDIR": str(tmp_path / "nowhere")}),
    ):
        pass
