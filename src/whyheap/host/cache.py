"""Our own cache folder, and locks in it. The user may delete it at any time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whyheap.errors import ToolError

_HINT = "Set WHYHEAP_CACHE to a writable folder"


def cache_folder() -> Path:
    """Return the cache folder ($WHYHEAP_CACHE, else $XDG_CACHE_HOME/whyheap, else ~/.cache/whyheap), absolute.

    Raises ToolError when nothing says where it is.
    """
    named = os.environ.get("WHYHEAP_CACHE")
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache").absolute() / "whyheap"
    except RuntimeError as error:
        raise ToolError("there is no home folder to keep a cache in", _HINT) from error


def private_folder(*parts: str) -> Path:
    """Return a folder of the cache, made where it is missing: nobody else may look into it.

    Raises ToolError when it cannot be made.
    """
    folder = cache_folder()
    with _written():
        folder.parent.mkdir(parents=True, exist_ok=True)
        for part in ("", *parts):
            folder /= part
            folder.mkdir(0o700, exist_ok=True)
    return folder


@contextmanager
def locked(*parts: str) -> Iterator[None]:
    """Hold a folder of the cache for one process, to write in it; a second one waits.

    The lock goes with the process, however it ends. Raises ToolError when the folder cannot be written.
    """
    folder = private_folder(*parts)
    with _written(), (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ToolError(f"the cache folder {cache_folder()} cannot be written: {reason}", _HINT) from error
