"""Revisions are laid out whole, and nothing of the user's repository is touched."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from git_history import commit, git, repository
from whyheap.errors import TargetError
from whyheap.host.git import LaidOut, Repository, find_repository


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


SUBMODULE = ("-c", "protocol.file.allow=always", "submodule")


@pytest.fixture
def outer(tmp_path: Path) -> Repository:
    """Make a repository with a submodule named "the inner", which has one of its own, each with a hook."""
    deep = repository(tmp_path / "deep")
    commit(deep, {"go.mod": "module deep\n"})
    inner = repository(tmp_path / "inner")
    git(inner, *SUBMODULE, "add", "-q", str(deep), "deep")
    commit(inner, {"x.go": "package x\n", "go.mod": "module inner\n"})
    root = repository(tmp_path / "outer")
    git(root, *SUBMODULE, "add", "-q", "--name", "the inner", str(inner), "third/inner")
    git(root, *SUBMODULE, "update", "-q", "--init", "--recursive")
    commit(root, {"a.go": "package a\n"})
    ran = tmp_path / "hook ran"
    for hooks in (root / ".git").rglob("hooks"):
        hook = hooks / "post-index-change"
        hook.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
        hook.chmod(0o755)
    return Repository(root, root)


def lay_out(found: Repository, word: str, folder: Path) -> tuple[LaidOut, dict[str, str]]:
    folder.mkdir()
    laid_out = found.lay_out(found.commit(word) or "", folder, folder.with_suffix(".index"))
    return laid_out, {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.go") if path.is_file()
    }


def test_submodules_are_laid_out_at_the_commit_of_the_revision(outer: Repository, tmp_path: Path) -> None:
    inner = outer.root / "third" / "inner"
    commit(inner, {"x.go": "package x // changed\n"})
    commit(outer.root, {})
    (tmp_path / "hook ran").unlink()
    before = state(outer.root)
    laid_out, files = lay_out(outer, "HEAD~1", tmp_path / "old")
    assert laid_out == LaidOut((), ("third/inner/go.mod", "third/inner/deep/go.mod"))
    assert files == {"a.go": "package a\n", "third/inner/x.go": "package x\n"}
    assert lay_out(outer, "HEAD", tmp_path / "new")[1]["third/inner/x.go"] == "package x // changed\n"
    assert state(outer.root) == before
    assert not (tmp_path / "hook ran").exists()


def test_submodules_that_moved_or_have_no_work_tree(outer: Repository, tmp_path: Path) -> None:
    git(outer.root, "mv", "third/inner", "moved")
    commit(outer.root, {})
    assert lay_out(outer, "HEAD~1", tmp_path / "old")[1].keys() == {"a.go", "third/inner/x.go"}
    git(outer.root, "submodule", "deinit", "-q", "-f", "moved")
    laid_out, files = lay_out(outer, "HEAD", tmp_path / "new")
    assert (laid_out.missing, set(files)) == ((), {"a.go", "moved/x.go"})
    git(outer.root, "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = find_repository(tmp_path / "linked")
    assert linked is not None
    assert lay_out(linked, "HEAD", tmp_path / "of linked")[0].missing == ()


def test_submodules_whose_commits_are_not_here(outer: Repository, tmp_path: Path) -> None:
    shutil.rmtree(outer.root / ".git" / "modules" / "the inner" / "modules")
    (outer.root / "third" / "inner" / "deep" / ".git").unlink()
    laid_out, files = lay_out(outer, "HEAD", tmp_path / "deep is missing")
    assert laid_out == LaidOut(("third/inner/deep",), ("third/inner/go.mod",))
    assert "third/inner/x.go" in files
    git(tmp_path, "clone", "-q", str(outer.root), "clone")
    clone = Repository(tmp_path / "clone", tmp_path / "clone")
    laid_out, files = lay_out(clone, "HEAD", tmp_path / "none")
    assert laid_out == LaidOut(("third/inner",), ())
    assert files == {"a.go": "package a\n"}


@pytest.mark.parametrize("name", ["../../../other/.git", "/other/.git"])
def test_a_submodule_of_another_repository(name: str, tmp_path: Path) -> None:
    inner = repository(tmp_path / "other")
    stored = commit(inner, {"x.go": "package x\n"})
    root = repository(tmp_path / "outer")
    commit(root, {".gitmodules": f'[submodule "{name.replace("/other", f"{tmp_path}/other")}"]\n\tpath = in\n'})
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{stored},in")
    git(root, "commit", "-q", "-m", "names what is not its own")
    assert lay_out(Repository(root, root), "HEAD", tmp_path / "out")[0].missing == ("in",)


def test_nothing_is_fetched(history: Repository, tmp_path: Path) -> None:
    git(history.root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", history.root.as_uri(), "partial")
    partial = Repository(tmp_path / "partial", tmp_path / "partial")
    with pytest.raises(TargetError, match="cannot lay out") as refused:
        lay_out(partial, "HEAD~1", tmp_path / "out")
    assert "warning" not in refused.value.message
    assert "git fetch --refetch --no-filter" in refused.value.hint


def test_a_folder_below_a_hook(history: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(history.root / ".git"))  # as git sets it for hooks in a linked work tree
    monkeypatch.setenv("GIT_INDEX_FILE", str(history.root / ".git" / "index.lock"))
    below = find_repository(history.root / "sub")
    assert below == Repository(history.root, history.root / "sub")
    assert below.changed_files() == 0


def test_an_index_in_parts_leaves_nothing(history: Repository, tmp_path: Path) -> None:
    git(history.root, "config", "core.splitIndex", "true")
    before = state(history.root)
    lay_out(history, "HEAD", tmp_path / "out")
    assert state(history.root) == before


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
