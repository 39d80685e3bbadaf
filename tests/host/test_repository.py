"""Where a folder stands in its repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.host.repository import folder_in_repository


def test_the_nearest_git_folder_is_the_root(tmp_path: Path) -> None:
    module = tmp_path / "services" / "my shop"
    module.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert folder_in_repository(module) == "services/my shop"
    assert folder_in_repository(tmp_path) == ""
    (tmp_path / "services" / ".git").write_text("gitdir: elsewhere")  # a worktree or submodule
    assert folder_in_repository(module) == "my shop"


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "repository" / "a").mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "repository" / "a")
    assert folder_in_repository(tmp_path / "link") == "a"


@pytest.mark.parametrize("folder", ["/nowhere/at/all", "/", "a\0b"])
def test_a_folder_that_is_not_here_has_no_repository(folder: str) -> None:
    assert folder_in_repository(Path(folder)) == ""
