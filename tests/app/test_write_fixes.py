"""All files of a fix are written, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.app.write_fixes import write_fixes
from whyheap.errors import OutputError, TargetError
from whyheap.host.files import write_atomically
from whyheap.proof.workshop import EditedFile


def files(folder: Path, *names: str) -> list[EditedFile]:
    for name in names:
        (folder / name).write_text("old\n")
        (folder / name).chmod(0o640)
    return [EditedFile(name, str(folder / name), "old\n", "new\n", ()) for name in names]


def test_files_keep_their_mode(tmp_path: Path) -> None:
    write_fixes(files(tmp_path, "a.go", "b.go"), force=True)
    for name in ("a.go", "b.go"):
        assert (tmp_path / name).read_text() == "new\n"
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o640


def test_a_file_that_changed_meanwhile_stops_all(tmp_path: Path) -> None:
    edited = files(tmp_path, "a.go", "b.go")
    (tmp_path / "b.go").write_text("somebody else\n")
    with pytest.raises(TargetError, match=r"b\.go was changed meanwhile: nothing was written"):
        write_fixes(edited, force=True)
    assert (tmp_path / "a.go").read_text() == "old\n"


def test_a_failure_takes_back_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = files(tmp_path, "a.go", "b.go")

    def full(path: str, data: bytes, mode: int) -> None:
        if path.endswith("b.go"):
            raise OutputError("b.go could not be written: no space left on device.")
        write_atomically(path, data, mode)

    monkeypatch.setattr("whyheap.app.write_fixes.write_atomically", full)
    with pytest.raises(OutputError):
        write_fixes(edited, force=True)
    assert [(tmp_path / name).read_text() for name in ("a.go", "b.go")] == ["old\n", "old\n"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.go", "b.go"]
