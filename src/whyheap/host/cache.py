"""Our own cache folder, and locks in it. The user may delete it at any time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Return the cache folder ($WHYHEAP_CACHE, else $XDG_CACHE_HOME/whyheap, else ~/.cache/whyheap)."""
    named = os.environ.get("WHYHEAP_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "whyheap"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one process; a second one waits. The lock goes with the process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
