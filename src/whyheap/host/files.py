"""Writing what the user asked for: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from whyheap.errors import OutputError


def write_atomically(path: str | Path, data: bytes, mode: int = 0o600) -> None:
    """Write `data` to `path` so that a reader sees the old file or the whole new one, never a part.

    A temporary file in the same folder is synced and renamed over the target. A symbolic link is followed and kept; a
    device or pipe is written directly. Raises `OutputError` when that fails: the old file is then as it was, and
    nothing is left behind.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise OutputError(f"{path} is a folder, not a file.", "Give a file name after -o.")
        if _is_special(target):
            with target.open("wb") as stream:
                stream.write(data)
            return
        _replace(target, data, mode)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} could not be written: {reason}.", _hint(error, Path(path))) from error
    except ValueError as error:  # a NUL byte in the name
        raise OutputError(f"{str(path)!a} is not a file name: {error}.", "Give a file name after -o.") from error


def _replace(target: Path, data: bytes, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:32]}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:  # also Ctrl-C: nothing half-written is left
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; some file systems cannot, which is no failure."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_special(target: Path) -> bool:
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(kind)


def _hint(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"Make the folder first:  mkdir -p {path.parent}"
    if isinstance(error, PermissionError):
        return "Choose a folder that you may write to."
    return "Free some space there, or choose another folder."
