"""What machine code says about packages, by build ID, on disk: an archive is read once.

Two files per build of a package, as in fact_store.py: equal build IDs mean equal machine code, so that an entry
never goes stale. Builds that were not used for the longest time are dropped.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from whyheap.model.machine_code import FunctionCode
from whyheap.parse.machine_code.line_notes import LineNotes

FORMAT = 6  # raise when the code of an unchanged package would be told differently
_BUILDS_KEPT = 4
_USED_SECONDS = 60.0  # how exactly it is known when a build was used last
_LONGEST_NAME = 200  # file systems stop at 255 bytes a name
_FUNCTIONS, _LINES = "code", "lines"  # suffixes of the files
_ENCODER = msgspec.msgpack.Encoder()
_FUNCTIONS_DECODER = msgspec.msgpack.Decoder(tuple[FunctionCode, ...])
_LINES_DECODER = msgspec.msgpack.Decoder(LineNotes)
T = TypeVar("T")


class CodeStore:
    """The functions of packages, and what is known of their lines, below one folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first entry is saved."""
        self.folder = folder

    def has(self, package: str, build_id: str) -> bool:
        """Whether a package's functions are here."""
        return self._file(package, build_id, _FUNCTIONS).exists()

    def load(self, package: str, build_id: str) -> tuple[FunctionCode, ...] | None:
        """Return a package's functions, None when they are missing or damaged; the build counts as used now."""
        return _load(self._file(package, build_id, _FUNCTIONS), _FUNCTIONS_DECODER)

    def save(self, package: str, build_id: str, functions: Iterable[FunctionCode]) -> None:
        """Keep one build; a reader sees all of it or nothing. A cache that cannot be written is none of the scan."""
        _save(self._file(package, build_id, _FUNCTIONS), tuple(functions))

    def load_lines(self, package: str, build_id: str) -> LineNotes | None:
        """Return what is known of a package's lines, as `load` does."""
        return _load(self._file(package, build_id, _LINES), _LINES_DECODER)

    def save_lines(self, package: str, build_id: str, notes: LineNotes) -> None:
        """Keep what is known of a package's lines, as `save` does."""
        _save(self._file(package, build_id, _LINES), notes)

    def _file(self, package: str, build_id: str, suffix: str) -> Path:
        name = hashlib.blake2b(f"{FORMAT} {build_id}".encode(), digest_size=12).hexdigest()
        folder = quote(package, safe="")
        if len(folder) > _LONGEST_NAME:
            folder = hashlib.blake2b(package.encode(), digest_size=20).hexdigest()
        return self.folder / folder / f"{name}.{suffix}"


def _load(file: Path, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
    try:
        data = file.read_bytes()
        used = file.stat().st_mtime
    except OSError:
        return None
    try:
        found = decoder.decode(data)
    except msgspec.DecodeError:
        with suppress(OSError):
            file.unlink()  # so that it is made anew
        return None
    if abs(time.time() - used) > _USED_SECONDS:
        with suppress(OSError):  # a cache that can only be read serves as well
            os.utime(file)
    return found


def _save(file: Path, content: object) -> None:
    partial = file.with_suffix(f"{file.suffix}.tmp{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _drop_old(file.parent, file.suffix)
        partial.write_bytes(_ENCODER.encode(content))
        partial.replace(file)
    except OSError:
        pass
    finally:  # also when we are interrupted
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _drop_old(folder: Path, suffix: str) -> None:
    builds = []
    for file in folder.glob(f"*{suffix}"):
        with suppress(OSError):  # another process may drop the same one
            builds.append((file.stat().st_mtime_ns, file))
    for _, old in sorted(builds, reverse=True)[_BUILDS_KEPT - 1 :]:
        old.unlink(missing_ok=True)
