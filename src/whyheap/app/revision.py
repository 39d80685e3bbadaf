"""Git revisions as targets: which words name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whyheap.app.targets import TargetKind, recognise
from whyheap.collect.unchanged import is_path
from whyheap.errors import UsageError, WhyheapError
from whyheap.host.git import Repository, find_repository
from whyheap.model.revision_diff import Revision

WORKING_TREE = "working tree"
_EXAMPLE = "For example:  whyheap diff main HEAD ./...   or  whyheap diff main  for what is not committed yet"
_REVISIONS = "Name a branch, a tag or a commit:  git branch --all  and  git log --oneline  list them"
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class RevisionPair:
    """What `diff` was asked to compare: two revisions of a repository, and package patterns."""

    repository: Repository
    old: Revision
    new: Revision
    patterns: tuple[str, ...]


def revision_in(folder: Path, word: str) -> tuple[Repository, Revision]:
    """Return the repository that a folder is in and the revision that a word names there. Raises UsageError."""
    repository = find_repository(folder)
    if repository is None:
        raise UsageError(f"{folder} is in no git repository, so there is no revision {word}", "Run it inside one")
    commit = repository.commit(word)
    if commit is None:
        raise UsageError(f"git knows no revision {word!r}", _way_to(word, repository))
    return repository, Revision(word, commit)


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
    """Say what a word is not."""
    way = _way_to(word, repository) if repository.commit(word) is None else _REVISIONS
    return UsageError(f"{word!a} is {what}", _EXAMPLE if way is _REVISIONS else way)


def _way_to(word: str, repository: Repository) -> str:
    """Say how to have a revision: in a clone for CI a branch is that of the remote, and history may be cut off."""
    if repository.commit(f"origin/{word}") is not None:
        return f"There is origin/{word}"
    if repository.is_shallow():
        return "This clone has no older commits: fetch them with  git fetch --unshallow  (in CI: fetch-depth: 0)"
    return _REVISIONS


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
