"""The executable behind a running process, and where it was loaded to (man 5 proc: exe, stat, auxv)."""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import TargetError
from whyheap.host.process_access import no_such_process, refused
from whyheap.host.procfs import PROC

_AT_ENTRY = 9  # linux/auxvec.h
_PAIR = struct.Struct("<QQ")
_MOST_AUXV_BYTES = 4096
_ELF_ENTRY = struct.Struct("<Q")
_ELF_ENTRY_AT = 24  # e_entry, elf.h
_ELF_CLASS_AT = 4
_ELF32 = 1
_URL_HINT = "Observe it by its pprof endpoint instead:  whyheap why http://HOST:PORT"


@dataclass(frozen=True, slots=True)
class RunningProgram:
    """`path` is the executable as the process names it, `data` its bytes, mapped; `bias` how far it was moved."""

    path: str
    data: mmap.mmap
    bias: int


def open_running_program(pid: int, proc: Path = PROC) -> RunningProgram:
    """Map the executable of a process, also one that was deleted or lies in another container.

    Raises `TargetError`: no such process, a zombie, a thread of the kernel, not permitted, a 32-bit program.
    """
    folder = proc / str(pid)
    if pid <= 0 or not folder.is_dir():
        raise no_such_process(pid)
    try:
        path = os.readlink(folder / "exe")  # noqa: PTH115 - "PATH (deleted)" is no path to resolve
        with (folder / "exe").open("rb", buffering=0) as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as error:
        raise TargetError(f"The executable of pid {pid} is empty.", _URL_HINT) from error
    except OSError as error:
        raise _without_executable(pid, error, proc) from error
    if len(data) < _ELF_ENTRY_AT + _ELF_ENTRY.size or data[:4] != b"\x7fELF":
        raise TargetError(f"pid {pid} ({path}) is no ELF program, so it is not a Go program.", _URL_HINT)
    if data[_ELF_CLASS_AT] == _ELF32:
        raise TargetError(
            f"pid {pid} ({path}) is a 32-bit program: only 64-bit ones (amd64, arm64) are read by their number.",
            _URL_HINT,
        )
    return RunningProgram(path, data, _entry(pid, folder, proc) - _ELF_ENTRY.unpack_from(data, _ELF_ENTRY_AT)[0])


def _entry(pid: int, folder: Path, proc: Path) -> int:
    """Return the address that the program was started at, as the kernel told it."""
    try:
        with (folder / "auxv").open("rb", buffering=0) as file:
            words = file.read(_MOST_AUXV_BYTES)
    except OSError as error:
        raise refused(pid, error, proc) from error
    for at in range(0, len(words) - _PAIR.size + 1, _PAIR.size):
        kind, value = _PAIR.unpack_from(words, at)
        if kind == _AT_ENTRY:
            return int(value)
    raise TargetError(f"pid {pid} has ended.", "Record a process to see its end:  whyheap record")


def _without_executable(pid: int, error: OSError, proc: Path) -> TargetError:
    if not isinstance(error, FileNotFoundError | ProcessLookupError):
        return refused(pid, error, proc)
    state, parent = _state(pid, proc)
    if not state:
        return no_such_process(pid)
    if state in "ZX":
        return TargetError(
            f"pid {pid} has ended: it is a zombie that its parent, pid {parent}, has not collected yet.",
            "Its memory is gone. Record a process to see its end:  whyheap record",
        )
    return TargetError(f"pid {pid} is a thread of the kernel: it runs no program.", "Name the process of a Go program.")


def _state(pid: int, proc: Path) -> tuple[str, int]:
    with suppress(OSError, ValueError, IndexError):
        fields = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[1])
    return "", 0
