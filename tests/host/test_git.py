"""Revisions are laid out whole, and nothing of the user's repository is touched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from git_history import commit, git, repository
from whyheap.errors import TargetError
from whyheap.host.git import Repository, find_repository


@pytest.fixture
def history(tmp_path: Path) -> Repository:
    root = repository(tmp_path / "repo")
    commit(root, {"a.txt": "one\n", "sub/go.mod": "module x\n", ".gitattributes": "a.txt export-ignore\n"})
    commit(root, {"a.txt": "two\n", "a b\n.txt": "odd name\n"})
    found = find_repository(root)
    assert found is not None
    return found


def state(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_words_that_name_commits(history: Repository) -> None:
    head = git(history.root, "rev-parse", "HEAD")
    assert history.commit("HEAD") == history.commit("main") == history.commit(head[:8]) == head
    assert history.commit("HEAD~1") == git(history.root, "rev-parse", "HEAD~1")
    for word in ("none", "HEAD~9", "HEAD:a.txt", "-n", "--all", "", "a b", "a\x00b", "...", "@{u}"):
        assert history.commit(word) is None, word


def test_a_revision_is_laid_out_whole_and_the_repository_stays(history: Repository, tmp_path: Path) -> None:
    (history.root / "a.txt").write_text("not committed\n")
    (history.root / "new.txt").write_text("new\n")
    git(history.root, "add", "new.txt")
    before = state(history.root)
    for number, text in (("HEAD~1", "one\n"), ("HEAD", "two\n")):
        folder = tmp_path / number
        folder.mkdir()
        laid_out = history.lay_out(history.commit(number) or "", folder, tmp_path / f"{number}.index")
        assert (folder / "a.txt").read_text() == text  # git archive would leave it out
        assert laid_out.modules == ("sub/go.mod",)
        assert not (folder / "new.txt").exists()
    assert (folder / "a b\n.txt").exists()
    assert history.changed_files() == 2
    assert state(history.root) == before
    assert len(git(history.root, "worktree", "list").splitlines()) == 1


def test_submodules_are_told(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner")
    commit(inner, {"x.go": "package x\n"})
    root = repository(tmp_path / "outer")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "third/inner")
    found = Repository(root, root)
    head = commit(root, {"a.go": "package a\n"})
    (tmp_path / "out").mkdir()
    assert found.lay_out(head, tmp_path / "out", tmp_path / "index").submodules == ("third/inner",)


def test_a_commit_that_is_not_there(history: Repository, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot lay out 0123"):
        history.lay_out("0123456789" * 4, tmp_path / "out", tmp_path / "index")


def test_branches_that_parted(history: Repository) -> None:
    base = history.commit("HEAD") or ""
    git(history.root, "checkout", "-q", "-b", "topic")
    topic = commit(history.root, {"b.txt": "b\n"})
    git(history.root, "checkout", "-q", "main")
    main = commit(history.root, {"c.txt": "c\n"})
    assert history.merge_base(main, topic) == base
    git(history.root, "checkout", "-q", "--orphan", "other")
    assert history.merge_base(main, commit(history.root, {"d.txt": "d\n"})) is None


def test_a_folder_in_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert find_repository(tmp_path) is None


def test_a_subfolder_of_a_work_tree(history: Repository) -> None:
    found = find_repository(history.root / "sub")
    assert found is not None
    assert (found.root, found.folder) == (history.root, history.root / "sub")
