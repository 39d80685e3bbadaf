"""Puts proven edits onto the disk: every file whole or not at all, and none that is not what was proven."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from whyheap.errors import OutputError, TargetError
from whyheap.host.files import write_atomically
from whyheap.host.program import run_program
from whyheap.proof.workshop import EditedFile


def write_fixes(files: Sequence[EditedFile], *, force: bool) -> None:
    """Write the files. Raises TargetError for one with uncommitted changes (unless `force`) or changed meanwhile.

    Nothing is written before all were looked at. Raises OutputError when one cannot be written.
    """
    if not force:
        dirty = [one.file for one in files if _is_dirty(Path(one.path))]
        if dirty:
            more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
            raise TargetError(
                f"{dirty[0]}{more} has changes that are not committed: nothing was written",
                "Commit or stash them, or write over them with --force",
            )
    changed = [one.file for one in files if _text(one) != one.before.encode("utf-8", "surrogateescape")]
    if changed:
        raise TargetError(f"{changed[0]} was changed meanwhile: nothing was written", "Run the command again")
    for one in files:
        if not _is_writable(Path(one.path)):
            raise OutputError(f"{one.file} may not be written: nothing was written", "Make the tree writable")
    written: list[EditedFile] = []
    try:
        for one in files:
            _write(one, one.text)
            written.append(one)
    except BaseException:  # also Ctrl-C: all files or none
        for one in written:
            _write(one, one.before)
        raise


def _write(file: EditedFile, text: str) -> None:
    mode = stat.S_IMODE(Path(file.path).stat().st_mode)
    write_atomically(file.path, text.encode("utf-8", "surrogateescape"), mode)


def _text(file: EditedFile) -> bytes:
    try:
        return Path(file.path).read_bytes()
    except OSError:
        return b""


def _is_dirty(path: Path) -> bool:
    """Whether git knows of changes; a file in no repository has none."""
    git = shutil.which("git")
    if git is None:
        return False
    done = run_program([git, "status", "--porcelain", "--", path.name], path.parent, seconds=60)
    return done.returncode == 0 and bool(done.stdout.strip())


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
