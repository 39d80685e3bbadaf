"""How a process that is not our child ends: the kernel's process connector tells its wait status.

Needs CAP_NET_ADMIN in the host's own namespaces. Format: include/uapi/linux/{netlink,connector,cn_proc}.h; the filter
(classic BPF, man 7 socket) lets only this one process's end through, so a busy host costs nothing.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from contextlib import suppress

_CONNECTOR = 11  # NETLINK_CONNECTOR
_PROC = 1  # CN_IDX_PROC, CN_VAL_PROC
_LISTEN = 1  # PROC_CN_MCAST_LISTEN
_EXIT = 0x80000000  # PROC_EVENT_EXIT
_DONE = 3  # NLMSG_DONE
_WHAT_AT, _PID_AT = 36, 52  # behind nlmsghdr (16) and cn_msg (20); the event's own header is of 16 bytes
_FIELDS = struct.Struct("=IIII")  # process_pid, process_tgid, exit_code, exit_signal
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_MOST_MESSAGES = 1000


class ExitEvents:
    """Listens for the end of one process. `status` stays None where the kernel does not tell us."""

    def __init__(self, pid: int) -> None:
        """Begin to listen; without rights nothing will be heard."""
        self._pid = pid
        self._socket: socket.socket | None = None
        self._status: int | None = None
        with suppress(OSError, AttributeError):  # AttributeError: not on Linux
            self._socket = self._listening()

    def status(self) -> int | None:
        """Return the process's wait status (man 2 wait), once it has ended and the kernel has told."""
        for _ in range(_MOST_MESSAGES if self._socket else 0):
            try:
                message = self._socket.recv(4096, socket.MSG_DONTWAIT) if self._socket else b""
            except OSError:  # nothing more, or some were lost
                break
            if len(message) >= _PID_AT + _FIELDS.size:
                pid, group, code, _ = _FIELDS.unpack_from(message, _PID_AT)
                if pid == group == self._pid:
                    self._status = code
        return self._status

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __del__(self) -> None:
        """Stop listening, when nobody did."""
        with suppress(OSError, AttributeError):
            self.close()

    def _listening(self) -> socket.socket:
        listener = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _CONNECTOR)
        try:
            self._filter(listener)
            listener.bind((0, _PROC))
            wanted = struct.pack("=I", _LISTEN)
            body = struct.pack("=IIIIHH", _PROC, _PROC, 0, 0, len(wanted), 0) + wanted
            listener.send(struct.pack("=IHHII", 16 + len(body), _DONE, 0, 0, os.getpid()) + body)
        except OSError:
            listener.close()
            raise
        return listener

    def _filter(self, listener: socket.socket) -> None:
        """Let through what is an exit of this process; loads are big-endian, the message is in the machine's order."""
        steps = (
            (_LOAD, 0, 0, _WHAT_AT),
            (_EQUAL, 0, 3, _swapped(_EXIT)),
            (_LOAD, 0, 0, _PID_AT),
            (_EQUAL, 0, 1, _swapped(self._pid)),
            (_RETURN, 0, 0, 0xFFFFFFFF),
            (_RETURN, 0, 0, 0),
        )
        code = b"".join(struct.pack("=HBBI", *step) for step in steps)
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("@HP", len(steps), ctypes.addressof(buffer))
        listener.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER, asm-generic/socket.h


def _swapped(number: int) -> int:
    return int(struct.unpack(">I", struct.pack("=I", number))[0])
