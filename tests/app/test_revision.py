"""Which words are revisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_history import commit, git, shop
from whyheap.app.revision import WORKING_TREE, revision_in, revisions_of
from whyheap.errors import UsageError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return shop(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("words", "old", "new", "patterns"),
    [
        (("main", "HEAD"), "main", "HEAD", ("./...",)),
        (("v1.0.0", "feature/fast", "./b"), "v1.0.0", "feature/fast", ("./b",)),
        (("v1.0.0",), "v1.0.0", WORKING_TREE, ("./...",)),
        (("HEAD~1", "./b", "example.com/shop"), "HEAD~1", WORKING_TREE, ("./b", "example.com/shop")),
        (("v1.0.0..main", "b"), "v1.0.0", "main", ("b",)),
        (("v1.0.0..",), "v1.0.0", "HEAD", ("./...",)),
        (("v1.0.0...main",), "v1.0.0", "main", ("./...",)),
    ],
)
def test_words_that_are_revisions(
    root: Path, words: tuple[str, ...], old: str, new: str, patterns: tuple[str, ...]
) -> None:
    pair = revisions_of(words, root)
    assert pair is not None
    assert (pair.old.name, pair.new.name, pair.patterns) == (old, new, patterns)
    assert pair.old.commit == git(root, "rev-parse", f"{old}^{{commit}}")


def test_three_dots_start_where_branches_parted(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "feature/fast")
    commit(root, {"c.go": "package shop\n"})
    git(root, "checkout", "-q", "main")
    commit(root, {"d.go": "package shop\n"})
    pair = revisions_of(("main...feature/fast",), root)
    assert pair is not None
    assert (pair.old.commit, pair.old.title, pair.new.name) == (base, base[:8], "feature/fast")


@pytest.mark.parametrize(
    "words",
    [(), (".",), ("./...",), ("http://127.0.0.1:1", "http://127.0.0.1:2"), ("pid:1", "pid:2"), ("a.whyheap", "main")],
)
def test_words_that_are_other_targets(root: Path, words: tuple[str, ...]) -> None:
    assert revisions_of(words, root) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mian", "HEAD"), "'mian' is no file and no revision"),
        (("main", "HAED"), "'HAED' is neither a revision"),
        (("main", "HEAD", "v1.0.0"), "'v1.0.0' is one revision too many"),
        (("main", "HEAD", "none"), "'none' is no package"),
        (("main..none",), "'none' is no file and no revision"),
    ],
)
def test_words_that_are_wrong(root: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        revisions_of(words, root)


def test_a_branch_that_only_the_remote_has(root: Path) -> None:
    git(root, "update-ref", "refs/remotes/origin/release", "HEAD")
    with pytest.raises(UsageError) as caught:
        revisions_of(("release", "HEAD"), root)
    assert caught.value.hint == "There is origin/release"


def test_a_clone_without_history_is_told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    with pytest.raises(UsageError) as caught:
        revisions_of(("HEAD~1",), tmp_path / "shallow")
    assert "git fetch --unshallow" in caught.value.hint


def test_a_folder_named_like_a_branch_is_asked_about(root: Path) -> None:
    git(root, "branch", "b")
    with pytest.raises(UsageError, match="b is a folder and a revision"):
        revisions_of(("b", "main"), root)


def test_outside_a_repository(tmp_path: Path, root: Path) -> None:
    assert root.is_dir()
    with pytest.raises(UsageError, match="in no git repository"):
        revisions_of(("main", "HEAD"), tmp_path)


def test_one_word_for_one_revision(root: Path, tmp_path: Path) -> None:
    found, revision = revision_in(root / "b", "v1.0.0")
    assert (found.root, found.folder, revision.name) == (root, root / "b", "v1.0.0")
    assert revision.commit == git(root, "rev-parse", "v1.0.0")
    git(root, "update-ref", "refs/remotes/origin/release", "HEAD")
    for word in ("nothing", "--all", "", "HEAD:sub", "a\0b", "release"):
        with pytest.raises(UsageError, match="git knows no revision") as caught:
            revision_in(root, word)
        way_out = "There is origin/release" if word == "release" else "Name a branch, a tag or a commit: "
        assert caught.value.hint.startswith(way_out)
    with pytest.raises(UsageError, match="is in no git repository"):
        revision_in(tmp_path, "HEAD")
