r"""The kernel's log from now on: /dev/kmsg, read without waiting. Needs root or CAP_SYSLOG where dmesg is restricted.

Format: Documentation/ABI/testing/dev-kmsg: "priority,sequence,microseconds since boot,flags;text", unprintable bytes
escaped as \xNN.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

DEVICE = Path("/dev/kmsg")
_RECORD_BYTES = 8192
_MOST_RECORDS = 20_000


class KernelLog:
    """Reads what was written since it was opened, or since the last read. `error` says why it cannot, "" if it can."""

    def __init__(self, device: Path = DEVICE, *, from_start: bool = False) -> None:
        """Open the log at its end, or at its oldest line."""
        self._file = -1
        self.error = ""
        try:
            self._file = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self._file, 0, os.SEEK_SET if from_start else os.SEEK_END)
        except OSError as error:
            self.error = error.strerror or str(error)
            self.close()

    def read(self) -> list[tuple[str, str]]:
        """Return (RFC 3339 UTC, text) of each new line."""
        lines = []
        booted = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
        for _ in range(_MOST_RECORDS if self._file >= 0 else 0):
            try:
                record = os.read(self._file, _RECORD_BYTES)
            except BlockingIOError:
                break
            except OSError:  # EPIPE: lines were overwritten before they were read; the next read goes on behind them
                continue
            if not record:
                break
            head, _, text = record.decode("utf-8", "replace").partition(";")
            fields = head.split(",")
            if len(fields) > 2 and fields[2].isdecimal():  # noqa: PLR2004 - the third is the time
                at = datetime.fromtimestamp(booted + int(fields[2]) / 1e6, UTC)
                lines.append((at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), text.partition("\n")[0]))
        return lines

    def close(self) -> None:
        """Let go of the log."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        """Let go of the log, when nobody did."""
        with suppress(OSError, AttributeError):
            self.close()
