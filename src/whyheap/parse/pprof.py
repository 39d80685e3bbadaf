"""Heap profiles in pprof's format (profile.proto, mostly gzipped) and, by their first words, legacy text ones.

Two decoders stand behind `parse_profile`: plain Python for small profiles, because importing numpy takes longer than
they do, and a columnar one for big ones. Which one was used cannot be seen but in the columns' types.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from whyheap.errors import FormatError
from whyheap.model.profile import HeapProfile
from whyheap.parse.gzip_stream import MAGIC, read_gzip, read_plain
from whyheap.parse.pprof_rows import decode_rows

# Measured on the machine of bench/profile_speed.py: plain Python takes 0.43 s/MB of CPU, numpy 0.38 s for its import
# and 0.05 s/MB.
SMALL_RAW_BYTES = 1 << 20
_PIECE_BYTES = 1 << 20
_TEXT_START = b"heap profile:"


@lru_cache(maxsize=2)  # a capture's profiles are read when they are collected and again when they are judged
def parse_profile(data: bytes) -> HeapProfile:
    """Decode a heap profile as a service serves it or a file holds it: pprof format, gzipped or not, or legacy text.

    The sentence of an error begins in lower case: put the target's name and a colon before it.

    Raises:
        FormatError: cut short, damaged, another kind of profile, no profile, or made to exhaust memory.
    """
    if not data:
        raise FormatError("it is empty", "Fetch the profile again: the service may have ended meanwhile.")
    pieces = read_gzip(data, _PIECE_BYTES) if data.startswith(MAGIC) else read_plain(data, _PIECE_BYTES)
    first = _first_bytes(pieces)
    if first.startswith(_TEXT_START):
        from whyheap.parse.heap_text import parse_heap_text  # noqa: PLC0415 -- rarely needed

        return parse_heap_text(b"".join((first, *pieces)))
    _refuse_text(first)
    if len(first) <= SMALL_RAW_BYTES:
        return decode_rows(first)
    from whyheap.parse.pprof_columns import decode_columns  # noqa: PLC0415 -- imports numpy, see above

    return decode_columns(chain((first,), pieces))


def _first_bytes(pieces: Iterator[bytes]) -> bytes:
    """Take pieces until there are more than SMALL_RAW_BYTES, or all of them."""
    taken: list[bytes] = []
    size = 0
    while size <= SMALL_RAW_BYTES:
        piece = next(pieces, b"")
        if not piece:
            break
        taken.append(piece)
        size += len(piece)
    return b"".join(taken)


def _refuse_text(first: bytes) -> None:
    """Say what common texts are, instead of "damaged"."""
    start = first[:512].lstrip().lower()
    if not first:
        raise FormatError("it is an empty profile", "Fetch the profile again: the service may have ended meanwhile.")
    if start.startswith((b"<!doctype", b"<html", b"<head")):
        raise FormatError("it is a web page, not a profile", "Give the address of /debug/pprof/heap.")
    if start.startswith((b"goroutine profile:", b"threadcreate profile:", b"goroutine ")):
        raise FormatError("it is a goroutine profile, but a heap profile is needed", "Take /debug/pprof/heap.")
    if start.startswith((b"--- mutex", b"--- contention")):
        raise FormatError("it is a mutex or block profile, but a heap profile is needed", "Take /debug/pprof/heap.")
