"""How a process ended, told by the kernel's process connector: for kernels whose pidfds do not tell it (before 6.15).

Format: linux/connector.h, linux/cn_proc.h (PROC_EVENT_EXIT); Documentation/driver-api/connector.rst. Needs
CAP_NET_ADMIN in the first user and process namespace. A socket filter lets through the end of one process only: no
other event of the machine wakes us.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
from typing import Self

_NETLINK_CONNECTOR = 11
_PROCESSES = 1  # CN_IDX_PROC and CN_VAL_PROC; also the multicast group
_LISTEN = 1  # PROC_CN_MCAST_LISTEN
_DONE = 3  # NLMSG_DONE
_EXIT = 0x80000000  # PROC_EVENT_EXIT
_WHAT_AT, _PID_AT, _TGID_AT, _CODE_AT = 36, 52, 56, 60  # behind nlmsghdr (16) and cn_msg (20): proc_event
_MESSAGE_BYTES = 4096
_MOST_MESSAGES = 16

_ATTACH_FILTER = 26  # SO_ATTACH_FILTER, asm-generic/socket.h
_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K


class ExitListener:
    """Hears of the end of one process. Where that is not permitted nothing is heard."""

    def __init__(self, pid: int) -> None:
        """Listen for the end of a process that still runs."""
        self._pid = pid
        self._status: int | None = None
        self._socket: socket.socket | None = None
        if not hasattr(socket, "AF_NETLINK"):
            return
        with contextlib.suppress(OSError):
            self._socket = _listening(pid)

    def status(self) -> int | None:
        """Return the wait status (man 2 wait); None while it runs, or where nothing is heard."""
        for _ in range(_MOST_MESSAGES if self._socket is not None else 0):
            try:
                data = self._socket.recv(_MESSAGE_BYTES) if self._socket is not None else b""
            except OSError:  # nothing more
                break
            if len(data) < _CODE_AT + 4:
                continue
            (what,) = struct.unpack_from("=I", data, _WHAT_AT)
            pid, group, code = struct.unpack_from("=iiI", data, _PID_AT)
            if what == _EXIT and pid == group == self._pid:
                self._status = int(code)
        return self._status

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        """Listen."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.close()


def _listening(pid: int) -> socket.socket:
    channel = socket.socket(
        socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _NETLINK_CONNECTOR
    )
    try:
        program, words = _filter(pid)
        channel.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        del words  # the kernel has its own copy now
        channel.bind((0, _PROCESSES))
        ask = struct.pack("=IIIIHHI", _PROCESSES, _PROCESSES, 0, 0, 4, 0, _LISTEN)
        channel.send(struct.pack("=IHHII", 16 + len(ask), _DONE, 0, 0, os.getpid()) + ask)
    except OSError:
        channel.close()
        raise
    return channel


def _filter(pid: int) -> tuple[bytes, ctypes.Array[ctypes.c_char]]:
    """Return a sock_fprog that lets the exit of this process through, and the memory that it points to.

    BPF loads words in network order (Documentation/networking/filter.rst), the message is in ours.
    """
    number = socket.htonl(pid)
    checks = ((_WHAT_AT, socket.htonl(_EXIT)), (_PID_AT, number), (_TGID_AT, number))
    code = b""
    for left, (place, wanted) in zip(range(len(checks) - 1, -1, -1), checks, strict=True):
        code += struct.pack("=HBBI", _LOAD_WORD, 0, 0, place)
        code += struct.pack("=HBBI", _JUMP_EQUAL, 0, 2 * left + 1, wanted)  # else on to the last word: drop
    code += struct.pack("=HBBI", _RETURN, 0, 0, _MESSAGE_BYTES) + struct.pack("=HBBI", _RETURN, 0, 0, 0)
    words = ctypes.create_string_buffer(code, len(code))
    return struct.pack("@HP", len(code) // 8, ctypes.addressof(words)), words
