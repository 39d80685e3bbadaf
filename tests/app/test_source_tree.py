"""How the source of revisions is laid out, beside the user's tree, which stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_history import commit, git, shop
from go_module import GO_MOD
from whyheap.app.revision import revision_in, revisions_of
from whyheap.app.source_tree import laid_out, patterns_in
from whyheap.collect.compiler import ScanOptions
from whyheap.host.go import GoEnvironment, GoTool


class Go(GoTool):
    """A go that uses no workspace."""

    def environment(self, folder: Path) -> GoEnvironment:
        del folder
        return GoEnvironment()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return shop(tmp_path, monkeypatch)


def test_both_are_laid_out_and_removed_again(tmp_path: Path, root: Path) -> None:
    pair = revisions_of(("v1.0.0", "main"), root)
    assert pair is not None
    with laid_out(pair.repository, (pair.old, pair.new), Go("go")) as (old, new):
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
    with laid_out(pair.repository, (pair.old, pair.new), Go("go")) as (old, _):
        assert (old.folder.parent / "other" / "o.go").is_file()
        assert [gap.reason for gap in old.gaps] == [
            f"{tmp_path / 'other'} is a folder outside the repository, and used as now"
        ]


def test_a_workspace_of_the_repository_holds(root: Path) -> None:
    commit(root, {"go.work": "go 1.22\n\nuse .\n"})
    pair = revisions_of(("HEAD~1", "HEAD"), root)
    assert pair is not None
    with laid_out(pair.repository, (pair.old, pair.new), Go("go")) as (old, new):
        assert (old.go.env["GOWORK"], new.go.env["GOWORK"]) == ("off", str(new.folder / "go.work"))


def test_one_revision_of_a_repository_with_hooks_and_staged_files(tmp_path: Path, root: Path) -> None:
    commit(root, {".gitattributes": "*.go export-ignore\n"})
    hook = root / ".git" / "hooks" / "post-index-change"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    (root / "a.go").write_text("package staged\n")
    git(root, "add", "-A")
    (root / "ran").unlink()  # the hook, for our own git add
    index = (root / ".git" / "index").read_bytes()
    found, revision = revision_in(root / "b", "HEAD")
    with laid_out(found, (revision,), Go("go")) as (tree,):
        assert (tree.folder.name, tree.gaps) == ("b", ())
        assert (tree.folder.parent / "a.go").read_text() == "package shop\n"
        assert not tree.folder.is_relative_to(root)
    assert (root / ".git" / "index").read_bytes() == index
    assert sorted(file.name for file in root.iterdir()) == [".git", ".gitattributes", "a.go", "b", "go.mod"]
    assert not list(tmp_path.rglob("ran"))


def test_what_fails_inside_leaves_nothing(tmp_path: Path, root: Path) -> None:
    found, revision = revision_in(root, "HEAD")
    with pytest.raises(KeyboardInterrupt), laid_out(found, (revision,), Go("go")):
        raise KeyboardInterrupt
    (lock,) = (tmp_path / "cache").rglob("lock")
    lock.with_name("0.index.lock").touch()  # of a git that was killed
    with laid_out(found, (revision,), Go("go")) as (tree,):
        assert tree.folder.is_dir()
    assert list(lock.parent.iterdir()) == [lock]


def test_a_folder_that_a_revision_lacks(root: Path) -> None:
    found, revision = revision_in(root / "b", "v1.0.0")
    with laid_out(found, (revision,), Go("go")) as (tree,):
        assert (tree.folder.name, tree.folder.exists()) == ("b", False)


def test_patterns_of_a_folder(root: Path) -> None:
    patterns = ("./...", ".", "./b/", "./b/b.go", "./c", "./c/...", "./b...", "./.../b", f"{root}/b/...", "all")
    assert list(patterns_in(root, ScanOptions(root, patterns))) == [
        *("./...", ".", "./b", "./b/b.go", "./b...", "./.../b", "./b/...", "all")
    ]
