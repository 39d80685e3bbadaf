"""Whether files are still what they were, told by their inodes: far cheaper than reading them.

As git's index does: size, inode, modification and status-change time, to the nanosecond. What changed so shortly
before the stamp was taken that the clock's grain could hide another change is not trusted at all.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from hashlib import blake2b
from stat import S_ISDIR

GRAIN_SECONDS = 2.0
"""Coarsest time stamps in use (FAT); changes closer to the reading than this are not trusted."""

_TICK_SECONDS = 0.02  # the kernel's clock for files runs up to a tick of 10 ms behind
_ABSENT = b"absent"
_PACK = struct.Struct("<qqqq").pack


def stamp(paths: Iterable[str], trusted_before: float | None = None) -> str | None:
    """Return a digest over the inodes of all paths, in order; a path that is not there counts as such.

    With `trusted_before` (seconds since 1970) None is returned when anything changed after that moment.
    """
    digest = blake2b(digest_size=16)
    newest = 0
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - tens of thousands of calls
        except OSError:
            digest.update(_ABSENT)
            continue
        size = 0 if S_ISDIR(status.st_mode) else status.st_size
        digest.update(_PACK(status.st_mtime_ns, status.st_ctime_ns, size, status.st_ino))
        newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
    if trusted_before is not None and newest >= trusted_before * 1e9:
        return None
    return digest.hexdigest()


def changed_since(paths: Iterable[str], moment: float) -> bool:
    """Whether any of these files may have changed since `moment` (seconds since 1970); absent ones have not.

    Told by the status-change time, which nobody can set. A time in whole seconds may be as coarse as FAT's, others are
    as coarse as the kernel's tick.
    """
    for path in paths:
        try:
            changed = os.stat(path).st_ctime_ns  # noqa: PTH116 - tens of thousands of calls
        except OSError:
            continue
        if changed / 1e9 + (_TICK_SECONDS if changed % 1_000_000_000 else GRAIN_SECONDS) >= moment:
            return True
    return False


def folders_below(roots: Iterable[str], most: int) -> list[str]:
    """Return `roots` and the folders below them that may hold Go packages: names with a leading dot or _ never do.

    No folder comes twice; the walk ends when there are more than `most`.
    """
    found: set[str] = set()
    waiting = list(roots)
    while waiting and len(found) <= most:
        folder = waiting.pop()
        if folder in found:
            continue
        found.add(folder)
        try:
            with os.scandir(folder) as entries:
                waiting += [
                    entry.path
                    for entry in entries
                    if not entry.name.startswith((".", "_")) and entry.is_dir(follow_symlinks=False)
                ]
        except OSError:
            continue
    return sorted(found)
