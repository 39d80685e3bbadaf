"""What a target is by its name, where there is nothing in it yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.app.targets import TargetKind, recognise


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("svc.log", TargetKind.LOG),
        ("stderr", TargetKind.LOG),
        ("heap.pb.gz", TargetKind.PROFILE),
        ("mem.pprof", TargetKind.PROFILE),
    ],
)
def test_an_empty_file_is_what_its_name_says(tmp_path: Path, name: str, kind: TargetKind) -> None:
    path = tmp_path / name
    path.touch()
    assert recognise(str(path)).kind is kind
