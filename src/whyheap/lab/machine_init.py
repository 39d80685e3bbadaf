"""The first and only program of the lab's machine: mounts what a container host has, runs one scenario, tells, ends.

Its first line, which names the Python of the image, is put in front by machine_image.py.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
import traceback
from importlib import import_module
from pathlib import Path

POWER_OFF = 0x4321FEDC  # LINUX_REBOOT_CMD_POWER_OFF, include/uapi/linux/reboot.h
SET_FLAGS = 0x8914  # SIOCSIFFLAGS, include/uapi/linux/sockios.h
UP = 0x41  # IFF_UP | IFF_RUNNING, include/uapi/linux/if.h
MOUNTS = {
    "/proc": "proc",
    "/sys": "sysfs",
    "/dev": "devtmpfs",
    "/sys/fs/cgroup": "cgroup2",
    "/tmp": "tmpfs",  # noqa: S108 - the machine's own
    "/dev/shm": "tmpfs",  # noqa: S108 - as above
}


def boot() -> None:
    """Run the machine's one job, and end the machine whatever happens."""
    libc = ctypes.CDLL(None)
    try:
        for point, kind in MOUNTS.items():
            Path(point).mkdir(parents=True, exist_ok=True)
            libc.mount(kind.encode(), point.encode(), kind.encode(), 0, None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh", b"lo", UP))
        os.environ.update(HOME="/root", PATH="/bin", WHYHEAP_CACHE="/root/cache")
        sys.path.insert(0, "/site")
        import_module("whyheap.app.lab_machine").main()  # its folder is known only now
    except BaseException:  # noqa: BLE001 - there is nobody else who could tell
        Path("/dev/console").write_text(traceback.format_exc(), encoding="utf-8")
    finally:
        os.sync()
        libc.reboot(POWER_OFF)


if __name__ == "__main__":
    boot()
