"""Gzip with bounds: decompresses piece by piece and refuses what only exists to fill memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from whyheap.errors import FormatError

MAGIC = b"\x1f\x8b"
RAW_LIMIT_BYTES = 2 << 30
# Go's profiles shrink 3 to 30 times; deflate's limit is 1,032. Small inputs may do as they like.
RATIO_LIMIT = 100
RATIO_CHECKED_ABOVE_BYTES = 4 << 20

_GZIP_ONLY = 31  # zlib's window size that stands for a gzip header and trailer


def read_gzip(data: bytes, piece_bytes: int, raw_limit_bytes: int = RAW_LIMIT_BYTES) -> Iterator[bytes]:
    """Yield what `data` decompresses to in pieces of at most `piece_bytes`; several members are read as one.

    Raises:
        FormatError: the data is cut short, damaged, or unpacks to more than the limits allow.
    """
    raw_bytes = 0
    allowed_bytes = min(raw_limit_bytes, max(RATIO_CHECKED_ABOVE_BYTES, RATIO_LIMIT * len(data)))
    while data:
        inflate = zlib.decompressobj(wbits=_GZIP_ONLY)
        pending = data
        while not inflate.eof:
            try:
                piece = inflate.decompress(pending, piece_bytes)
            except zlib.error as error:
                raise FormatError(f"its gzip data is damaged ({_plain(error)})") from error
            pending = inflate.unconsumed_tail
            if not piece and not pending and not inflate.eof:
                raise FormatError("its gzip data is cut short", "Fetch or copy the profile again.")
            raw_bytes += len(piece)
            if raw_bytes > allowed_bytes:
                raise FormatError(
                    f"its gzip data unpacks to more than {allowed_bytes >> 20} MiB: too much for its size"
                )
            if piece:
                yield piece
        data = inflate.unused_data
        if not data.startswith(MAGIC):  # padding after the last member is allowed, as in gzip -d
            return


def read_plain(data: bytes, piece_bytes: int, raw_limit_bytes: int = RAW_LIMIT_BYTES) -> Iterator[bytes]:
    """Yield `data`, which is not compressed, in pieces."""
    if len(data) > raw_limit_bytes:
        raise FormatError(f"it is larger than {raw_limit_bytes >> 20} MiB, which no heap profile is")
    if len(data) <= piece_bytes:
        yield data
        return
    for start in range(0, len(data), piece_bytes):
        yield data[start : start + piece_bytes]


def _plain(error: zlib.error) -> str:
    """Return zlib's own words without its numbers: "Error -3 while decompressing data: x" -> "x"."""
    return str(error).rpartition(": ")[2]
