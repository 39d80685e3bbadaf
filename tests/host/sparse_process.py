"""A process whose memory is a file: bytes stand where a test puts them, everything else is zero."""

from __future__ import annotations

import struct
from pathlib import Path

from whyheap.host.process_memory import ProcessMemory

PID = 7
SIZE_BYTES = 1 << 33


class SparseProcess:
    """Writes words and bytes into the memory of process 7 under a folder that stands for /proc."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder
        self._path = folder / str(PID) / "mem"
        self._path.parent.mkdir(parents=True)
        with self._path.open("wb") as file:
            file.truncate(SIZE_BYTES)

    def put(self, address: int, *words: int) -> None:
        self.put_bytes(address, struct.pack(f"<{len(words)}Q", *(word & (1 << 64) - 1 for word in words)))

    def put_bytes(self, address: int, data: bytes) -> None:
        with self._path.open("r+b") as file:
            file.seek(address)
            file.write(data)

    def memory(self) -> ProcessMemory:
        return ProcessMemory(PID, self.proc)
