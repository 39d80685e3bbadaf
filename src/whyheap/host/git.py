"""Asks the user's git about revisions, and lays one out in a folder of ours.

Nothing of the user's is written and no hook runs: no work tree is added to the repository, and files are laid out
through an index of our own. `git archive` would leave out what .gitattributes marks export-ignore, and rewrite
export-subst.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from whyheap.errors import TargetError, ToolError
from whyheap.host.go import first_line
from whyheap.host.program import run_program

_SECONDS = 600.0
_QUIET: Mapping[str, str] = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # of a partial clone: a diff of memory is no reason to fetch
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_SETTINGS = tuple(
    word
    for setting in (
        f"core.hooksPath={os.devnull}",
        "core.fsmonitor=false",
        "core.sparseCheckout=false",
        "advice.detachedHead=false",
    )
    for word in ("-c", setting)
)
_SUBMODULE = "160000"
_NO_WORD = re.compile(r"[-\s]|.*[\x00-\x1f\x7f]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What a revision holds besides its files: `submodules` were left out; `modules` are its go.mod and go.work."""

    submodules: tuple[str, ...]
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree: `root` is its top, `folder` where in it we stand."""

    root: Path
    folder: Path

    def commit(self, word: str) -> str | None:
        """Return the commit that a word names (branch, tag, HEAD~2, abbreviation), None when it names none."""
        if not word or _NO_WORD.match(word):
            return None
        done = self._run(["rev-parse", "--verify", "--quiet", f"{word}^{{commit}}"])
        return done.stdout.strip() if done.returncode == 0 else None

    def merge_base(self, old: str, new: str) -> str | None:
        """Return the commit that two branches have last in common, None when there is none."""
        done = self._run(["merge-base", old, new])
        return done.stdout.split()[0] if done.returncode == 0 and done.stdout.split() else None

    def is_shallow(self) -> bool:
        """Whether older commits were left out of this clone, as CI does."""
        return self._run(["rev-parse", "--is-shallow-repository"]).stdout.strip() == "true"

    def changed_files(self) -> int:
        """Count files that differ from HEAD, new ones included. Raises ToolError."""
        return sum(
            1 for part in self._asked(["status", "--porcelain", "--no-renames", "-z"]).split("\0") if part[2:3] == " "
        )

    def lay_out(self, commit: str, folder: Path, index: Path) -> LaidOut:
        """Write the files of a commit to `folder`, which must be empty, by way of the file `index`.

        Submodules stay empty, and files kept elsewhere (LFS) are the pointers that git holds. Raises TargetError.
        """
        env = {"GIT_INDEX_FILE": str(index)}
        prefix = f"--prefix={folder}/"
        for arguments in (["read-tree", commit], ["checkout-index", "--all", "--force", "--quiet", prefix]):
            done = self._run(arguments, env)
            if done.returncode != 0:
                raise TargetError(
                    f"git cannot lay out {commit[:12]}: {first_line(done.stderr)}",
                    "Fetch what is missing:  git fetch --unshallow, or git fetch --refetch",
                )
        listed = list(_staged(self._asked(["ls-files", "--stage", "-z"], env)))
        return LaidOut(
            tuple(name for mode, name in listed if mode == _SUBMODULE),
            tuple(name for mode, name in listed if name.rpartition("/")[2] in {"go.mod", "go.work"}),
        )

    def _asked(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> str:
        done = self._run(arguments, env)
        if done.returncode != 0:
            raise ToolError(f"git {arguments[0]} failed: {first_line(done.stderr)}")
        return done.stdout

    def _run(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> CompletedProcess[str]:
        return _git(arguments, self.root, env)


def find_repository(folder: Path) -> Repository | None:
    """Return the work tree that a folder is in, None when it is in none.

    Raises ToolError without git, and when git refuses to read it, because it belongs to somebody else for example.
    """
    if shutil.which("git") is None:
        raise ToolError("there is no git command on PATH", "Install git, or compare captures, profiles or services.")
    done = _git(["rev-parse", "--show-toplevel"], folder, None)
    if done.returncode == 0 and done.stdout.strip():
        return Repository(Path(done.stdout.rstrip("\n")).resolve(), folder.resolve())
    if "not a git repository" in done.stderr or "must be run in a work tree" in done.stderr:
        return None
    raise ToolError(f"git does not read this repository: {first_line(done.stderr).removeprefix('fatal: ')}")


def _git(arguments: Sequence[str], folder: Path, env: Mapping[str, str] | None) -> CompletedProcess[str]:
    return run_program(["git", *_SETTINGS, *arguments], folder, env={**_QUIET, **(env or {})}, seconds=_SECONDS)


def _staged(text: str) -> Iterator[tuple[str, str]]:
    """Yield mode and name of each file of `git ls-files --stage -z`."""
    for entry in text.split("\0"):
        about, tab, name = entry.partition("\t")
        if tab:
            yield about.split(" ", 1)[0], name
