"""How a process ended, told by the kernel to others than its parent.

A pidfd that was opened while the process ran keeps its wait status after its parent has taken it: ioctl PIDFD_GET_INFO
with PIDFD_INFO_EXIT, Linux 6.15 (include/uapi/linux/pidfd.h, fs/pidfs.c). It reads only, and needs no right to trace.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct

_INFO_EXIT = 1 << 3
_INFO_BYTES = 64  # PIDFD_INFO_SIZE_VER0: mask and cgroupid of 8 bytes, ten numbers and the wait status of 4 each
_CODE_AT = 60
_GET_INFO = 3 << 30 | _INFO_BYTES << 16 | 0xFF << 8 | 11  # _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info)


class ProcessEnd:
    """Holds on to a running process, so that its wait status can be had after its end."""

    def __init__(self, pid: int) -> None:
        """Hold the process of this number; where that is not possible, nothing will be known of its end."""
        self._descriptor: int | None = None
        with contextlib.suppress(OSError, AttributeError):  # no such process, or no pidfds on this system
            self._descriptor = os.pidfd_open(pid)

    def status(self) -> int | None:
        """Return the wait status (man 2 wait); None while it runs, or where the kernel does not tell."""
        if self._descriptor is None:
            return None
        info = bytearray(struct.pack("=Q", _INFO_EXIT) + bytes(_INFO_BYTES - 8))
        try:
            fcntl.ioctl(self._descriptor, _GET_INFO, info)
        except OSError:  # before Linux 6.15
            return None
        (mask,) = struct.unpack_from("=Q", info)
        (code,) = struct.unpack_from("=i", info, _CODE_AT)
        return int(code) if mask & _INFO_EXIT else None

    def close(self) -> None:
        """Let go of the process."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        """Let go of the process when nobody asks any more."""
        self.close()
