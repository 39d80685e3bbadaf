"""Memory of a running process, read through /proc/PID/mem while it runs: it is neither stopped nor changed.

The kernel asks for the rights of a debugger when the file is opened (fs/proc/base.c, mem_open; man 2 ptrace, "Ptrace
access mode checking"), and the open file stays bound to the memory of that one program: a later process with the same
number is never read by mistake.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from whyheap.errors import TargetError
from whyheap.host.process_access import refused
from whyheap.host.procfs import PROC

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_BYTES: Final = 1 << 28
"""What one call reads at most: numbers that ask for more are damaged."""

_GAP_BYTES: Final = 4096  # reading a page too much is cheaper than another call
_RUN_BYTES: Final = 1 << 20
_LAST_ADDRESS: Final = 1 << 63


class UnreadableAddressError(TargetError):
    """Nothing is mapped at an address: it was read from a structure that changed meanwhile, or is damaged."""


class ProcessMemory:
    """The memory of one process. All methods raise `TargetError` when the process has ended.

    Bytes are those of the moment of each read: what belongs together and changes must be checked by reading again.
    """

    def __init__(self, pid: int, proc: Path = PROC) -> None:
        """Open it. Raises `TargetError` when there is no such process or it may not be read; the hint says why."""
        self.pid = pid
        self.proc = proc
        try:
            self._file = os.open(proc / str(pid) / "mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise refused(pid, error, proc) from error

    def close(self) -> None:
        """Let go of the process."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the process."""
        self.close()

    def __del__(self) -> None:
        """Let go of the process, when nobody did."""
        with suppress(OSError, AttributeError):
            self.close()

    def read(self, address: int, size: int) -> bytes:
        """Return `size` bytes. Raises `UnreadableAddressError` when they are not all there."""
        if not 0 <= address <= address + size <= _LAST_ADDRESS or size > MOST_BYTES:
            raise UnreadableAddressError(f"pid {self.pid}: {size} bytes at {address:#x} are no memory of a process.")
        data = self._read_some(address, size)
        if len(data) != size:
            raise UnreadableAddressError(f"pid {self.pid}: {size} bytes at {address:#x} could not be read.")
        return data

    def read_word(self, address: int) -> int:
        """Return an unsigned 64-bit number."""
        return int.from_bytes(self.read(address, 8), "little")

    def read_many(self, ranges: Iterable[tuple[int, int]]) -> list[bytes | None]:
        """Return the bytes of each (address, size), in the order asked; None where they are not all there.

        Neighbours are read together: thousands of small structures cost a few calls. Together they may not be longer
        than `MOST_BYTES` (`UnreadableAddressError`).
        """
        wanted = list(ranges)
        if sum(max(size, 0) for _, size in wanted) > MOST_BYTES:
            raise UnreadableAddressError(f"pid {self.pid}: more bytes at once than any structure of Go has.")
        found: list[bytes | None] = [None] * len(wanted)
        order = sorted(
            index
            for index, (address, size) in enumerate(wanted)
            if size >= 0 and 0 <= address <= address + size <= _LAST_ADDRESS
        )
        order.sort(key=lambda index: wanted[index][0])
        first = 0
        while first < len(order):
            start, size = wanted[order[first]]
            stop, last = start + size, first + 1
            while last < len(order):
                address, size = wanted[order[last]]
                if address > stop + _GAP_BYTES or address + size > start + _RUN_BYTES:
                    break
                stop, last = max(stop, address + size), last + 1
            self._fill(found, wanted, order[first:last], start, stop)
            first = last
        return found

    def _fill(
        self,
        found: list[bytes | None],
        wanted: Sequence[tuple[int, int]],
        indexes: Sequence[int],
        start: int,
        stop: int,
    ) -> None:
        """Read a run once and cut it; when a part of it is missing, each piece for itself."""
        data = self._read_some(start, stop - start)
        for index in indexes:
            address, size = wanted[index]
            piece = data[address - start : address - start + size]
            if len(piece) < size:
                piece = self._read_some(address, size)
            found[index] = piece if len(piece) == size else None

    def read_records(self, addresses: NDArray[np.int64], size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return records of one size at sorted, distinct `addresses`, shape (n, size), and which could be read.

        Those that could not are zero. Raises `UnreadableAddressError` when they are more than `MOST_BYTES` together.
        """
        import numpy as np  # noqa: PLC0415 - needs no numpy to be told that a process cannot be read

        count = len(addresses)
        if count * size > MOST_BYTES:
            raise UnreadableAddressError(f"pid {self.pid}: more bytes at once than any structure of Go has.")
        records = np.zeros((count, size), np.uint8)
        known = np.zeros(count, np.bool_)
        if not count:
            return records, known
        apart = np.diff(addresses) > size + _GAP_BYTES
        run_of = np.concatenate(([0], np.cumsum(apart))) if count > 1 else np.zeros(1, np.int64)
        for rows in np.split(np.arange(count), np.flatnonzero(np.diff(run_of)) + 1):
            for first in range(0, len(rows), max(_RUN_BYTES // max(size, 1), 1)):
                self._fill_records(addresses, rows[first : first + max(_RUN_BYTES // max(size, 1), 1)], records, known)
        return records, known

    def _fill_records(
        self,
        addresses: NDArray[np.int64],
        rows: NDArray[np.int64],
        records: NDArray[np.uint8],
        known: NDArray[np.bool_],
    ) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        size = records.shape[1]
        start = int(addresses[rows[0]])
        stop = int(addresses[rows[-1]]) + size
        data = np.frombuffer(self._read_some(start, stop - start), np.uint8)
        offsets = addresses[rows] - start
        whole = offsets + size <= len(data)
        inside = offsets[whole]
        if len(inside):
            windows = np.lib.stride_tricks.sliding_window_view(data, size)
            records[rows[whole]] = windows[inside]
            known[rows[whole]] = True
        for row in rows[~whole].tolist():
            piece = self._read_some(int(addresses[row]), size)
            if len(piece) == size:
                records[row] = np.frombuffer(piece, np.uint8)
                known[row] = True

    def read_words(
        self, addresses: NDArray[np.int64], offsets: Sequence[int], size: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Return some 64-bit words of records of one size, shape (words, n), and which records could be read.

        `addresses` are sorted, distinct and multiples of 8, as are `offsets` (from a record's start). Far faster than
        `read_records` where a few words of many records are wanted.
        """
        import numpy as np  # noqa: PLC0415 - as above

        words = np.zeros((len(offsets), len(addresses)), np.uint64)
        known = np.zeros(len(addresses), np.bool_)
        raw = bytearray(_RUN_BYTES)
        buffer = np.frombuffer(raw, np.uint64)
        ends = np.append(np.flatnonzero(np.diff(addresses) > size + _GAP_BYTES) + 1, len(addresses)).tolist()
        first = 0
        for end in ends if len(addresses) else ():
            while first < end:
                start = int(addresses[first])
                last = first + int(np.searchsorted(addresses[first:end], start + _RUN_BYTES - size, "right"))
                got = self._read_into(memoryview(raw)[: int(addresses[last - 1]) + size - start], start)
                places = addresses[first:last] - start
                known[first:last] = places + size <= got
                places >>= 3
                for row, offset in enumerate(offsets):
                    words[row, first:last] = buffer.take(places + (offset >> 3))
                self._read_words_singly(
                    addresses, np.flatnonzero(~known[first:last]) + first, offsets, size, words, known
                )
                first = last
        return words, known

    def _read_words_singly(
        self,
        addresses: NDArray[np.int64],
        rows: NDArray[np.intp],
        offsets: Sequence[int],
        size: int,
        words: NDArray[np.uint64],
        known: NDArray[np.bool_],
    ) -> None:
        """Read records one by one where a run of them has a hole."""
        for row in rows.tolist():
            data = self._read_some(int(addresses[row]), size)
            known[row] = len(data) == size
            for number, offset in enumerate(offsets):
                words[number, row] = int.from_bytes(data[offset : offset + 8], "little") if known[row] else 0

    def _read_into(self, part: memoryview, address: int) -> int:
        """Fill `part` from `address` on; return how many bytes could be read before the first hole."""
        try:
            got = os.preadv(self._file, [part], address)
        except OSError as error:  # EIO: not mapped
            if self._file < 0:
                raise TargetError(f"pid {self.pid} was let go of already.") from error
            return 0
        if not got:
            raise self._ended()
        return got

    def _read_some(self, address: int, size: int) -> bytes:
        """Return what can be read from `address` on, up to `size` bytes; empty for an address that is not mapped."""
        if address < 0 or size <= 0 or address + size > _LAST_ADDRESS:
            return b""
        parts = []
        while size > 0:
            try:
                part = os.pread(self._file, size, address)
            except OSError as error:  # EIO: not mapped (fs/proc/base.c, mem_rw)
                if self._file < 0:
                    raise TargetError(f"pid {self.pid} was let go of already.") from error
                break
            if not part:  # end of file: its memory is gone
                raise self._ended()
            parts.append(part)
            address += len(part)
            size -= len(part)
        return b"".join(parts)

    def _ended(self) -> TargetError:
        return TargetError(f"pid {self.pid} has ended.", "Record a process to see its end:  whyheap record")
