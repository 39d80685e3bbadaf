"""Witness: machine code of an executable on disk. It is mapped, so that only what is asked for is read."""

from __future__ import annotations

import mmap
import stat
from collections.abc import Callable
from pathlib import Path

from whyheap.errors import FormatError, TargetError
from whyheap.goruntime.allocators import is_allocator, type_argument
from whyheap.parse.machine_code.binary import Binary
from whyheap.parse.machine_code.elf_image import HINT
from whyheap.parse.source_path import spell_foreign


def open_binary(path: Path, spell: Callable[[str], str] = spell_foreign) -> Binary:
    """Open an executable; `spell` turns raw paths of sources into the contract's.

    Raises `TargetError` when it cannot be read, `FormatError` when it is no Go executable for linux/amd64 or arm64.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for a writer
            raise FormatError(f"{path} is no regular file, so it is no executable.", HINT)
        with path.open("rb", buffering=0) as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise TargetError(f"{path} could not be read: {error.strerror}.", HINT) from error
    except ValueError as error:  # an empty file, or a NUL byte in the name
        raise FormatError(f"{str(path)!a} is no executable: it is empty or cannot be named.", HINT) from error
    try:
        return Binary(data, is_allocator, type_argument, spell)
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", error.hint) from error
