"""Follows the go command's standard error while it runs, so that packages are read as soon as they are compiled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

_CHUNK = 1 << 20
_POLL_SECONDS = 0.02


def follow_lines(
    path: Path, wanted: Callable[[], bool], finished: Callable[[], bool], errors: str = "replace"
) -> Iterator[str]:
    """Yield the lines of a file that is still being written, until `finished`.

    `errors` says what becomes of bytes that are no UTF-8, as for bytes.decode.
    Nothing is read before `wanted`: a scan in which nothing was compiled does not look at replayed text at all.
    """
    while not wanted():
        if finished() and not wanted():
            return
        time.sleep(_POLL_SECONDS)
    rest = b""
    with path.open("rb") as handle:
        while True:
            over = finished()
            chunk = handle.read(_CHUNK)
            if not chunk:
                if over:
                    break
                time.sleep(_POLL_SECONDS)
                continue
            whole, newline, tail = chunk.rpartition(b"\n")
            if not newline:
                rest += chunk
                continue
            yield from (rest + whole).decode("utf-8", errors).split("\n")
            rest = tail
    if rest:
        yield rest.decode("utf-8", errors)
