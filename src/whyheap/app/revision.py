"""Git revisions as targets: which words name them, and their files in a folder of ours, as go sees the user's own."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.app.targets import TargetKind, recognise
from whyheap.collect.compiler import ScanOptions
from whyheap.collect.unchanged import is_path
from whyheap.errors import TargetError, UsageError, WhyheapError
from whyheap.host.cache import locked, private_folder
from whyheap.host.git import LaidOut, Repository, find_repository
from whyheap.host.go import GoTool
from whyheap.model.gauge import Gap
from whyheap.model.revision_diff import Revision
from whyheap.parse.go_mod import replaced_folders, used_folders

WORKING_TREE = "working tree"
_EXAMPLE = "For example:  whyheap diff main HEAD ./...   or  whyheap diff main  for what is not committed yet"
_SHOWN = 3
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class RevisionPair:
    """What `diff` was asked to compare: two revisions of a repository, and package patterns."""

    repository: Repository
    old: Revision
    new: Revision
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A revision's source: where `folder` of the user's work tree is in it, the go to build it, and what differs."""

    folder: Path
    go: GoTool
    gaps: tuple[Gap, ...] = ()


def revisions_of(words: Sequence[str], folder: Path) -> RevisionPair | None:
    """Read `A B`, `A..B`, `A...B` (since they parted) or `A` (against the working tree), then packages.

    Returns None when the first word is a file, a folder or another target. Raises UsageError for a first word that
    could only be a revision and is none, and for a second one that is neither revision nor package.
    """
    if not words:
        return None
    if _is_other(words[0]):
        _refuse_folder(words[0], folder)
        return None
    repository = find_repository(folder)
    if repository is None:
        if len(words) == 1 or not any(map(_is_other, words)):
            raise UsageError(f"{words[0]} is no file, and {folder} is in no git repository", _EXAMPLE)
        return None
    first, *rest = words
    span = _span(first, repository)
    if span is not None:
        old, new = span
    else:
        old = _revision(first, repository)
        second = repository.commit(rest[0]) if rest and not _is_package(rest[0]) else None
        if second is not None:
            new, rest = Revision(rest[0], second), rest[1:]
        elif rest and not _is_package(rest[0]):
            raise _unknown(rest[0], "neither a revision of this repository nor a package", repository)
        else:
            new = Revision(WORKING_TREE, "")
    for word in rest:
        if not _is_package(word):
            known = repository.commit(word) is not None
            raise _unknown(word, "one revision too many" if known else "no package", repository)
    return RevisionPair(repository, old, new, tuple(rest) or ("./...",))


def _refuse_folder(word: str, folder: Path) -> None:
    """Refuse a folder that a branch or tag is named like."""
    if not is_path(word) and Path(word).is_dir():
        repository = find_repository(folder)
        if repository is not None and repository.commit(word) is not None:
            raise UsageError(f"{word} is a folder and a revision", f"Write ./{word}, or heads/{word} or tags/{word}")


def _span(word: str, repository: Repository) -> tuple[Revision, Revision] | None:
    if repository.commit(word) is not None:  # git allows no ".." in names, but ^{/a..b} has it
        return None
    for mark in ("...", ".."):
        left, found, right = word.partition(mark)
        if not found:
            continue
        old, new = _revision(left or "HEAD", repository), _revision(right or "HEAD", repository)
        if mark == "..":
            return old, new
        base = repository.merge_base(old.commit, new.commit)
        if base is None:
            raise UsageError(f"{old.name} and {new.name} have no commit in common", f"Compare them:  {left} {right}")
        return Revision(base[:_DIGITS], base) if base != old.commit else old, new
    return None


def _revision(word: str, repository: Repository) -> Revision:
    commit = repository.commit(word)
    if commit is None:
        raise _unknown(word, "no file and no revision of this repository", repository)
    return Revision(word, commit)


def _unknown(word: str, what: str, repository: Repository) -> UsageError:
    """Say what a word is not; in a clone for CI a branch is that of the remote, and history may be cut off."""
    hint = _EXAMPLE
    if repository.commit(word) is None:
        if repository.commit(f"origin/{word}") is not None:
            hint = f"There is origin/{word}"
        elif repository.is_shallow():
            hint = "This clone has no older commits: fetch them with  git fetch --unshallow  (in CI: fetch-depth: 0)"
    return UsageError(f"{word!a} is {what}", hint)


def _is_other(word: str) -> bool:
    """Whether a word is a target of another kind, be it one that is not there."""
    if word.startswith(("http://", "https://", "pid:", "k8s:")) or _is_package(word) or Path(word).is_file():
        return True
    try:
        return recognise(word).kind is not TargetKind.PACKAGES
    except UsageError:  # HEAD~2
        return False
    except WhyheapError:  # a profile that is not there
        return True


def _is_package(word: str) -> bool:
    """Whether a word is a package by its form, or a folder: ./x, x/..., example.com/x."""
    if is_path(word) or word.endswith("/...") or word in {"...", "all", "std", "cmd"} or Path(word).is_dir():
        return True
    first, slash, _ = word.partition("/")
    return bool(slash) and "." in first and ".." not in word


@contextmanager
def laid_out(pair: RevisionPair, go: GoTool) -> Iterator[tuple[SourceTree, SourceTree]]:
    """Lay both revisions out in our cache folder, and remove them when they are no longer needed.

    The folders have the same names each time: what go compiled there it finds again. Raises TargetError, ToolError.
    """
    repository = pair.repository
    place = ("revisions", hashlib.blake2b(str(repository.root).encode(), digest_size=8).hexdigest())
    with locked(*place):
        home = private_folder(*place)
        try:
            _remove(home)
            yield (
                _tree(pair.old, repository, home / "old", go),
                _tree(pair.new, repository, home / "new", go),
            )
        finally:
            _remove(home)


def patterns_in(folder: Path, options: ScanOptions) -> Iterator[str]:
    """Yield the package patterns that a revision has, relative to its folder."""
    for pattern in options.patterns:
        if not is_path(pattern):
            yield pattern
            continue
        path, dots, _ = pattern.partition("...")
        inside = os.path.relpath(options.folder / path, options.folder)
        if (folder / inside).is_dir():
            yield f"./{inside}{'/...' if dots else ''}" if inside != "." else f".{'/...' if dots else ''}"


def _remove(home: Path) -> None:
    for name in ("old", "new"):
        shutil.rmtree(home / name, ignore_errors=True)
        (home / f"{name}.index").unlink(missing_ok=True)


def _tree(revision: Revision, repository: Repository, slot: Path, go: GoTool) -> SourceTree:
    """Lay a revision out under the name that its repository has, so that ../other means another folder below `slot`."""
    if not revision.commit:
        return SourceTree(repository.folder, go)
    root = slot / repository.root.relative_to(repository.root.anchor)
    root.mkdir(parents=True, mode=0o700)
    found = repository.lay_out(revision.commit, root, slot.with_suffix(".index"))
    folder = root / repository.folder.relative_to(repository.root)
    if not folder.is_dir():
        inside = repository.folder.relative_to(repository.root)
        raise TargetError(f"{revision.title} has no folder {inside}", "Go to the top of the repository")
    workspace, gaps = _workspace(folder, root, repository, go)
    gaps += [*_submodules(revision, found), *_outside(root, slot, repository, found)]
    return SourceTree(folder, replace(go, env={**go.env, "GOWORK": workspace}), tuple(gaps))


def _workspace(folder: Path, root: Path, repository: Repository, go: GoTool) -> tuple[str, list[Gap]]:
    """Return the go.work that holds in a laid out folder, "off" for none."""
    used = go.environment(repository.folder).GOWORK
    if used == "off":
        return "off", []
    if used and not Path(used).resolve().is_relative_to(repository.root):
        reason = f"{used} is outside the repository, so revisions were built without it"
        return "off", [Gap("git", reason, "Set GOWORK=off for a comparison with the working tree.")]
    if used:
        named = root / Path(used).resolve().relative_to(repository.root)
        if named.is_file():
            return str(named), []
    above = (parent / "go.work" for parent in (folder, *folder.parents) if parent.is_relative_to(root))
    return next((str(file) for file in above if file.is_file()), "off"), []


def _submodules(revision: Revision, found: LaidOut) -> Iterable[Gap]:
    if found.submodules:
        reason = f"{revision.title}: {_listed(found.submodules)} {_are(found.submodules, 'a submodule')} and left out"
        yield Gap("git", reason, "Packages in there, or that need them, are not compared.")


def _outside(root: Path, slot: Path, repository: Repository, found: LaidOut) -> Iterable[Gap]:
    """Link what go.mod or go.work takes from outside the repository to where it is seen from the laid out files."""
    linked: dict[str, None] = {}
    for name in found.modules:
        text = (root / name).read_text(encoding="utf-8", errors="replace") if (root / name).is_file() else ""
        targets = (*replaced_folders(text), *(used_folders(text) if name.endswith("go.work") else ()))
        for target in targets:
            wanted = Path(os.path.normpath((root / name).parent / target))
            real = Path(os.path.normpath((repository.root / name).parent / target))
            if not os.path.isabs(target) and wanted.is_relative_to(root):  # noqa: PTH117 - a text, as go reads it
                continue
            linked[str(real)] = None
            if wanted.is_relative_to(slot) and real.is_dir() and not os.path.lexists(wanted):
                with suppress(OSError):
                    wanted.parent.mkdir(parents=True, exist_ok=True)
                    wanted.symlink_to(real, target_is_directory=True)
    if linked:
        names = tuple(linked)
        reason = f"{_listed(names)} {_are(names, 'a folder')} outside the repository, and used as now"
        yield Gap("git", reason, "What changed in there is in neither side.")


def _are(names: Sequence[str], what: str) -> str:
    return f"is {what}" if len(names) == 1 else f"are {what.removeprefix('a ')}s"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
