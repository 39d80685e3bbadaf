"""The end of a log file: as much as is worth reading, in whole lines."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from whyheap.errors import TargetError

MOST_BYTES = 128 << 20
LONGEST_LINE_BYTES = 64 << 10
_PIECE_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class LogFile:
    """An opened log. `written` is when it was last written to, in seconds since 1970.

    `skipped_bytes` of the beginning are left out, `is_cut` says that a compressed file was not read to its end: both
    are known when the lines have been read.
    """

    path: Path
    written: float = 0.0
    skipped_bytes: int = 0
    is_cut: bool = False

    def lines(self, most_bytes: int = MOST_BYTES) -> Iterator[str]:
        """Yield the lines of the last `most_bytes`, without their ends; of a compressed file, the first ones.

        A line longer than LONGEST_LINE_BYTES comes in parts. Raises TargetError when the file cannot be read.
        """
        try:
            with self.path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                self.written = status.st_mtime
                if stream.read(2) == _GZIP:
                    stream.seek(0)
                    yield from self._compressed(stream, most_bytes)
                    return
                self.skipped_bytes = max(status.st_size - most_bytes, 0)
                stream.seek(self.skipped_bytes)
                if self.skipped_bytes:
                    self.skipped_bytes += len(stream.readline(_PIECE_BYTES))
                yield from _lines(stream, most_bytes)
        except FileNotFoundError as error:
            raise TargetError(f"{self.path} does not exist.", "Check the file's name.") from error
        except OSError as error:
            raise TargetError(f"{self.path} cannot be read: {(error.strerror or str(error)).lower()}.") from error

    def _compressed(self, stream: BinaryIO, most_bytes: int) -> Iterator[str]:
        with closing(gzip.GzipFile(fileobj=stream, mode="rb")) as inflated:
            try:
                yield from _lines(inflated, most_bytes)
                self.is_cut = bool(inflated.read(1))
            except (zlib.error, EOFError, gzip.BadGzipFile):
                self.is_cut = True


def _lines(stream: BinaryIO | gzip.GzipFile, most_bytes: int) -> Iterator[str]:
    left = most_bytes
    while left > 0 and (line := stream.readline(min(LONGEST_LINE_BYTES, left))):
        left -= len(line)
        yield line.decode("utf-8", "replace").rstrip("\r\n")
