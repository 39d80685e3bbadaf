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
from dataclasses import dataclass, field
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
    "GIT_ALLOW_PROTOCOL": "none",  # the same before git 2.45
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_SETTINGS = tuple(
    word
    for setting in (
        f"core.hooksPath={os.devnull}",
        "core.fsmonitor=false",
        "core.sparseCheckout=false",
        "core.splitIndex=false",  # else part of our index would be kept in the repository
        "advice.detachedHead=false",
    )
    for word in ("-c", setting)
)
_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""What git tells its hooks about the repository that they run in; it holds there alone."""
_ANYWHERE: Mapping[str, None] = dict.fromkeys(_LOCAL)
_SUBMODULE = "160000"
_PATH_SETTING = re.compile(r"submodule\.(.+)\.path\n(.+)", re.DOTALL)
_NO_WORD = re.compile(r"[-\s]|.*[\x00-\x1f\x7f]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What a revision holds besides files: `missing` submodules were left out; `modules` are its go.mod and go.work."""

    missing: tuple[str, ...]
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree: `root` is its top, `folder` where in it we stand; `env` are changes to the environment of git."""

    root: Path
    folder: Path
    env: Mapping[str, str | None] = field(default_factory=dict, compare=False, repr=False)

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
        said = self._run(["status", "--porcelain", "--no-renames", "-z"])
        if said.returncode != 0:
            raise ToolError(f"git status failed: {first_line(said.stderr)}")
        return sum(1 for part in said.stdout.split("\0") if part[2:3] == " ")

    def lay_out(self, commit: str, folder: Path, index: Path) -> LaidOut:
        """Write the files of a commit to `folder`, which must be empty, by way of the file `index`.

        Submodules are at the commits that it has of them, where these are here; others stay empty. Files kept elsewhere
        (LFS) are the pointers that git holds. Raises TargetError.
        """
        done = self._run(["rev-parse", "--absolute-git-dir", "--git-common-dir"])
        if done.returncode != 0:
            raise ToolError(f"git rev-parse failed: {first_line(done.stderr)}")
        own, common = (self.root / line for line in done.stdout.splitlines()[:2])
        stored = dict.fromkeys((own, common.resolve()))  # a linked work tree has folders of its own
        return _lay_out(_Files(self.root, self.env, self.root, tuple(stored)), commit, folder, index)

    def _run(self, arguments: Sequence[str]) -> CompletedProcess[str]:
        return _git(arguments, self.root, self.env)


@dataclass(frozen=True, slots=True)
class _Files:
    """Where commits are read from: git runs in `place` with the changes `env`.

    `work_tree` is where its files are laid out for the user, if they are; `git_dirs` are where it keeps submodules.
    """

    place: Path
    env: Mapping[str, str | None]
    work_tree: Path
    git_dirs: tuple[Path, ...]

    def submodule(self, path: str, name: str, commit: str, target: Path) -> _Files | None:
        """Return where a submodule's commit is, None when it is not here; `target` is where its files will be."""
        work_tree = self.work_tree / path
        places = [git_dir / "modules" / name for git_dir in self.git_dirs] if name else []
        for git_dir in (_git_dir_of(work_tree), *places):
            if git_dir is None or not (git_dir / "HEAD").is_file():
                continue
            env = {**_ANYWHERE, "GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(target)}
            if _git(["cat-file", "-e", f"{commit}^{{tree}}"], target, env).returncode == 0:
                return _Files(target, env, work_tree, (git_dir,))
        return None


def _git_dir_of(work_tree: Path) -> Path | None:
    """Return the repository of a submodule's work tree, None when there is none or git does not trust it."""
    if not (work_tree / ".git").exists():
        return None
    done = _git(["rev-parse", "--absolute-git-dir"], work_tree, _ANYWHERE)
    return Path(done.stdout.rstrip("\n")) if done.returncode == 0 else None


def _lay_out(files: _Files, commit: str, folder: Path, index: Path) -> LaidOut:
    env = {**files.env, "GIT_INDEX_FILE": str(index)}
    listed = ""
    for arguments in (
        ["read-tree", commit],
        ["checkout-index", "--all", "--force", "--quiet", f"--prefix={folder}/"],
        ["ls-files", "--stage", "-z"],
    ):
        done = _git(arguments, files.place, env)
        if done.returncode != 0:
            raise TargetError(
                f"git cannot lay out {commit[:12]}: {_reason(done.stderr)}",
                "Fetch what is missing:  git fetch --unshallow, or of a partial clone  git fetch --refetch --no-filter",
            )
        listed = done.stdout
    staged = list(_staged(listed))
    modules = [name for _, _, name in staged if name.rpartition("/")[2] in {"go.mod", "go.work"}]
    missing = []
    submodules = {name: inner for mode, inner, name in staged if mode == _SUBMODULE}
    names = _names_of_submodules(folder / ".gitmodules", env) if submodules else {}
    for path, inner in submodules.items():
        below = _submodule(files, (path, names.get(path, ""), inner), folder / path, index)
        missing += [path] if below is None else [f"{path}/{one}" for one in below.missing]
        modules += [] if below is None else [f"{path}/{one}" for one in below.modules]
    return LaidOut(tuple(missing), tuple(modules))


def _reason(said: str) -> str:
    """Return the line that says why: warnings come first."""
    lines = [line for line in said.splitlines() if line.startswith(("fatal: ", "error: "))]
    return first_line(lines[0].partition(": ")[2] if lines else said)


def _submodule(files: _Files, wanted: tuple[str, str, str], target: Path, index: Path) -> LaidOut | None:
    """Lay a submodule out (its path, name and commit); None, and nothing, when not all of it is here."""
    path, name, commit = wanted
    target.mkdir(parents=True, exist_ok=True)
    found = files.submodule(path, name, commit, target)
    if found is None:
        return None
    try:
        return _lay_out(found, commit, target, index)
    except TargetError:  # part of it was never fetched
        shutil.rmtree(target, ignore_errors=True)
        return None


def _names_of_submodules(file: Path, env: Mapping[str, str | None]) -> dict[str, str]:
    """Return the names of submodules by their paths: git keeps them by name, which stays when they are moved."""
    if file.is_symlink() or not file.is_file():
        return {}
    done = _git(["config", "--file", str(file), "--null", "--get-regexp", r"^submodule\..*\.path$"], file.parent, env)
    found = (_PATH_SETTING.fullmatch(entry) for entry in done.stdout.split("\0"))
    return {one[2]: one[1] for one in found if one is not None and _is_inside(one[1])}


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


def find_repository(folder: Path) -> Repository | None:
    """Return the work tree that a folder is in, None when it is in none.

    Raises ToolError without git, and when git refuses to read it, because it belongs to somebody else for example.
    """
    if shutil.which("git") is None:
        raise ToolError("there is no git command on PATH", "Install git, or compare captures, profiles or services.")
    env: Mapping[str, str | None] = {}
    if "GIT_DIR" in os.environ and "GIT_WORK_TREE" not in os.environ:  # git takes any folder for the top then
        found = _git(["rev-parse", "--show-toplevel"], folder, _ANYWHERE)
        env = _ANYWHERE if found.returncode == 0 else {}
    done = _git(["rev-parse", "--show-toplevel"], folder, env)
    if done.returncode == 0 and done.stdout.strip():
        return Repository(Path(done.stdout.rstrip("\n")).resolve(), folder.resolve(), env)
    if "not a git repository" in done.stderr or "must be run in a work tree" in done.stderr:
        return None
    raise ToolError(f"git does not read this repository: {first_line(done.stderr).removeprefix('fatal: ')}")


def _git(arguments: Sequence[str], folder: Path, env: Mapping[str, str | None]) -> CompletedProcess[str]:
    return run_program(["git", *_SETTINGS, *arguments], folder, env={**_QUIET, **env}, seconds=_SECONDS)


def _staged(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield mode, object and name of each file of `git ls-files --stage -z`."""
    for entry in text.split("\0"):
        about, tab, name = entry.partition("\t")
        if tab:
            mode, stored, *_ = about.split(" ")
            yield mode, stored, name
