"""Revisions are checked out beside the user's tree, which stays as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from whyheap.errors import UsageError
from whyheap.host.git import checkout_of


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "repository"
    (folder / "sub").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / ".gitattributes").write_text("*.txt export-ignore\n")
    (folder / "sub" / "a.txt").write_text("first")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "sub" / "a.txt").write_text("second")
    git(folder, "commit", "-q", "-a", "-m", "second")
    hook = folder / ".git" / "hooks" / "post-index-change"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    return folder


def test_a_revision_is_there_and_gone_again(repository: Path, tmp_path: Path) -> None:
    (repository / "sub" / "a.txt").write_text("staged")
    git(repository, "add", "-A")
    (repository / "ran").unlink()  # the hook, for our own git add
    index = (repository / ".git" / "index").read_bytes()
    with checkout_of("HEAD~1", repository / "sub") as folder:
        assert (folder / "a.txt").read_text() == "first"
        assert folder.name == "sub"
        assert not folder.is_relative_to(repository)
    assert not folder.parent.exists()
    assert [file.name for file in folder.parents[1].iterdir()] == ["lock"]
    assert (repository / ".git" / "index").read_bytes() == index
    assert sorted(file.name for file in repository.iterdir()) == [".git", ".gitattributes", "sub"]
    assert not list(tmp_path.rglob("ran"))


def test_what_fails_inside_leaves_nothing(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkout_of("HEAD", repository) as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


def test_words_that_name_no_revision_are_refused(repository: Path, tmp_path: Path) -> None:
    for word in ("nothing", "--all", "", "HEAD:sub", "a\0b"):
        with pytest.raises(UsageError, match="knows no revision"), checkout_of(word, repository):
            pass
    with pytest.raises(UsageError, match="is in no git repository"), checkout_of("HEAD", tmp_path):
        pass
