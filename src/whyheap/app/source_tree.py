"""The source of git revisions in a folder of ours, where go builds it as it builds the user's own."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.collect.compiler import ScanOptions
from whyheap.collect.unchanged import is_path
from whyheap.host.cache import locked, private_folder
from whyheap.host.git import LaidOut, Repository
from whyheap.host.go import VERSION_NAME, GoTool
from whyheap.model.gauge import Gap
from whyheap.model.revision_diff import Revision
from whyheap.parse.go_mod import replaced_folders, used_folders

_SHOWN = 3
_FETCH = "Fetch what is missing:  git submodule update --init --recursive, and  git fetch  in there for older commits"


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A revision's source: where the folder that we stand in is in it, the go to build it, and what differs.

    `folder` is not there when the revision does not have it.
    """

    folder: Path
    go: GoTool
    gaps: tuple[Gap, ...] = ()


@contextmanager
def laid_out(repository: Repository, revisions: Sequence[Revision], go: GoTool) -> Iterator[tuple[SourceTree, ...]]:
    """Lay revisions out in our cache folder, and remove them when they are no longer needed.

    The folders have the same names each time: what go compiled there it finds again. A second process waits.
    Raises TargetError, ToolError.
    """
    place = ("revisions", hashlib.blake2b(str(repository.root).encode(), digest_size=8).hexdigest())
    with locked(*place):
        home = private_folder(*place)
        try:
            _remove(home)  # what a run left that was killed
            yield tuple(
                _tree(revision, repository, home / str(number), go) for number, revision in enumerate(revisions)
            )
        finally:
            _remove(home)


def of_version(tree: SourceTree, version: str) -> SourceTree:
    """Let a revision be built by the same Go ("go1.27.3"), where its go.mod asks the go command for another."""
    if not tree.folder.is_dir() or not VERSION_NAME.match(version):  # a build of one's own go cannot be asked for
        return tree
    return replace(tree, go=replace(tree.go, env={**tree.go.env, "GOTOOLCHAIN": version}))


def remedy(tree: SourceTree) -> str:
    """Return how to get what a revision's build may need and this clone lacks, "" when it lacks nothing."""
    return next((gap.hint for gap in tree.gaps if gap.hint == _FETCH), "")


def patterns_in(folder: Path, options: ScanOptions) -> Iterator[str]:
    """Yield the package patterns that a revision has, relative to its folder."""
    for pattern in options.patterns:
        if not is_path(pattern):
            yield pattern
            continue
        whole = os.path.relpath(options.folder / pattern, options.folder)
        known, dots, _ = whole.partition("...")
        known = known.rpartition("/")[0] if dots else known  # ./a... is ./about, too
        place = folder / known
        if place.is_file() or any(place.rglob("*.go") if dots else place.glob("*.go")):  # else go calls it no package
            yield f"./{whole}" if whole != "." else whole


def _remove(home: Path) -> None:
    for path in home.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != "lock":
            path.unlink()


def _tree(revision: Revision, repository: Repository, slot: Path, go: GoTool) -> SourceTree:
    """Lay a revision out under the name that its repository has, so that ../other means another folder below `slot`."""
    if not revision.commit:
        return SourceTree(repository.folder, go)
    root = slot / repository.root.relative_to(repository.root.anchor)
    root.mkdir(parents=True, mode=0o700)
    found = repository.lay_out(revision.commit, root, slot.with_suffix(".index"))
    folder = root / repository.folder.relative_to(repository.root)
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
    if found.missing:
        whose = "whose commit is not here" if len(found.missing) == 1 else "whose commits are not here"
        which = f"{_listed(found.missing)} {_are(found.missing, 'a submodule')} {whose}"
        yield Gap("git", f"{revision.title}: {which}: left out", _FETCH)


def _outside(root: Path, slot: Path, repository: Repository, found: LaidOut) -> Iterable[Gap]:
    """Link what go.mod or go.work takes from outside the repository to where it is seen from the laid out files."""
    linked: dict[str, None] = {}
    for name in found.modules:
        text = (root / name).read_text(encoding="utf-8", errors="replace") if (root / name).is_file() else ""
        targets = (*replaced_folders(text), *(used_folders(text) if name.endswith("go.work") else ()))
        for target in sorted(targets, key=len):  # what is above another one first
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
