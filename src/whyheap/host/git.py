"""Revisions of the user's repository, in a folder of our own. Neither the user's tree nor the index is touched."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from whyheap.errors import ToolError, UsageError
from whyheap.host.cache import locked, private_folder
from whyheap.host.go import first_line
from whyheap.host.program import run_program

_PLACE = "checkouts"
_QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.sparseCheckout=false", "-c", "core.fsmonitor=false")
"""Settings of one command: no hook runs, and a sparse checkout does not leave files out."""


def is_revision(text: str, folder: Path | None = None) -> bool:
    """Whether a text names a commit of the repository that a folder (the current one) is in."""
    try:
        return _commit(text, folder or Path.cwd()) != ""
    except ToolError:
        return False


@contextmanager
def checkout_of(revision: str, folder: Path | None = None) -> Iterator[Path]:
    """Check a revision out, and remove it in the end; yields what a folder (the current one) is there.

    The folder that is yielded need not exist: the revision may not have it. The place is the same for all revisions of
    a repository, so that go and we compile only what differs; a second process waits. Files are as `git checkout`
    would write them, without submodules. Raises UsageError when there is no such revision, ToolError when git fails.
    """
    here = (folder or Path.cwd()).resolve()
    top = _git(["rev-parse", "--show-toplevel"], here)
    if top is None:
        raise UsageError(f"{here} is in no git repository, so there is no revision {revision}", "Run it inside one")
    commit = _commit(revision, here)
    if not commit:
        raise UsageError(
            f"git knows no revision {revision!r}",
            "A shallow clone lacks older ones:  git fetch --unshallow, or fetch-depth: 0 in CI",
        )
    root = Path(top).resolve()
    place = (_PLACE, hashlib.blake2b(os.fsencode(root), digest_size=10).hexdigest())
    with locked(*place):
        tree = private_folder(*place) / "tree"
        try:
            shutil.rmtree(tree, ignore_errors=True)  # of a run that was killed
            _write_tree(commit, root, tree)
            yield tree / here.relative_to(root)
        finally:
            shutil.rmtree(tree, ignore_errors=True)


def _write_tree(commit: str, root: Path, tree: Path) -> None:
    """Write a commit's files below `tree`, through an index of our own; attributes as export-ignore do not apply."""
    index = tree.with_name("index")
    index.unlink(missing_ok=True)
    env = {"GIT_INDEX_FILE": str(index), "GIT_OPTIONAL_LOCKS": "0"}
    try:
        for arguments in (
            ["read-tree", commit],
            ["checkout-index", "--all", "--force", "--quiet", f"--prefix={tree}/"],
        ):
            done = run_program(["git", *_QUIET, *arguments], root, env=env)
            if done.returncode:
                raise ToolError(f"git {arguments[0]} failed: {first_line(done.stderr)}")
        tree.mkdir(parents=True, exist_ok=True)  # of a revision without files
    finally:
        for leftover in (index, index.with_name("index.lock")):
            leftover.unlink(missing_ok=True)


def _commit(revision: str, folder: Path) -> str:
    if not revision or "\0" in revision:
        return ""
    wanted = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    return _git(wanted, folder) or ""


def _git(arguments: Sequence[str], folder: Path) -> str | None:
    """Return what git answers, None when it refuses. Raises ToolError when there is no git."""
    done = run_program(["git", *_QUIET, *arguments], folder, env={"GIT_OPTIONAL_LOCKS": "0"}, seconds=60)
    return done.stdout.strip() if done.returncode == 0 else None
