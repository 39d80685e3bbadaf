r"""The kernel's log from now on: /dev/kmsg, read without waiting, or what the journal kept of it.

Format: Documentation/ABI/testing/dev-kmsg: "priority,sequence,microseconds since boot,flags;text", unprintable bytes
escaped as \xNN. The device needs root or CAP_SYSLOG where dmesg is restricted; the journal a member of group adm,
systemd-journal or wheel.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

DEVICE = Path("/dev/kmsg")
_RECORD_BYTES = 8192
_MOST_RECORDS = 20_000
_JOURNAL_BYTES = 4 << 20
_JOURNAL_SECONDS = 3.0
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


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
            line = parse_record(record, booted)
            if line is not None:
                lines.append(line)
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


def parse_record(record: bytes, booted: float) -> tuple[str, str] | None:
    """Return (RFC 3339 UTC, text) of one record; None when it is none. `booted` is in seconds since 1970."""
    head, _, rest = record.partition(b";")
    fields = head.split(b",")
    if len(fields) < 3 or not fields[2].isdigit() or len(fields[2]) > 18:  # noqa: PLR2004 - the third is the time
        return None
    text = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), rest.partition(b"\n")[0])
    try:
        at = datetime.fromtimestamp(booted + int(fields[2]) / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), text.decode("utf-8", "replace")


def read_journal(since: float) -> list[str]:
    """Return what the journal has of the kernel's log since a time (seconds since 1970), as its lines; none without it.

    Takes some 10 ms, three seconds at most.
    """
    command = shutil.which("journalctl")
    if command is None:
        return []
    options = ["-k", "-q", "-o", "short-iso-precise", "--no-pager", "--utc", f"--since=@{int(since)}"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [command, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=_JOURNAL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout[-_JOURNAL_BYTES:].decode("utf-8", "replace").splitlines()
