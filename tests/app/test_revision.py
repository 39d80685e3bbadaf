"""Which words of `whyheap diff` are revisions, and how their source is laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_history import commit, git, repository
from whyheap.app.revision import WORKING_TREE, laid_out, patterns_in, revisions_of
from whyheap.collect.compiler import ScanOptions
from whyheap.errors import UsageError
from whyheap.host.go import GoEnvironment, GoTool

GO_MOD = "module example.com/shop\n\ngo 1.22\n"


class Go(GoTool):
    """A go that uses no workspace."""

    def environment(self, folder: Path) -> GoEnvironment:
        del folder
        return GoEnvironment()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    found = repository(tmp_path / "repo")
    commit(found, {"go.mod": GO_MOD, "a.go": "package shop\n"})
    commit(found, {"b/b.go": "package b\n"})
    git(found, "tag", "v1.0.0", "HEAD~1")
    git(found, "branch", "feature/fast")
    monkeypatch.chdir(found)
    return found


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


def test_both_are_laid_out_and_removed_again(tmp_path: Path, root: Path) -> None:
    pair = revisions_of(("v1.0.0", "main"), root)
    assert pair is not None
    with laid_out(pair, Go("go")) as (old, new):
        assert (old.folder / "a.go").is_file()
        assert not (old.folder / "b").exists()
        assert (new.folder / "b" / "b.go").is_file()
        assert old.go.env["GOWORK"] == "off"
        options = ScanOptions(root, ("./b", f"{root}/b/...", "example.com/shop/b"))
        assert list(patterns_in(old.folder, options)) == ["example.com/shop/b"]
        assert list(patterns_in(new.folder, options)) == ["./b", "./b/...", "example.com/shop/b"]
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [
        *(tmp_path / "cache").rglob("revisions/*/lock")
    ]
    assert git(root, "status", "--porcelain") == ""


def test_folders_outside_are_found_from_the_laid_out_files(tmp_path: Path, root: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "o.go").write_text("package other\n")
    replaced = f"{GO_MOD}\nreplace (\n\texample.com/o => ../other // beside it\n\texample.com/b => ./b\n)\n"
    commit(root, {"go.mod": replaced, "x/go.mod": f"{GO_MOD}replace example.com/o v1.0.0 => ../../other\n"})
    pair = revisions_of(("HEAD", "v1.0.0"), root)
    assert pair is not None
    with laid_out(pair, Go("go")) as (old, _):
        assert (old.folder.parent / "other" / "o.go").is_file()
        assert [gap.reason for gap in old.gaps] == [
            f"{tmp_path / 'other'} is a folder outside the repository, and used as now"
        ]


def test_a_workspace_of_the_repository_holds(root: Path) -> None:
    commit(root, {"go.work": "go 1.22\n\nuse .\n"})
    pair = revisions_of(("HEAD~1", "HEAD"), root)
    assert pair is not None
    with laid_out(pair, Go("go")) as (old, new):
        assert (old.go.env["GOWORK"], new.go.env["GOWORK"]) == ("off", str(new.folder / "go.work"))
